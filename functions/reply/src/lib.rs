//! Component `reply`: asks models and writes replies into the rows of the chat (ARCHITECTURE.md#the-life-of-a-reply).
//!
//! Its route is private: only component `relay` calls it, by service chaining, with what it has checked and stored. The
//! embedded host gives every request to a private component an instance of its own, so a model that answers with
//! something that no instance survives ends one reply, and nothing that clients send ends any.
#![forbid(unsafe_code)]

mod composing;
mod context;
mod rows;
mod send;
mod settings;
mod title;
mod trial;
mod writer;

use axum::body::{Body, to_bytes};
use futures::channel::mpsc::unbounded;
use futures::channel::oneshot;
use http::{HeaderMap, Response, StatusCode, header};
use kafka_common::db;
use kafka_common::grip::Grip;
use kafka_common::log;
use kafka_common::reply::audience::Audience;
use kafka_common::reply::{Begun, TRY_PATH, WRITE_PATH};
use kafka_common::seal::Keys;
use kafka_common::sse;
use kafka_common::task::begin_spawned;
use spin_sdk::http::Request;
use spin_sdk::{http_service, wasip3};
use tracing::Instrument;

/// The path of a request of the host's own, before there is a reply to write.
const WARM_UP_PATH: &str = "/warm-up";

/// The longest request, in bytes: a prompt and the text of an interrupted reply, each of 256 KiB, as JSON escapes them.
const MAX_REQUEST: usize = 4 * 1024 * 1024;

/// Answers one request of component `relay`.
#[http_service]
async fn handle(request: Request) -> Response<Body> {
    log::start();
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(Body::new(body), MAX_REQUEST).await else {
        return status(StatusCode::BAD_REQUEST);
    };
    match parts.uri.path() {
        WRITE_PATH => match serde_json::from_slice(&body) {
            Ok(begun) => write(begun, &parts.headers).await,
            Err(_) => status(StatusCode::BAD_REQUEST),
        },
        WARM_UP_PATH => {
            warm_up().await;
            status(StatusCode::NO_CONTENT)
        }
        TRY_PATH => match serde_json::from_slice(&body) {
            Ok(model) => trial::answer(&model).await,
            Err(_) => status(StatusCode::BAD_REQUEST),
        },
        _ => status(StatusCode::NOT_FOUND),
    }
}

/// Reads what each reply needs of the configuration.
async fn warm_up() {
    settings::Settings::get().await;
    // What is wrong with either, the first reply says.
    let _ = Grip::get().await;
    let _ = Keys::get().await;
}

/// Begins to write a reply, which goes on after the answer. When it answers, the prompt is on the disk; 503: it can't be
/// written there. Where events are asked for, the answer has them all.
async fn write(begun: Begun, headers: &HeaderMap) -> Response<Body> {
    let wants_events = headers
        .get(header::ACCEPT)
        .is_some_and(|accept| accept == sse::CONTENT_TYPE);
    let (reader, response) = match wants_events {
        true => {
            let (reader, events) = unbounded();
            (Some(reader), sse::response(events))
        }
        false => (None, status(StatusCode::ACCEPTED)),
    };
    db::schema_is_current();
    let span = log::generation(&begun.chat, begun.reply.as_str());
    let (stored, is_stored) = oneshot::channel();
    let writing = async move {
        let audience = Audience::of(&begun.chat, reader).await;
        writer::write(begun, audience, stored).await;
    };
    wasip3::spawn(writing.instrument(span));
    begin_spawned().await;
    match is_stored.await {
        Ok(()) => response,
        Err(_) => status(StatusCode::SERVICE_UNAVAILABLE),
    }
}

fn status(status: StatusCode) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
