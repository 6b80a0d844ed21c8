//! Why no more can be read from a client.

use super::budget::Full;

/// Why no more can be read from a client.
#[derive(Debug, PartialEq, Eq)]
pub enum Broken {
    /// A message is longer than it may be.
    TooLong,
    /// A text is not UTF-8.
    NoText,
    /// The bytes are no frame, or a frame that may not come now.
    NoFrame,
    /// The budget has no room for the rest of a message.
    Full,
}

impl From<Full> for Broken {
    fn from(Full: Full) -> Self {
        Self::Full
    }
}
