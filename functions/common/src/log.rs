//! The log of a component: one JSON object a line on standard error, with level, target, the id of the request and what
//! else an event names (`chat`, `generation`, `model`). Our own host passes it on to its log; Spin prints it as it is.
//!
//! Events are written with the macros of [`tracing`]. Nothing secret goes into them. Each is one write, and so is a panic,
//! which the standard library would write in pieces: under Spin all instances share one output.

use std::sync::Once;
use std::{io, panic};

use tracing::Span;

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
