//! The log of a component: one JSON object a line on standard error, with level, target, the id of the request and what
//! else an event names (`chat`, `generation`, `model`). Our own host passes it on to its log; Spin prints it as it is.
//!
//! Events are written with the macros of [`tracing`]. Nothing secret goes into them. Each is one write, and so is a panic,
//! which the standard library would write in pieces: under Spin all instances share one output.

use std::sync::Once;
use std::time::Duration;
use std::{io, panic};

use tracing::Span;

use crate::api::words::Status;

/// Begins to log; all but the first call of an instance do nothing.
pub fn start() {
    static STARTED: Once = Once::new();
    STARTED.call_once(|| {
        let log = tracing_subscriber::fmt()
            .json()
            .flatten_event(true)
            .with_span_list(false)
            .without_time()
            .with_writer(io::stderr);
        // Fails only where there is a log already.
        let _ = log.try_init();
        panic::set_hook(Box::new(|panic| tracing::error!("{panic}")));
    });
}

/// What is logged within this span is of the request with this id.
pub(crate) fn request(id: &str) -> Span {
    tracing::error_span!("request", request_id = id)
}

/// What is logged within this span is of a reply.
pub fn generation(chat: &str, reply: &str) -> Span {
    tracing::error_span!("reply", chat, generation = reply)
}

/// The target of events that are for numbers: our own host counts them for Prometheus (docs/operations.md#metrics).
const MEASURED: &str = "kafka::measured";

/// How a reply went, for its writer.
#[derive(Debug, Clone, Copy)]
pub struct Written {
    /// From its begin to its end.
    pub took: Duration,
    /// From its begin to the first piece of text or reasoning, if there was one.
    pub first_piece: Option<Duration>,
    /// The length of its text.
    pub characters: usize,
}

/// A reply has ended. Of one that another request than its writer has ended, only the status is known.
pub fn reply_ended(status: Status, written: Option<Written>) {
    let seconds = written.map(|written| written.took.as_secs_f64());
    let first_seconds = written.and_then(|written| Some(written.first_piece?.as_secs_f64()));
    let characters = written.map(|written| written.characters);
    let status = status.as_str();
    tracing::info!(target: MEASURED, status, seconds, first_seconds, characters, "reply ended");
}

/// What came of reading a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extracted {
    /// Its text.
    Text,
    /// There is no text in it.
    NoText,
    /// Component `extract` gave no answer.
    GaveUp,
}

/// The text of a file was read, or it has none.
pub fn text_read(extracted: Extracted, took: Duration) {
    let result = match extracted {
        Extracted::Text => "text",
        Extracted::NoText => "no text",
        Extracted::GaveUp => "gave up",
    };
    let seconds = took.as_secs_f64();
    tracing::info!(target: MEASURED, result, seconds, "text read");
}
