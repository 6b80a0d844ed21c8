//! The one place that calls out: the request to a model.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use http::{Method, header};
use http_body_util::BodyExt;
use spin_sdk::http::FullBody;
use spin_sdk::wasip3::http::types::{ErrorCode, RequestOptions};
use spin_sdk::wasip3::http_compat::{IncomingResponseBody, Request, RequestOptionsExtension};
use spin_sdk::wasip3::spawn;

use kafka_common::task::{spawning, within};
use kafka_llm::{Answer, Call, Event, Failure, FailureKind, Learnt};

/// So much of an error's body is read.
const MAX_ERROR_BODY_BYTES: usize = 64 * 1024;

/// An error's body is waited for so long, and so is what may follow after the model gave a reason to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// The end of an answer is waited for so long after the end of the reply in it.
const REST: Duration = Duration::from_secs(1);

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Duration,
    /// From the question to the first piece of the reply. A model that must be loaded first takes its time.
    pub first_piece: Duration,
    /// From one piece of the reply to the next.
    pub between_bytes: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_piece: Duration::from_secs(600),
            between_bytes: Duration::from_secs(120),
        }
    }
}

/// Asks a model once, in this way.
///
/// May be dropped while it waits: that closes the connection.
///
/// # Errors
/// When there is no reply at all: why, for the person who waits.
pub async fn send(call: Call<'_>, way: &Learnt, timeouts: Timeouts) -> Result<Reply, Failure> {
    let body = call.body(way);
    let length = body.len();
    let mut request = Request::new(FullBody::new(Bytes::from(body)));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = call.uri()?;
    *request.headers_mut() = call.headers()?;
    // Not every server reads a body in chunks.
    request
        .headers_mut()
        .insert(header::CONTENT_LENGTH, length.into());
    let options = RequestOptions::new();
    // A platform that has no such timeouts says so; ours below hold everywhere but for the connection's.
    _ = options.set_connect_timeout(Some(nanoseconds(timeouts.connect)));
    _ = options.set_first_byte_timeout(Some(nanoseconds(timeouts.first_piece)));
    let between = timeouts.between_bytes.max(timeouts.first_piece);
    _ = options.set_between_bytes_timeout(Some(nanoseconds(between)));
    request
        .extensions_mut()
        .insert(RequestOptionsExtension(options));

    let asked = Instant::now();
    let head = within(
        timeouts.connect + timeouts.first_piece,
        spawning(spin_sdk::http::send(request)),
    );
    let response = head
        .await
        .ok_or_else(|| Failure::timeout(timeouts.first_piece))?
        .map_err(|error| not_answered(&error, timeouts))?;
    let (head, mut body) = response.into_parts();
    if !head.status.is_success() {
        let status = head.status.as_u16();
        let body = beginning(&mut body).await;
        return Err(Failure::of_answer(status, &head.headers, &body, call.key));
    }
    Ok(Reply {
        answer: Answer::new(&head.headers, call.key)?,
        body: Some(body),
        events: VecDeque::new(),
        asked,
        has_begun: false,
        last_byte: Instant::now(),
        timeouts,
    })
}

/// A reply that is being received. Dropping it before its end closes the connection to the model.
pub struct Reply {
    /// `None`: all has been read that is of interest.
    body: Option<IncomingResponseBody>,
    answer: Answer,
    events: VecDeque<Event>,
    asked: Instant,
    /// Whether a piece of the reply has come.
    has_begun: bool,
    last_byte: Instant,
    timeouts: Timeouts,
}

impl Reply {
    /// The next event; `None` after [`Event::Done`] or [`Event::Error`]. May be dropped while it waits, as in a
    /// `select!` with a timer: nothing is lost, and the time it waited counts.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.events.pop_front() {
                match event {
                    Event::Done => self.leave(),
                    Event::Error(_) => self.body = None,
                    Event::Delta(_) | Event::Reasoning(_) => self.has_begun = true,
                    Event::Finish(_) | Event::Usage(_) => {}
                }
                return Some(event);
            }
            let (patience, waited) = self.patience();
            let left = patience.saturating_sub(waited);
            let events = match within(left, self.body.as_mut()?.frame()).await {
                Some(Some(Ok(frame))) => {
                    self.last_byte = Instant::now();
                    let data = frame.into_data().unwrap_or_default();
                    self.answer.feed(&data)
                }
                Some(None) => self.end(Answer::end),
                Some(Some(Err(error))) => {
                    let failure = broken_off(&error, patience);
                    self.end(|answer| answer.give_up(failure))
                }
                None if self.has_begun || self.answer.rests() => {
                    self.end(|answer| answer.give_up(Failure::silent(patience)))
                }
                None => self.end(|answer| answer.give_up(Failure::timeout(patience))),
            };
            self.events.extend(events);
        }
    }

    /// How long to wait for what comes next, and how long that has taken so far.
    fn patience(&self) -> (Duration, Duration) {
        let Timeouts {
            first_piece,
            between_bytes,
            ..
        } = self.timeouts;
        match (self.answer.rests(), self.has_begun) {
            (true, _) => (between_bytes.min(PATIENCE), self.last_byte.elapsed()),
            (false, true) => (between_bytes, self.last_byte.elapsed()),
            // Signs of life of a gateway are no reply.
            (false, false) => (first_piece, self.asked.elapsed()),
        }
    }

    /// Reads what may follow the reply, beside what comes next: at its end the connection can be used again.
    fn leave(&mut self) {
        if let Some(mut body) = self.body.take() {
            spawn(async move {
                let rest = async { while let Some(Ok(_)) = body.frame().await {} };
                within(REST, rest).await;
            });
        }
    }

    fn end(&mut self, how: impl FnOnce(&mut Answer) -> Vec<Event>) -> Vec<Event> {
        self.body = None;
        how(&mut self.answer)
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
        | ErrorCode::HttpResponseTimeout => Failure::timeout(timeouts.first_piece),
        ErrorCode::TlsCertificateError => unreachable(
            "its certificate (TLS) is not of an authority that this server trusts, or not valid for the name",
        ),
        ErrorCode::TlsProtocolError | ErrorCode::TlsAlertReceived(_) => {
            unreachable("the secure connection (TLS) failed")
        }
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
