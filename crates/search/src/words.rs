//! The words of a text.

use std::iter::Peekable;
use std::str::CharIndices;

use crate::fold::{continues, fold, is_picture, stands_alone};

/// The most bytes of a word that are compared: long ones are seldom words.
const MAX_BYTES: usize = 64;

/// A word of a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Word {
    /// Its folded letters; never empty, without spaces, ASCII punctuation and control characters.
    pub folded: String,
    /// Where it begins, in bytes.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
}

/// The words of a text: runs of letters and digits, and single characters of scripts without spaces.
pub fn words(text: &str) -> impl Iterator<Item = Word> {
    Words {
        text,
        characters: text.char_indices().peekable(),
    }
}

struct Words<'t> {
    text: &'t str,
    characters: Peekable<CharIndices<'t>>,
}

impl Words<'_> {
    /// The end of the character that begins at `start`, with its marks.
    fn end(&mut self, start: usize, c: char) -> usize {
        let mut end = start + c.len_utf8();
        while let Some((_, mark)) = self.characters.next_if(|(_, c)| continues(*c)) {
            end += mark.len_utf8();
        }
        end
    }
}

impl Iterator for Words<'_> {
    type Item = Word;

    fn next(&mut self) -> Option<Word> {
        loop {
            let (start, c) = self.characters.next()?;
            if stands_alone(c) {
                let end = self.end(start, c);
                let folded = match is_picture(c) {
                    true => c.to_string(),
                    false => fold(&self.text[start..end]),
                };
                if !folded.is_empty() {
                    return Some(Word { folded, start, end });
                }
            } else if c.is_alphanumeric() {
                return Some(self.run(start, c));
            }
        }
    }
}

impl Words<'_> {
    /// The word that begins with this character.
    fn run(&mut self, start: usize, first: char) -> Word {
        let mut folded = String::new();
        let (mut at, mut c) = (start, first);
        loop {
            let end = self.end(at, c);
            let is_plain = c.is_ascii() && end == at + 1;
            if folded.len() < MAX_BYTES {
                match is_plain {
                    true => folded.push(c.to_ascii_lowercase()),
                    false => folded.push_str(&fold(&self.text[at..end])),
                }
            }
            let next = |(_, c): &(usize, char)| c.is_alphanumeric() && !stands_alone(*c);
            match self.characters.next_if(next) {
                Some(next) => (at, c) = next,
                None => {
                    // A letter that is nothing without its marks.
                    if folded.is_empty() {
                        folded.push(first);
                    }
                    return Word { folded, start, end };
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::words;

    fn of(text: &str) -> Vec<String> {
        words(text).map(|word| word.folded).collect()
    }

    #[test]
    fn words_are_runs_and_single_characters() {
        assert_eq!(of("Josef K.'s  trial_2"), ["josef", "k", "s", "trial", "2"]);
        assert_eq!(of("Café CAFE\u{301} Straße"), ["cafe", "cafe", "strasse"]);
        assert_eq!(
            of("東京abc都 ラーメン"),
            ["東", "京", "abc", "都", "ラ", "ー", "メ", "ン"]
        );
        assert_eq!(of("한국어"), ["한", "국", "어"]);
        assert_eq!(of("a🎉b"), ["a", "🎉", "b"]);
        assert_eq!(of("\"\u{0}\u{1} -*^"), [""; 0]);
        let long = "x".repeat(1000);
        assert_eq!(of(&long)[0].len(), 64);
    }

    #[test]
    fn places_are_bytes_of_the_text() {
        let text = "«Ça va?» 東";
        let found = words(text).map(|word| &text[word.start..word.end]);
        assert_eq!(found.collect::<Vec<_>>(), ["Ça", "va", "東"]);
    }

    proptest::proptest! {
        #[test]
        fn no_word_breaks_the_index(text in ".*") {
            for word in words(&text) {
                assert!(!word.folded.is_empty());
                assert!(!word.folded.contains(|c: char| c.is_ascii() && !c.is_ascii_alphanumeric()), "{word:?}");
                assert!(text.get(word.start..word.end).is_some());
            }
        }
    }
}
