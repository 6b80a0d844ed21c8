//! Frames are bounded: a gateway drops a socket whose message is too large (docs/websocket.md#what-is-left-out).

use kafka_common::announce::text;
use kafka_common::files::MAX_SHOWN_BYTES;
use serde::Serialize;

/// How much a frame may take. What is left of the largest has room for what is added to an answer at last.
const FRAME: usize = 480_000;

/// How much of a frame the conversation may take, and the running reply with it.
pub const CONVERSATION: usize = 280_000;

/// How much of a frame what is in files may take: texts, versions and differences.
pub const CONTENTS: usize = 150_000;

/// The longest text of a file in a frame.
pub const INLINE: usize = MAX_SHOWN_BYTES;

/// What is left of a frame.
#[derive(Debug)]
pub struct Budget(usize);

impl Budget {
    pub fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// What a frame has room for that says all this already.
    pub fn after(frame: &impl Serialize) -> Self {
        Self(FRAME.saturating_sub(size(frame)))
    }

    /// As much of it as that.
    pub fn at_most(self, bytes: usize) -> Self {
        Self(self.0.min(bytes))
    }

    /// Whether nothing more should be worked out for this frame.
    pub fn is_spent(&self) -> bool {
        self.0 < 100
    }

    /// Takes the size of `value`, if there is room for it.
    pub fn take(&mut self, value: &(impl Serialize + ?Sized)) -> bool {
        match self.0.checked_sub(size(value)) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}

/// With the comma that follows. Measured, since escapes make a text up to six times as long.
fn size(value: &(impl Serialize + ?Sized)) -> usize {
    text(value).len() + 1
}
