//! The failure of a call, as a message that a user can act on. It never contains the key.

mod endpoint;
mod objection;
pub(crate) mod scrub;

use std::time::{Duration, SystemTime};

use http::{HeaderMap, header};

pub(crate) use endpoint::EndpointError;
pub use objection::{Objection, Size};

use crate::coding;
use crate::json::is_empty;

/// The text of an endpoint's error is quoted up to this length.
const MAX_QUOTE_CHARS: usize = 300;

const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Why there is no (whole) reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Its kind.
    pub kind: FailureKind,
    /// The cause and a remedy, for the user. Bounded, and without the key.
    pub message: String,
    /// What of the request the endpoint objects to, if another request may be taken.
    pub objection: Option<Objection>,
}

/// The kind of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailureKind {
    /// The key can't be sent or was refused (401, 403).
    Key,
    /// No such address or no such model (404, 405, 410).
    NotFound,
    /// Too many requests, or no credit left (402, 429).
    RateLimited {
        /// How long to wait, if the endpoint named it.
        retry_after: Option<Duration>,
    },
    /// The request was refused (any other 4xx).
    Refused {
        /// The answer's status.
        status: u16,
    },
    /// The endpoint failed (5xx).
    Server,
    /// The answer is a redirect, which is not followed.
    Redirect,
    /// The answer is none of an OpenAI-compatible endpoint: HTML, or nothing that can be read.
    NotAModel,
    /// No connection, or not to there.
    Unreachable,
    /// No answer in time.
    Timeout,
    /// The reply began and then nothing came.
    Silent,
    /// The reply broke off.
    Broken,
    /// The reply has a line that is too long to be one.
    TooLong,
    /// The reply contains an error of the endpoint.
    InReply,
    /// The reply ended as a reply does, but has no text, or not all of it.
    NoAnswer,
    /// The answer is compressed in a way that can't be read.
    Coding,
}

impl Failure {
    /// A failure of this kind, in these words.
    pub fn new(kind: FailureKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            objection: None,
        }
    }

    /// The answer's status is not 2xx. `body` may be only the beginning.
    pub fn of_answer(status: u16, headers: &HeaderMap, body: &[u8], key: &str) -> Self {
        let body = coding::beginning(headers, body);
        Self::of_status(status, headers, &text_of(&body), key)
    }

    /// The same, with the endpoint's words.
    fn of_status(status: u16, headers: &HeaderMap, error: &EndpointError, key: &str) -> Self {
        let retry_after = retry_after(headers, SystemTime::now());
        let later = when_to_try_again(retry_after);
        let (kind, what) = match status {
            300..=399 => {
                let to = headers.get(header::LOCATION);
                let to = to.map(|to| clean(&String::from_utf8_lossy(to.as_bytes()), key));
                let to = to.map_or_else(String::new, |to| format!(" It points to {to}"));
                let message = format!(
                    "The model's endpoint redirects to another address ({status}), which is not followed. \
                     Enter the right address as the model's base URL.{to}"
                );
                return Self::new(FailureKind::Redirect, message);
            }
            401 => (
                FailureKind::Key,
                "refused the API key (401). Enter the right key in the model's settings."
                    .to_owned(),
            ),
            402 => (
                FailureKind::RateLimited { retry_after },
                "asks for payment (402). Check the account's credit.".to_owned(),
            ),
            403 => (
                FailureKind::Key,
                "does not allow this (403). Check that the API key may use this model.".to_owned(),
            ),
            404 | 405 | 410 => (
                FailureKind::NotFound,
                format!(
                    "knows no such address or model ({status}). Check the model's name and base URL, which often \
                     ends in /v1."
                ),
            ),
            429 => (
                FailureKind::RateLimited { retry_after },
                format!("had too many requests, or the account has no credit left (429). {later}"),
            ),
            400..=499 => (
                FailureKind::Refused { status },
                format!("refused the request ({status})."),
            ),
            _ => (FailureKind::Server, format!("failed ({status}). {later}")),
        };
        let quote = quote(&error.text, key);
        Self {
            objection: Objection::of(Some(status), error),
            ..Self::new(kind, format!("The model's endpoint {what}{quote}"))
        }
    }

    /// The answer is a web page.
    pub fn web_page() -> Self {
        Self::new(
            FailureKind::NotAModel,
            "The address answered with a web page, not as a model. Check the model's base URL: it often ends in /v1.",
        )
    }

    /// The answer is no reply; `words`: its text.
    pub(crate) fn unreadable(words: &str, key: &str) -> Self {
        let quote = quote(words, key);
        let message = format!("The address did not answer as a model does.{quote}");
        Self::new(FailureKind::NotAModel, message)
    }

    /// The reply broke off.
    pub fn broken() -> Self {
        Self::new(
            FailureKind::Broken,
            "The connection to the model broke off before its reply was whole. Try again.",
        )
    }

    /// The reply ends without a sign that it is whole; `words`: what else is in it.
    pub(crate) fn cut_short(words: &str, key: &str) -> Self {
        let broken = Self::broken();
        let quote = quote(words, key);
        Self::new(broken.kind, format!("{}{quote}", broken.message))
    }

    /// The reply has a line without an end.
    pub(crate) fn too_long() -> Self {
        Self::new(
            FailureKind::TooLong,
            "The model's endpoint sent a line that is too long to be part of a reply.",
        )
    }

    /// The reply has something in it that is none.
    pub(crate) fn garbled(words: &str, key: &str) -> Self {
        let quote = quote(words, key);
        let message = format!(
            "The model's endpoint sent something in its reply that can't be read. Try again.{quote}"
        );
        Self::new(FailureKind::Broken, message)
    }

    /// The answer is compressed, and can't be read.
    pub(crate) fn coding(coding: &str, key: &str) -> Self {
        let coding = clean(coding, key);
        Self::new(
            FailureKind::Coding,
            format!(
                "The model's endpoint sent its answer compressed as {coding}, which can't be read here. \
                 It should send it as the request asks for it, uncompressed."
            ),
        )
    }

    /// The compressed answer is damaged.
    pub(crate) fn damaged() -> Self {
        Self::new(
            FailureKind::Broken,
            "The model's endpoint sent a compressed answer that is damaged. Try again.",
        )
    }

    /// The model has ended without an answer, or without the whole of one.
    pub(crate) fn no_answer(what: impl Into<String>) -> Self {
        Self::new(FailureKind::NoAnswer, what)
    }

    /// The reply contains an error.
    pub(crate) fn in_reply(error: &EndpointError, key: &str) -> Self {
        if let Some(status) = error.status {
            return Self::of_status(status, &HeaderMap::new(), error, key);
        }
        let quote = quote(&error.text, key);
        let message = format!("The model's endpoint ended its reply with an error.{quote}");
        Self {
            objection: Objection::of(None, error),
            ..Self::new(FailureKind::InReply, message)
        }
    }

    /// Nothing came for so long.
    pub fn silent(waited: Duration) -> Self {
        Self::new(
            FailureKind::Silent,
            format!(
                "The model sent nothing for {} and its reply was given up. Try again.",
                in_words(waited)
            ),
        )
    }

    /// No answer for so long.
    pub fn timeout(waited: Duration) -> Self {
        Self::new(
            FailureKind::Timeout,
            format!(
                "The model's endpoint did not answer within {}. Try again, or check that it is running.",
                in_words(waited)
            ),
        )
    }
}

/// A quote of the endpoint's text, in a form that users may see; empty without a text.
fn quote(words: &str, key: &str) -> String {
    let words = clean(words, key);
    if words.is_empty() {
        return String::new();
    }
    format!(" It said: \u{201c}{words}\u{201d}")
}

/// One line of bounded length, without the key.
pub(crate) fn clean(text: &str, key: &str) -> String {
    // Without what could hide the key from the search: control characters and runs of spaces.
    let text = text
        .split(|c: char| c.is_control() || c.is_whitespace())
        .filter(|word| !word.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let text = scrub::scrub(&text, key);
    match text.char_indices().nth(MAX_QUOTE_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

/// The text of an error's body: the message in its JSON, or all of it, unless it is a web page.
fn text_of(body: &[u8]) -> EndpointError {
    let text = String::from_utf8_lossy(body);
    let text = text.trim_start_matches('\u{feff}');
    if let Some(mut error) = EndpointError::parse(text) {
        if error.text.is_empty() && !is_empty(text.trim()) {
            // A shape that is not known: better than nothing.
            error.text = EndpointError::of(text.trim()).text;
        }
        return error;
    }
    // Where a stream was asked for, some endpoints refuse with an event.
    let data = text
        .lines()
        .filter_map(|line| line.strip_prefix("data:"))
        .find_map(EndpointError::parse);
    if let Some(error) = data {
        return error;
    }
    if text.trim_start().starts_with('<') {
        return EndpointError::of(message_in_xml(text).unwrap_or_default());
    }
    EndpointError::of(text)
}

/// The message of an error that is XML, as object stores answer. Web pages have none.
fn message_in_xml(text: &str) -> Option<&str> {
    let (_, rest) = text
        .split_once("<Message>")
        .or_else(|| text.split_once("<message>"))?;
    rest.split('<').next()
}

/// `Retry-After`: seconds, or a date; at most a day.
fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let value = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds).min(MAX_RETRY_AFTER));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let after = date.duration_since(now).ok()?;
    Some(after.min(MAX_RETRY_AFTER))
}

fn when_to_try_again(after: Option<Duration>) -> String {
    match after {
        Some(after) if !after.is_zero() => format!("Try again in {}.", in_words(after)),
        _ => "Try again later.".to_owned(),
    }
}

fn in_words(duration: Duration) -> String {
    let seconds = duration.as_secs() + u64::from(duration.subsec_nanos() > 0);
    let (count, unit) = match seconds {
        0..120 => (seconds, "second"),
        120..7200 => (seconds.div_ceil(60), "minute"),
        _ => (seconds.div_ceil(3600), "hour"),
    };
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {unit}{plural}")
}

#[cfg(test)]
mod tests;
