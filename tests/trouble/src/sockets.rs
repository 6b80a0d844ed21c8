//! The backend's side of a socket, as short as it can be: texts come back, and all sockets are on one channel.

use http_body_util::BodyExt;
use spin_sdk::http::{BoxBody, FullBody, Request, Response, StatusCode, box_body};
use spin_sdk::variables;

use crate::{answer, failed, header_list, parameter, text};

const EVENTS: &str = "application/websocket-events";

/// Answers events: `headers` with those of the request, another text with itself.
pub async fn events(request: Request) -> Response<BoxBody> {
    let is_events = request
        .headers()
        .get("content-type")
        .is_some_and(|value| value == EVENTS);
    if !is_events {
        return answer(StatusCode::BAD_REQUEST, "no events");
    }
    let headers = header_list(&request).to_string();
    let body = match request.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return failed(error),
    };
    let events = String::from_utf8_lossy(&body);
    let mut reply = String::new();
    if events.starts_with("OPEN\r\n") {
        reply.push_str("OPEN\r\n");
        push(&mut reply, r#"c:{"type":"subscribe","channel":"trouble"}"#);
        push(&mut reply, "m:welcome");
    }
    if events.ends_with("CLOSE\r\n") {
        reply.push_str("CLOSE\r\n");
    }
    // The tests send texts in one line, and no two at once.
    match events
        .split("\r\n")
        .skip_while(|line| !line.starts_with("TEXT "))
        .nth(1)
    {
        Some("headers") => push(&mut reply, &format!("m:{headers}")),
        Some("panic") => panic!("a panic on purpose"),
        Some(content) => push(&mut reply, &format!("m:{content}")),
        None => {}
    }
    let mut response = Response::new(box_body(reply));
    for (name, value) in [
        ("content-type", EVENTS),
        ("sec-websocket-extensions", "grip"),
    ] {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn push(reply: &mut String, content: &str) {
    reply.push_str(&format!("TEXT {:x}\r\n{content}\r\n", content.len()));
}

/// Publishes `text` to all sockets, with the token of the query; answers the gateway's answer.
pub async fn publish(query: &str) -> Response<BoxBody> {
    let origin = match variables::get("grip_origin").await {
        Ok(origin) => origin,
        Err(error) => return failed(error),
    };
    let content = parameter(query, "text").unwrap_or_default();
    let token = parameter(query, "token").unwrap_or_default();
    let body = serde_json::json!({
        "items": [{ "channel": "trouble", "formats": { "ws-message": { "content": content } } }]
    });
    let request = http::Request::post(format!("{origin}/publish/"))
        .header("authorization", format!("Bearer {token}"))
        .body(FullBody::new(bytes::Bytes::from(body.to_string())));
    match request.map(spin_sdk::http::send) {
        Ok(sending) => match sending.await {
            Ok(response) => text(format!("status {}", response.status().as_u16())),
            Err(error) => failed(error),
        },
        Err(error) => failed(error),
    }
}
