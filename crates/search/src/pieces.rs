//! Long texts are indexed in pieces, so that a piece is quickly read again, and its words are near each other.

use crate::words::words;

/// The characters of a piece.
pub const PIECE: usize = 16_000;

/// How many of them the next piece has, too, so that no phrase is cut.
pub const OVERLAP: usize = 200;

/// From the beginning of one piece to that of the next.
pub const STRIDE: usize = PIECE - OVERLAP;

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Piece<'t> {
    /// The place of its first character in the whole text.
    pub start: usize,
    /// The piece.
    pub text: &'t str,
    /// Whether the text goes on behind it.
    pub has_more: bool,
}

/// The pieces of a text of which the character at `start` is the first one here.
pub fn pieces(text: &str, start: usize) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let (mut rest, mut start) = (text, start);
    loop {
        let at = |number| rest.char_indices().nth(number).map(|(at, _)| at);
        let end = at(PIECE);
        pieces.push(Piece {
            start,
            text: &rest[..end.unwrap_or(rest.len())],
            has_more: end.is_some(),
        });
        let Some(next) = at(STRIDE).filter(|_| end.is_some()) else {
            return pieces;
        };
        rest = &rest[next..];
        start += STRIDE;
    }
}

/// The words of a piece as the index takes them, each with `_` before it. A word at the cut is left out: the next piece or
/// the one before has all of it.
pub fn indexed(piece: &Piece<'_>) -> String {
    let mut indexed = String::with_capacity(piece.text.len() + piece.text.len() / 4);
    for word in words(piece.text) {
        let is_cut =
            word.start == 0 && piece.start > 0 || word.end == piece.text.len() && piece.has_more;
        if !is_cut {
            indexed.push('_');
            indexed.push_str(&word.folded);
            indexed.push(' ');
        }
    }
    indexed
}

#[cfg(test)]
mod tests {
    use super::{PIECE, Piece, STRIDE, indexed, pieces};

    #[test]
    fn pieces_cover_the_text() {
        assert_eq!(
            pieces("abc", 7),
            [Piece {
                start: 7,
                text: "abc",
                has_more: false
            }]
        );
        let text = "wörter ".repeat(5000);
        let found = pieces(&text, 0);
        assert_eq!(found.len(), 3);
        assert_eq!(found[1].start, STRIDE);
        let characters: Vec<char> = text.chars().collect();
        for piece in &found {
            let end = (piece.start + PIECE).min(characters.len());
            let expected: String = characters[piece.start..end].iter().collect();
            assert_eq!(piece.text, expected);
            assert!(
                indexed(piece)
                    .split_whitespace()
                    .all(|word| word == "_worter")
            );
        }
    }
}
