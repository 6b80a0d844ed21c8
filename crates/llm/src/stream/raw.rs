//! JSON that is in a body without an event: all of an answer, its lines, or an error amid events.

use super::lines::TooLong;
use crate::MAX_TEXT_BYTES;

/// A value has at most so many bytes: the longest text of a reply, with the escapes of any language.
const MAX_BYTES: usize = 2 * MAX_TEXT_BYTES;

/// What events begin with. No line of JSON does.
pub(super) const EVENT: &[u8] = b"data:";

/// The value that is being received.
#[derive(Debug, Default)]
pub(super) struct Raw {
    json: Vec<u8>,
    depth: usize,
    in_text: bool,
    escaped: bool,
    /// Where the last line begins.
    line: usize,
}

/// What became of the value.
#[derive(Debug, PartialEq)]
pub(super) enum Taken {
    /// More must come, and all bytes are taken.
    Part,
    /// It is complete.
    Value,
    /// It is none: an event begins, of which [`EVENT`] is taken.
    Event,
}

impl Raw {
    /// Takes what belongs to the value off the front of `bytes`.
    pub(super) fn take(&mut self, bytes: &mut &[u8]) -> Result<Taken, TooLong> {
        while let Some((byte, rest)) = bytes.split_first() {
            *bytes = rest;
            if self.json.len() == MAX_BYTES {
                return Err(TooLong);
            }
            self.json.push(*byte);
            match byte {
                b'\n' | b'\r' => self.line = self.json.len(),
                b':' if self.line > 0 && &self.json[self.line..] == EVENT => {
                    self.json.truncate(self.line);
                    return Ok(Taken::Event);
                }
                _ => {}
            }
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' => self.escaped = self.in_text,
                b'"' => self.in_text = !self.in_text,
                b'[' | b'{' if !self.in_text => self.depth += 1,
                b']' | b'}' if !self.in_text => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return Ok(Taken::Value);
                    }
                }
                _ => {}
            }
        }
        Ok(Taken::Part)
    }

    /// What has come of it.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.json).into_owned()
    }
}
