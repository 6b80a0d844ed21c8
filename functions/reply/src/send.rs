//! The one place that calls out: the request to a model.

use std::collections::VecDeque;
use std::pin::pin;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use futures::future::{Either, select};
use http::{Method, header};
use http_body_util::BodyExt;
use spin_sdk::http::{FullBody, Response};
use spin_sdk::time::sleep;
use spin_sdk::wasip3::http::types::{ErrorCode, RequestOptions};
use spin_sdk::wasip3::http_compat::{IncomingResponseBody, Request, RequestOptionsExtension};

use kafka_common::task::spawning;
use kafka_llm::{Call, Event, Failure, FailureKind, Stream};

/// So much of an error's body is read.
const MAX_ERROR_BODY_BYTES: usize = 64 * 1024;

/// An error's body is waited for so long, and so is what may follow after the model said that it ended.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Duration,
    /// From then to the head of the answer. A model that must be loaded first takes its time.
    pub first_byte: Duration,
    /// From one piece of the answer to the next. A model that thinks first takes its time.
    pub between_bytes: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_byte: Duration::from_secs(120),
            between_bytes: Duration::from_secs(120),
        }
    }
}

/// Asks a model. Where the endpoint refuses `stream_options` (400), it is asked once more without.
///
/// May be dropped while it waits: that closes the connection.
///
/// # Errors
/// When there is no reply at all: why, for the person who waits.
pub async fn send(call: Call<'_>, timeouts: Timeouts) -> Result<Reply, Failure> {
    match attempt(&call, true, timeouts).await {
        // Some servers say 422 to what they don't know.
        Err(Failure {
            kind: FailureKind::Refused { status: 400 | 422 },
            ..
        }) => attempt(&call, false, timeouts).await,
        other => other,
    }
}

async fn attempt(call: &Call<'_>, with_usage: bool, timeouts: Timeouts) -> Result<Reply, Failure> {
    let body = call.body(with_usage);
    let length = body.len();
    let mut request = Request::new(FullBody::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = call.base_url.chat_completions().clone();
    *request.headers_mut() = call.headers()?;
    // Not every server reads a body in chunks.
    request
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length.into());
    let options = RequestOptions::new();
    // A platform that has no such timeouts says so; ours below hold everywhere but for the connection's.
    _ = options.set_connect_timeout(Some(nanoseconds(timeouts.connect)));
    _ = options.set_first_byte_timeout(Some(nanoseconds(timeouts.first_byte)));
    _ = options.set_between_bytes_timeout(Some(nanoseconds(timeouts.between_bytes)));
    request
        .extensions_mut()
        .insert(RequestOptionsExtension(options));

    let head = within(
        timeouts.connect + timeouts.first_byte,
        spawning(spin_sdk::http::send(request)),
    );
    let response = head
        .await
        .ok_or_else(|| Failure::timeout(timeouts.first_byte))?
        .map_err(|error| not_answered(&error, timeouts))?;
    let (status, is_page) = (response.status(), is_web_page(&response));
    if !status.is_success() {
        let (head, mut body) = response.into_parts();
        let body = beginning(&mut body).await;
        return Err(Failure::of_answer(
            status.as_u16(),
            &head.headers,
            &body,
            call.key,
        ));
    }
    if is_page {
        return Err(Failure::web_page());
    }
    Ok(Reply {
        body: Some(response.into_body()),
        stream: Stream::new(call.key),
        events: VecDeque::new(),
        last_byte: Instant::now(),
        patience: timeouts.between_bytes,
    })
}

/// A reply that is being received. Dropping it closes the connection to the model.
pub struct Reply {
    /// `None`: all has been read that is of interest.
    body: Option<IncomingResponseBody>,
    stream: Stream,
    events: VecDeque<Event>,
    last_byte: Instant,
    patience: Duration,
}

impl Reply {
    /// The next event; `None` after [`Event::Done`] or [`Event::Error`]. May be dropped while it waits, as in a
    /// `select!` with a timer: nothing is lost, and the time it waited counts.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                if matches!(event, Event::Done | Event::Error(_)) {
                    self.body = None;
                }
                return Some(event);
            }
            let patience = if self.stream.finished() {
                self.patience.min(PATIENCE)
            } else {
                self.patience
            };
            let left = patience.saturating_sub(self.last_byte.elapsed());
            let events = match within(left, self.body.as_mut()?.frame()).await {
                Some(Some(Ok(frame))) => {
                    self.last_byte = Instant::now();
                    let data = frame.into_data().unwrap_or_default();
                    self.stream.feed(&data)
                }
                Some(None) => self.end(Stream::end),
                Some(Some(Err(error))) => {
                    let failure = broken_off(&error, patience);
                    self.end(|stream| stream.give_up(failure))
                }
                None => self.end(|stream| stream.give_up(Failure::silent(patience))),
            };
            self.events.extend(events);
        }
    }

    fn end(&mut self, how: impl FnOnce(&mut Stream) -> Vec<Event>) -> Vec<Event> {
        self.body = None;
        how(&mut self.stream)
    }
}

/// `None`: it took longer.
async fn within<T>(time: Duration, task: impl Future<Output = T>) -> Option<T> {
    match select(pin!(task), pin!(sleep(time))).await {
        Either::Left((done, _)) => Some(done),
        Either::Right(_) => None,
    }
}

/// What an error's body begins with, as far as it comes.
async fn beginning(body: &mut IncomingResponseBody) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = async {
        while let Some(Ok(frame)) = body.frame().await {
            let data = frame.into_data().unwrap_or_default();
            let room = MAX_ERROR_BODY_BYTES - bytes.len();
            bytes.extend_from_slice(&data[..data.len().min(room)]);
            if data.len() >= room {
                break;
            }
        }
    };
    within(PATIENCE, read).await;
    bytes
}

fn is_web_page(response: &Response) -> bool {
    let media_type = response.headers().get(header::CONTENT_TYPE);
    media_type.is_some_and(|media_type| {
        let start = media_type.as_bytes().get(..9);
        start.is_some_and(|start| start.eq_ignore_ascii_case(b"text/html"))
    })
}

fn nanoseconds(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

fn unreachable(why: &str) -> Failure {
    Failure::new(
        FailureKind::Unreachable,
        format!(
            "The model's endpoint can't be reached: {why}. Check its base URL, and that it is running."
        ),
    )
}

/// No answer came. The platform's own words are not shown: they could name what is inside this network.
fn not_answered(error: &ErrorCode, timeouts: Timeouts) -> Failure {
    match error {
        ErrorCode::DnsTimeout | ErrorCode::DnsError(_) | ErrorCode::DestinationNotFound => {
            unreachable("its name is not known")
        }
        ErrorCode::ConnectionRefused => unreachable("it refuses the connection"),
        ErrorCode::ConnectionTimeout => Failure::timeout(timeouts.connect),
        ErrorCode::ConnectionReadTimeout
        | ErrorCode::ConnectionWriteTimeout
        | ErrorCode::HttpResponseTimeout => Failure::timeout(timeouts.first_byte),
        ErrorCode::TlsProtocolError
        | ErrorCode::TlsCertificateError
        | ErrorCode::TlsAlertReceived(_) => unreachable("the secure connection (TLS) failed"),
        ErrorCode::HttpRequestDenied | ErrorCode::DestinationIpProhibited => Failure::new(
            FailureKind::Unreachable,
            "This server may not call the model's address. Its operator can allow that.",
        ),
        ErrorCode::ConnectionTerminated
        | ErrorCode::HttpResponseIncomplete
        | ErrorCode::HttpProtocolError => {
            unreachable("it closed the connection or does not speak HTTP")
        }
        _ => unreachable("the connection failed"),
    }
}

fn broken_off(error: &ErrorCode, patience: Duration) -> Failure {
    match error {
        ErrorCode::ConnectionReadTimeout | ErrorCode::HttpResponseTimeout => {
            Failure::silent(patience)
        }
        _ => Failure::broken(),
    }
}
