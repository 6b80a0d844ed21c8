//! A reply while it is being written: its text, how much of it is stored, and when to store more.

use std::time::Duration;

use crate::MAX_TEXT_BYTES;

/// From one piece of text to the next, at the least. The first is stored at once.
pub const FLUSH: Duration = Duration::from_millis(100);

/// From one piece of text to the next, at the most, where storing one takes long.
const SLOWEST_FLUSH: Duration = Duration::from_secs(1);

/// Storing takes at most one part in so many of the time: a database that is a network away, or busy, gets larger pieces.
const SHARE: u32 = 4;

/// From one heartbeat to the next while the model is silent, and so how long a stop may go unnoticed.
const BEAT: Duration = Duration::from_millis(750);

/// A piece of this length, in bytes, is stored at once.
const PIECE: usize = 32 * 1024;

/// The text of a reply.
#[derive(Debug, Default)]
pub struct Draft {
    text: String,
    /// So much of its beginning is stored.
    stored: usize,
}

impl Draft {
    /// Adds text. False: the reply is as long as a reply may be, and the rest is left out.
    pub fn push(&mut self, text: &str) -> bool {
        let room = MAX_TEXT_BYTES - self.text.len();
        self.text.push_str(&text[..text.floor_char_boundary(room)]);
        text.len() <= room
    }

    /// All of it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The text that is not stored yet.
    pub fn unstored(&self) -> &str {
        &self.text[self.stored..]
    }

    /// All of it is stored.
    pub fn mark_stored(&mut self) {
        self.stored = self.text.len();
    }

    /// How long after the last attempt to store something the next one is due. `failed`: that attempt failed; `took`: how
    /// long it took.
    pub fn pause(&self, failed: bool, took: Duration) -> Duration {
        match self.unstored().len() {
            0 => BEAT,
            PIECE.. => Duration::ZERO,
            _ if self.stored == 0 && !failed => Duration::ZERO,
            _ => (took * SHARE).clamp(FLUSH, SLOWEST_FLUSH),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{BEAT, Draft, FLUSH, PIECE};
    use crate::MAX_TEXT_BYTES;

    #[test]
    fn the_first_piece_is_stored_at_once_and_others_from_time_to_time() {
        let quick = Duration::from_millis(5);
        let mut draft = Draft::default();
        assert_eq!(draft.pause(false, quick), BEAT);
        assert!(draft.push("a"));
        assert_eq!(draft.pause(false, quick), Duration::ZERO);
        assert_eq!(draft.pause(true, quick), FLUSH);
        draft.mark_stored();
        assert_eq!((draft.unstored(), draft.pause(false, quick)), ("", BEAT));
        assert!(draft.push("b"));
        assert_eq!((draft.unstored(), draft.pause(false, quick)), ("b", FLUSH));
        assert!(draft.push(&"c".repeat(PIECE)));
        assert_eq!(draft.pause(true, quick), Duration::ZERO);
        assert!(draft.text().starts_with("abc"));
    }

    #[test]
    fn a_slow_database_gets_larger_pieces() {
        let mut draft = Draft::default();
        draft.push("a");
        draft.mark_stored();
        draft.push("b");
        for (took, pause) in [(0, 100), (25, 100), (60, 240), (250, 1000), (9000, 1000)] {
            let took = Duration::from_millis(took);
            assert_eq!(draft.pause(false, took), Duration::from_millis(pause));
        }
    }

    #[test]
    fn a_draft_has_a_longest_text() {
        let mut draft = Draft::default();
        assert!(draft.push(&"a".repeat(MAX_TEXT_BYTES - 1)));
        assert!(!draft.push("ä"));
        assert_eq!(draft.text().len(), MAX_TEXT_BYTES - 1);
        assert!(draft.push("b") && draft.push(""));
        assert!(!draft.push("c"));
        assert_eq!(draft.text().len(), MAX_TEXT_BYTES);
    }
}
