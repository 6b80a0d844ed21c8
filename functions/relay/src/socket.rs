//! `/ws/{chat_id}` and `/ws/user/{user_id}`: the events of one socket, as a gateway hands them over (WebSocket-over-HTTP).
//!
//! Every request is complete in itself: which protocol the socket speaks, it says with each. The answer goes out at
//! once; replies are written after it.

use std::borrow::Cow;
use std::pin::pin;
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use futures::future::{Either, select};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body::Body as _;
use kafka_common::access::{Caller, Visitor};
use kafka_common::announce::{POLICY, fitted, text};
use kafka_common::error::{AT_ONCE_RETRY_AFTER, Error, Result, json_response};
use kafka_common::grip::{self, Grip, Verdict};
use kafka_common::links::{Called, Links};
use kafka_grip::{Answer, CONTENT_TYPE, EXTENSIONS, Event, KEEP_ALIVE_INTERVAL};
use serde_json::json;

use crate::door::{self, Admitted};
use crate::refused::Refused;
use crate::shown::Protocol;
use crate::turn::Turn;
use crate::{feed, initial, snapshot, v1, v2};

/// The sub-protocol of v2.
const V2: &str = "kafka.v2";

/// The longest body: what our own gateway lets a client send at once, in one frame, and a little around it.
const MAX_BYTES: usize = 16 * 1024 * 1024 + 64 * 1024;

/// A longer body is taken in alone ([`Turn`]).
const LARGE: u64 = 256 * 1024;

/// After how many seconds of quiet a gateway asks again, where there is a session to look at.
const LOOK_AGAIN: HeaderValue = HeaderValue::from_static("60");

/// An answer that is longer gets nothing long added: with one more frame it has at most 524,288 bytes, as many as
/// Pushpin delivers of one answer (docs/operations.md#pushpin).
const ENOUGH: usize = 32 * 1024;

/// How long a body may take: gateways send it at once.
const BODY_LIMIT: Duration = Duration::from_secs(30);

impl Protocol {
    /// v2 is asked for by its name, with the opening request and all others.
    fn of(headers: &HeaderMap) -> Self {
        let asked = headers
            .get_all(header::SEC_WEBSOCKET_PROTOCOL)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .any(|name| name.trim() == V2);
        if asked { Self::V2 } else { Self::V1 }
    }

    /// What a client is sent that was refused something.
    fn refusal(self, refused: &Refused) -> String {
        match self {
            Self::V1 => text(&refused.v1()),
            Self::V2 => text(&refused.v2(None)),
        }
    }
}

/// What a socket is about.
enum Subject {
    /// A chat, by its id.
    Chat(String),
    /// All that is a user's.
    Feed(String),
}

/// Answers a gateway about a socket of a chat.
pub async fn events(
    visitor: Visitor,
    Path(chat): Path<String>,
    request: Request,
) -> Result<Response> {
    respond(visitor, Subject::Chat(chat), request).await
}

/// Answers a gateway about a socket of a user's feed.
pub async fn feed_events(
    visitor: Visitor,
    Path(user): Path<String>,
    request: Request,
) -> Result<Response> {
    respond(visitor, Subject::Feed(user), request).await
}

async fn respond(visitor: Visitor, subject: Subject, request: Request) -> Result<Response> {
    let Some(grip) = Grip::get().await? else {
        return Err(no_gateway());
    };
    if !is_events(request.headers()) {
        return Ok(needs_gateway());
    }
    if let Verdict::Refused = grip.verify(request.headers()) {
        let body = json!({ "detail": "This request was not signed by the gateway." });
        return Ok(json_response(StatusCode::UNAUTHORIZED, &body));
    }
    let (parts, body) = request.into_parts();
    let is_small = body
        .size_hint()
        .upper()
        .is_some_and(|length| length <= LARGE);
    let _turn = match is_small {
        true => None,
        false => match Turn::wait().await {
            Some(turn) => Some(turn),
            None => return Ok(busy()),
        },
    };
    let body = pin!(to_bytes(body, MAX_BYTES));
    let limit = pin!(spin_sdk::time::sleep(BODY_LIMIT));
    let body: Bytes = match select(body, limit).await {
        Either::Left((body, _)) => body.map_err(|_| Error::TooLarge)?,
        Either::Right(_) => return Err(Error::bad_request("The body took too long.")),
    };
    let events = Event::read_all(body)
        .map_err(|_| Error::bad_request("The body is not a list of WebSocket events."))?;
    let protocol = Protocol::of(&parts.headers);
    let opening = events.contains(&Event::Open);
    let called = visitor.called().clone();
    match door::admit(visitor, &parts, opening).await {
        Ok(admitted) => {
            let connection = Connection {
                subject,
                called,
                admitted,
                protocol,
            };
            connection.answer(events, opening).await
        }
        Err(Error::Unauthorized(why)) if !opening => Ok(closed(&events, protocol, why)),
        Err(Error::Unauthorized(why)) if protocol == Protocol::V2 => {
            let mut answer = Answer::default();
            turn_away(&mut answer, &Refused::unauthorized(why));
            Ok(opened(answer, protocol))
        }
        Err(error) => Err(error),
    }
}

/// What a socket is told whose session has ended.
fn closed(events: &[Event], protocol: Protocol, why: Cow<'static, str>) -> Response {
    let mut answer = Answer::default();
    let left = events
        .iter()
        .find(|event| matches!(event, Event::Close(_) | Event::Disconnect));
    match left {
        Some(Event::Close(frame)) => answer.close(frame.as_ref().map(|(code, _)| *code)),
        Some(_) => answer.add(&Event::Disconnect),
        None => {
            let refused = Refused::unauthorized(why);
            answer.message(&protocol.refusal(&refused));
            answer.close(Some(POLICY));
        }
    }
    events_response(answer)
}

/// Opens a socket of v2 to send why it may not be, and closes it: a browser's page can't read why a handshake fails.
fn turn_away(answer: &mut Answer, refused: &Refused) {
    answer.add(&Event::Open);
    answer.message(&Protocol::V2.refusal(refused));
    answer.close(Some(POLICY));
}

/// The answer to a request that opens a socket.
fn opened(answer: Answer, protocol: Protocol) -> Response {
    let mut response = events_response(answer);
    let headers = response.headers_mut();
    headers.insert(EXTENSIONS, HeaderValue::from_static("grip"));
    if protocol == Protocol::V2 {
        let protocol = HeaderValue::from_static(V2);
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, protocol);
    }
    response
}

fn events_response(answer: Answer) -> Response {
    let mut response = Response::new(Body::from(answer.into_body()));
    let content_type = HeaderValue::from_static(CONTENT_TYPE);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

/// `GET` of the same: a client asks for a socket without a gateway between.
pub async fn get(_visitor: Visitor) -> Result<Response> {
    match Grip::get().await? {
        Some(_) => Ok(needs_gateway()),
        None => Err(no_gateway()),
    }
}

/// As gateways write it, to the letter: they keep clients from sending this type, but may take another spelling of it for
/// something else, and sign it.
fn is_events(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE);
    content_type.is_some_and(|content_type| content_type == CONTENT_TYPE)
}

fn no_gateway() -> Error {
    Error::unavailable(
        "No gateway for WebSockets is configured (variable grip_url). Replies can be read as server-sent events.",
    )
}

/// Nothing was read: the gateway may send the same again.
fn busy() -> Response {
    let body = json!({ "detail": "Too many large messages at once. Please try again." });
    let mut response = json_response(StatusCode::SERVICE_UNAVAILABLE, &body);
    let headers = response.headers_mut();
    headers.insert(header::RETRY_AFTER, AT_ONCE_RETRY_AFTER.into());
    response
}

fn needs_gateway() -> Response {
    let body = json!({
        "detail": "WebSockets are opened at the gateway, which passes their events on to this address.",
    });
    // Without the header `Upgrade` that belongs to it: the platform forbids it.
    json_response(StatusCode::UPGRADE_REQUIRED, &body)
}

/// A socket, for the time of one request.
struct Connection {
    subject: Subject,
    called: Called,
    admitted: Admitted,
    protocol: Protocol,
}

impl Connection {
    fn caller(&self) -> &Caller {
        &self.admitted.caller
    }

    async fn answer(&self, events: Vec<Event>, opening: bool) -> Result<Response> {
        let mut answer = Answer::default();
        for event in events {
            let going = match event {
                Event::Open => match self.open(&mut answer).await? {
                    Opened::Yes => true,
                    Opened::Closed => false,
                    Opened::Refused(response) => return Ok(response),
                },
                Event::Text(frame) => {
                    self.text(&frame, &mut answer).await;
                    true
                }
                Event::Binary(_) => {
                    self.tell_binary(&mut answer);
                    true
                }
                Event::Ping(content) => {
                    answer.add(&Event::Pong(content));
                    true
                }
                Event::Pong(_) => true,
                Event::Close(frame) => {
                    answer.close(frame.map(|(code, _)| code));
                    false
                }
                // A disconnect is never a stop.
                Event::Disconnect => {
                    answer.add(&Event::Disconnect);
                    false
                }
            };
            if !going {
                break;
            }
        }
        Ok(self.response(answer, opening))
    }

    fn response(&self, answer: Answer, opening: bool) -> Response {
        if !opening {
            return events_response(answer);
        }
        let mut response = opened(answer, self.protocol);
        let headers = response.headers_mut();
        self.admitted.remember(headers);
        if self.admitted.channel().is_some() {
            // Should it not hear that its session has ended, it is found out then.
            headers.insert(KEEP_ALIVE_INTERVAL, LOOK_AGAIN);
        }
        response
    }

    /// The socket opens: it is subscribed, and gets its first frame.
    async fn open(&self, answer: &mut Answer) -> Result<Opened> {
        match &self.subject {
            Subject::Chat(chat) => self.open_chat(chat, answer).await,
            Subject::Feed(user) => Ok(self.open_feed(user, answer).await),
        }
    }

    /// Which has no v1.
    async fn open_feed(&self, user: &str, answer: &mut Answer) -> Opened {
        match feed::initial(user, self.caller()).await {
            Ok(Some(initial)) => {
                self.subscribe(answer, &grip::channel_feed(user), &text(&initial));
                Opened::Yes
            }
            Ok(None) => {
                turn_away(answer, &Refused::user_not_found());
                Opened::Closed
            }
            Err(refused) => Opened::Refused(refused.into_response()),
        }
    }

    fn subscribe(&self, answer: &mut Answer, channel: &str, first: &str) {
        answer.add(&Event::Open);
        answer.subscribe(channel);
        if let Some(channel) = self.admitted.channel() {
            answer.subscribe(&channel);
        }
        answer.message(first);
    }

    /// With the chat as it is.
    async fn open_chat(&self, chat: &str, answer: &mut Answer) -> Result<Opened> {
        let snapshot = match snapshot::load(chat, self.caller().user_id(), None).await {
            Ok(snapshot) => snapshot,
            Err(refused) => return Ok(Opened::Refused(refused.into_response())),
        };
        let Some(snapshot) = snapshot else {
            let refused = Refused::chat_not_found();
            match self.protocol {
                Protocol::V1 => {
                    answer.add(&Event::Open);
                    answer.message(&self.protocol.refusal(&refused));
                    answer.close(Some(1000));
                }
                Protocol::V2 => turn_away(answer, &refused),
            }
            return Ok(Opened::Closed);
        };
        let links = Links::of(&self.called).await?;
        let (channel, frame) = match self.protocol {
            Protocol::V1 => (
                grip::channel_v1(chat),
                initial::v1(chat, snapshot, links).await.map(|it| text(&it)),
            ),
            Protocol::V2 => (
                grip::channel_v2(chat),
                initial::v2(chat, snapshot, links).await.map(|it| text(&it)),
            ),
        };
        match frame {
            Ok(frame) => {
                self.subscribe(answer, &channel, &frame);
                Ok(Opened::Yes)
            }
            Err(refused) => Ok(Opened::Refused(refused.into_response())),
        }
    }

    /// A text frame, whose answers go to its sender.
    async fn text(&self, frame: &[u8], answer: &mut Answer) {
        let Ok(frame) = std::str::from_utf8(frame) else {
            self.tell_binary(answer);
            return;
        };
        let has_room = answer.len() <= ENOUGH;
        let chat = match &self.subject {
            Subject::Chat(chat) => chat,
            Subject::Feed(user) => {
                let told = feed::frame(user, self.caller(), frame, has_room).await;
                return answer.message(&text(&told));
            }
        };
        match self.protocol {
            Protocol::V1 => {
                if let Some(text) =
                    v1::frame(chat, &self.called, self.caller(), frame, has_room).await
                {
                    answer.message(&text);
                }
            }
            Protocol::V2 => {
                if let Some(told) =
                    v2::frame(chat, &self.called, self.caller(), frame, has_room).await
                {
                    answer.message(&fitted(told));
                }
            }
        }
    }

    fn tell_binary(&self, answer: &mut Answer) {
        let refused = Refused::bad_request("Frames must be text.");
        let protocol = match self.subject {
            Subject::Chat(_) => self.protocol,
            Subject::Feed(_) => Protocol::V2,
        };
        answer.message(&protocol.refusal(&refused));
    }
}

enum Opened {
    Yes,
    /// Told why, and closed.
    Closed,
    Refused(Response),
}
