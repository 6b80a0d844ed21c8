//! Lines out of bytes, as server-sent events end them: CR LF, LF or CR.

use memchr::memchr2;

/// A line that is longer is no part of a reply, and neither is an event with more data: pieces are some words long.
pub(super) const MAX_BYTES: usize = 256 * 1024;

/// A line is too long.
#[derive(Debug)]
pub(super) struct TooLong;

/// The line that is being received.
#[derive(Debug, Default)]
pub(super) struct Lines {
    line: Vec<u8>,
    /// The last byte was a CR: a LF that follows belongs to it.
    after_cr: bool,
}

impl Lines {
    /// Whether the next of these bytes, if there is one, begins a line.
    pub(super) fn at_start(&mut self, bytes: &mut &[u8]) -> bool {
        if self.after_cr && !bytes.is_empty() {
            self.after_cr = false;
            *bytes = bytes.strip_prefix(b"\n").unwrap_or(bytes);
        }
        self.line.is_empty()
    }

    /// Takes the next line off the front of `bytes`. `None`: it is not complete yet, and all bytes are taken.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Vec<u8>>, TooLong> {
        self.at_start(bytes);
        let end = memchr2(b'\n', b'\r', bytes);
        let piece = &bytes[..end.unwrap_or(bytes.len())];
        if self.line.len() + piece.len() > MAX_BYTES {
            self.line = Vec::new();
            return Err(TooLong);
        }
        self.line.extend_from_slice(piece);
        let Some(end) = end else {
            *bytes = &[];
            return Ok(None);
        };
        self.after_cr = bytes[end] == b'\r';
        *bytes = &bytes[end + 1..];
        Ok(Some(std::mem::take(&mut self.line)))
    }

    /// What came after the last line end.
    pub(super) fn rest(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.line)
    }
}
