//! Hands what models are asked to component `reply`, by service chaining.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures::stream::{self, Stream, StreamExt};
use http::{Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use kafka_common::api::id::GenerationId;
use kafka_common::db;
use kafka_common::error::Error;
use kafka_common::feed;
use kafka_common::long_work::{Lease, held};
use kafka_common::reply::audience::Audience;
use kafka_common::reply::ending::{self, Ending};
use kafka_common::reply::{Begun, Model, ORIGIN, TRY_PATH, Trial, WRITE_PATH};
use kafka_common::sse;
use kafka_common::task::spawning;
use serde::Serialize;
use spin_sdk::http::FullBody;
use spin_sdk::wasip3::http_compat::IncomingResponseBody;

use crate::follow;
use crate::refused::Refused;

/// What ends a stream of events.
const LAST_EVENT: &[u8] = b"event: generation_ended\n";

/// Why a reply ends that nothing writes.
const NOT_BEGUN: &str = "The server could not begin this reply. Please try again.";

/// The longest answer to a trial, in bytes: an error that a person reads.
const MAX_TRIAL: usize = 64 * 1024;

/// Lets a reply be written, beginning now and beyond the answer to the request that asked for it. The prompt is on the disk
/// then, and the feed of the chat's owner is told here: the instance that writes has its first piece to send.
///
/// # Errors
/// Where it can't be written to the disk.
pub async fn start(begun: &Begun) -> Result<(), Refused> {
    match call(WRITE_PATH, begun, None, StatusCode::ACCEPTED).await {
        Ok(_) => {
            feed::tell_soon(begun.chat.clone());
            Ok(())
        }
        Err(why) => Ok(give_up(begun, &why).await?),
    }
}

/// The same, and streams the reply's events. If its writer falls silent before the end, because something else ended the
/// reply or its chat is gone, the row has the rest.
pub async fn stream(begun: &Begun, lease: Option<Lease>) -> Response {
    let accept = Some(sse::CONTENT_TYPE);
    match call(WRITE_PATH, begun, accept, StatusCode::OK).await {
        Ok(body) => {
            feed::tell_soon(begun.chat.clone());
            let events = written(events(body), begun.chat.clone(), begun.reply.clone());
            sse::response(held(events, lease))
        }
        Err(why) => {
            if let Err(error) = give_up(begun, &why).await {
                return Refused::from(error).into_response();
            }
            follow::response(begun.chat.clone(), begun.reply.clone(), lease).await
        }
    }
}

/// Asks a model one tiny question.
///
/// # Errors
/// When component `reply` does not answer; what is wrong with the model is in the answer.
pub async fn try_model(model: &Model) -> Result<Trial, Error> {
    let body = call(TRY_PATH, model, None, StatusCode::OK).await;
    let unavailable =
        || Error::unavailable("The server could not ask the model. Please try again.");
    let body = body.map_err(|why| {
        tracing::error!(model = model.id, "a trial of the model: {why}");
        unavailable()
    })?;
    let body = axum::body::to_bytes(Body::new(body), MAX_TRIAL).await;
    let body = body.map_err(|_| unavailable())?;
    serde_json::from_slice(&body).map_err(|_| unavailable())
}

/// Posts `what` to component `reply`. Returns the body of an answer with the expected status, else why there is none.
async fn call(
    path: &str,
    what: &impl Serialize,
    accept: Option<&str>,
    expected: StatusCode,
) -> Result<IncomingResponseBody, String> {
    let body = serde_json::to_vec(what).map_err(|error| error.to_string())?;
    let mut request = Request::builder()
        .method(Method::POST)
        .uri(format!("{ORIGIN}{path}"))
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_LENGTH, body.len());
    if let Some(accept) = accept {
        request = request.header(header::ACCEPT, accept);
    }
    let request = request
        .body(FullBody::new(Bytes::from(body)))
        .map_err(|error| error.to_string())?;
    let response = spawning(spin_sdk::http::send(request))
        .await
        .map_err(|error| error.to_string())?;
    match response.status() {
        status if status == expected => Ok(response.into_body()),
        status => Err(format!("component reply answered {status}")),
    }
}

/// Ends a reply that nothing writes, and says so to all clients.
async fn give_up(begun: &Begun, why: &str) -> db::Result<()> {
    let generation = begun.reply.as_str();
    tracing::error!(generation, "the reply did not begin: {why}");
    begun.flush().await?;
    let audience = Audience::of(&begun.chat, None).await;
    audience.publish(begun.announcement(&audience));
    if let Err(error) = ending::end(&begun.chat, generation, Ending::error(NOT_BEGUN)).await {
        // Its heartbeat stays what it is, so the next reader ends it.
        tracing::error!(generation, "the reply: {error}");
    }
    Ok(())
}

/// The events in a body, each whole: what a writer that failed left of one is dropped.
fn events(body: IncomingResponseBody) -> impl Stream<Item = Bytes> + Send {
    stream::unfold((body, Vec::new()), |(mut body, mut rest)| async {
        loop {
            if let Some(end) = memchr::memmem::rfind(&rest, b"\n\n") {
                let left = rest.split_off(end + 2);
                return Some((Bytes::from(rest), (body, left)));
            }
            let Some(Ok(frame)) = body.frame().await else {
                return None;
            };
            rest.extend_from_slice(&frame.into_data().unwrap_or_default());
        }
    })
}

/// The events of a writer, and after them what the row has, unless the last one was among them.
fn written(
    events: impl Stream<Item = Bytes> + Send,
    chat: String,
    reply: GenerationId,
) -> impl Stream<Item = Bytes> + Send {
    // Asked once more after its end, where the last event is missing.
    let state = (Box::pin(events.fuse()), false);
    let events = stream::unfold(state, |(mut events, ended)| async move {
        match events.next().await {
            Some(event) => {
                let ended = ended || has_last(&event);
                Some((Some(event), (events, ended)))
            }
            None if ended => None,
            None => Some((None, (events, true))),
        }
    });
    events.flat_map(move |event| match event {
        Some(event) => stream::once(std::future::ready(event)).left_stream(),
        None => follow::rest_of(chat.clone(), reply.clone()).right_stream(),
    })
}

/// Whether whole events have the last one of a reply among them. JSON has no line ends of its own.
fn has_last(events: &[u8]) -> bool {
    memchr::memmem::find_iter(events, LAST_EVENT).any(|at| at == 0 || events[at - 1] == b'\n')
}
