//! Server-sent events (WHATWG HTML, section 9.2): v2's events for clients without a socket.

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use futures::Stream;
use serde_json::Value;

/// The media type.
pub const CONTENT_TYPE: &str = "text/event-stream";

/// An event of v2 on the wire: its action as the event's name, its seq, where it has one, as the id.
pub fn event(json: &str) -> Bytes {
    let parsed: Value = serde_json::from_str(json).unwrap_or_default();
    let action = parsed["action"].as_str().unwrap_or("message");
    let seq = parsed["seq"].as_i64();
    let seq = seq.or_else(|| parsed["generation"]["seq"].as_i64());
    let id = seq.map_or(String::new(), |seq| format!("id: {seq}\n"));
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
