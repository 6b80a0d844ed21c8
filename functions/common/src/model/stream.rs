//! From the bytes of a reply to its events.

use super::Failure;

/// What a reply says. After `Done` or `Error` nothing follows.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// More text; never empty.
    Delta(String),
    /// The model says why it ended: `stop`, `length`, …. At most once; some endpoints never say.
    Finish(String),
    /// What it cost, as the endpoint says it: an object of numbers.
    Usage(serde_json::Value),
    /// The reply is whole.
    Done,
    /// The reply ends here and is not whole.
    Error(Failure),
}

/// Reads a reply piece by piece. However the bytes are cut, the text is the same.
#[derive(Debug)]
pub struct Stream {}

impl Stream {
    /// A reader for one reply. The key is needed to keep it out of messages.
    pub fn new(key: &str) -> Self {
        let _ = key;
        todo!()
    }

    /// More bytes came.
    pub fn feed(&mut self, bytes: &[u8]) -> Vec<Event> {
        let _ = bytes;
        todo!()
    }

    /// The body ended: what that means.
    pub fn end(&mut self) -> Vec<Event> {
        todo!()
    }
}
