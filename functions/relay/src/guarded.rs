//! A stream of server-sent events ends with the session of the person who reads it.

use std::pin::Pin;
use std::time::Duration;

use axum::BoxError;
use axum::body::{Body, BodyDataStream};
use axum::response::Response;
use bytes::Bytes;
use futures::future::{Either, select};
use futures::stream::{self, Stream, StreamExt};
use http::header;
use kafka_common::access::Access;
use kafka_common::access::session::Session;
use kafka_common::announce::text;
use kafka_common::error::Error;
use kafka_common::sse;
use spin_sdk::time::sleep;

use crate::refused::Refused;

/// How often it is looked whether the session of who reads is still good.
const LOOK_AGAIN: Duration = Duration::from_secs(20);

/// The response, if it is one of events, until the session of who asked for it has ended. What is written goes on.
pub fn while_logged_in(access: &Access, response: Response) -> Response {
    let is_stream = response
        .headers()
        .get(header::CONTENT_TYPE)
        .is_some_and(|media_type| media_type == sse::CONTENT_TYPE);
    match access.session() {
        Ok(session) if is_stream => {
            let token_hash = session.token_hash.clone();
            response.map(|body| Body::from_stream(guarded(body.into_data_stream(), token_hash)))
        }
        _ => response,
    }
}

/// What a guarded stream waits for: its next events, and the time at which to look.
struct Guarded {
    events: BodyDataStream,
    token_hash: String,
    look: Pin<Box<dyn Future<Output = ()> + Send>>,
    ended: bool,
}

fn guarded(
    events: BodyDataStream,
    token_hash: String,
) -> impl Stream<Item = Result<Bytes, BoxError>> + Send {
    let guarded = Guarded {
        events,
        token_hash,
        look: Box::pin(sleep(LOOK_AGAIN)),
        ended: false,
    };
    stream::unfold(guarded, |mut guarded| async {
        if guarded.ended {
            return None;
        }
        loop {
            // The time first: a stream that always has something must not outlive its session.
            let next = match select(&mut guarded.look, guarded.events.next()).await {
                Either::Left(_) => None,
                Either::Right((events, _)) => Some(events),
            };
            if let Some(events) = next {
                return Some((events?.map_err(BoxError::from), guarded));
            }
            guarded.look = Box::pin(sleep(LOOK_AGAIN));
            match Session::by_hash(&guarded.token_hash).await {
                Ok(Some(_)) => {}
                Ok(None) => {
                    guarded.ended = true;
                    // What it may be in the middle of must not wait for a client that does not read.
                    guarded.events = Body::empty().into_data_stream();
                    let told = Refused::from(Error::session_ended()).v2(None);
                    return Some((Ok(sse::event(&told, &text(&told))), guarded));
                }
                // It is known next time.
                Err(error) => tracing::error!("a session can't be looked up: {error}"),
            }
        }
    })
}
