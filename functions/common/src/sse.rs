//! Server-sent events (WHATWG HTML, section 9.2): v2's events for clients without a socket.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures::Stream;

use crate::announce::text;
use crate::api::events::Event;
use crate::api::feed::FeedEvent;

/// The media type.
pub const CONTENT_TYPE: &str = "text/event-stream";

/// The id of the event that ends a reply.
const END: &str = "end";

/// How much of a reply a client has: the id of the last event that it received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LastEvent {
    /// All up to the delta of this seq.
    Seq(i64),
    /// All.
    End,
}

impl LastEvent {
    /// The one in the header `Last-Event-ID`, which `EventSource` sends when it connects again. What is none of our ids
    /// says nothing.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        match headers.get("last-event-id")?.to_str().ok()?.trim() {
            END => Some(Self::End),
            seq => seq.parse().ok().map(Self::Seq),
        }
    }
}

/// An event of v2 on the wire: its action as the event's name, and as the id its seq, where it has one, or that a reply
/// has ended. `json` is the event as it is sent.
pub fn event(event: &Event, json: &str) -> Bytes {
    let id = match (event, event.seq()) {
        (Event::GenerationEnded(_), _) => Some(format!("id: {END}\n")),
        (_, seq) => seq.map(|seq| format!("id: {seq}\n")),
    };
    written(event.action(), &id.unwrap_or_default(), json)
}

/// An event of a user's feed on the wire: its action as the event's name, and as the id the rev that a client has then.
pub fn feed_event(event: &FeedEvent) -> Bytes {
    let id = event.rev().map(|rev| format!("id: {rev}\n"));
    written(event.action(), &id.unwrap_or_default(), &text(event))
}

fn written(action: &str, id: &str, json: &str) -> Bytes {
    // JSON has no line ends of its own.
    format!("event: {action}\n{id}data: {json}\n\n").into()
}

/// A comment: nothing to a client, but a failed write tells that it has gone.
pub fn keep_alive() -> Bytes {
    Bytes::from_static(b": \n\n")
}

/// A response of events.
pub fn response(events: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    use futures::StreamExt;
    let body = Body::from_stream(events.map(Ok::<_, std::convert::Infallible>));
    let mut response = Response::new(body);
    for (name, value) in [
        (header::CONTENT_TYPE, CONTENT_TYPE),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}
