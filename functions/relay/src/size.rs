//! Frames are bounded: a gateway drops a socket whose message is too large (WebSocket contract).

use kafka_common::files::MAX_SHOWN_BYTES;
use serde_json::Value;

/// How much of a frame the conversation may take, and the running reply with it.
pub const CONVERSATION: usize = 280_000;

/// How much files may take. What is left has room for the names of models, and for ids.
const FILES: usize = 150_000;

/// The longest text of a file in a frame.
pub const INLINE: usize = MAX_SHOWN_BYTES;

/// What is left of a frame.
#[derive(Debug)]
pub struct Budget(usize);

impl Budget {
    pub fn new(bytes: usize) -> Self {
        Self(bytes)
    }

    /// What files may take of a frame.
    pub fn for_files() -> Self {
        Self(FILES)
    }

    /// Takes the size of `value`, which is shown in any case.
    pub fn spend(&mut self, value: &Value) {
        if !self.take(value) {
            self.0 = 0;
        }
    }

    /// Whether nothing more should be worked out for this frame.
    pub fn is_spent(&self) -> bool {
        self.0 < 100
    }

    /// Takes the size of `value`, if there is room for it.
    pub fn take(&mut self, value: &Value) -> bool {
        // Measured, since escapes make a text up to six times as long.
        let size = value.to_string().len() + 1;
        match self.0.checked_sub(size) {
            Some(left) => {
                self.0 = left;
                true
            }
            None => false,
        }
    }
}
