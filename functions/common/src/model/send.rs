//! The one place that calls out: the request to a model.

use std::time::Duration;

use super::{Call, Event, Failure};

/// How long to wait for what.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    /// For the connection.
    pub connect: Duration,
    /// From then to the head of the answer.
    pub first_byte: Duration,
    /// From one piece of the answer to the next.
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
/// # Errors
/// When there is no reply at all: what to tell the person who waits.
pub async fn send(call: Call<'_>, timeouts: Timeouts) -> Result<Reply, Failure> {
    let _ = (call, timeouts);
    todo!()
}

/// A reply that is being received. Dropping it closes the connection to the model.
pub struct Reply {}

impl Reply {
    /// The next event; `None` after [`Event::Done`] or [`Event::Error`]. May be dropped while it waits, as in a
    /// `select!` with a timer: nothing is lost.
    pub async fn next(&mut self) -> Option<Event> {
        todo!()
    }
}
