//! What a person types to find something.

use crate::words::{Word, words};

/// The most terms of a query that count, and the most words of them.
const MAX_TERMS: usize = 24;
const MAX_WORDS: usize = 64;

/// The marks around a phrase.
const QUOTES: [char; 5] = ['"', '“', '”', '„', '‟'];

/// A query: terms that must all be there. Every text is one; what means nothing to it, such as operators, is a space.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Query {
    terms: Vec<Term>,
}

/// Words that follow each other.
#[derive(Debug, PartialEq, Eq)]
struct Term {
    words: Vec<String>,
    /// Whether the last of them may be the beginning of a word.
    is_prefix: bool,
}

impl Query {
    /// Reads a query. Words stand alone, phrases in quotation marks; `don't` is a phrase, too. A word with an asterisk
    /// behind it, and the last word unless a space follows it, may be the beginning of a word if it has two letters.
    pub fn read(text: &str) -> Self {
        let mut query = Self::default();
        // Odd parts are inside of quotation marks.
        let mut parts = text.split(QUOTES).enumerate().peekable();
        while let Some((number, part)) = parts.next() {
            let is_quoted = number % 2 == 1;
            if is_quoted {
                query.add(part, part.ends_with('*'));
                continue;
            }
            let mut chunks = part.split_whitespace().peekable();
            while let Some(chunk) = chunks.next() {
                let is_last = chunks.peek().is_none()
                    && parts.peek().is_none()
                    && part.ends_with(chunk)
                    && chunk.ends_with(char::is_alphanumeric);
                let is_prefix = chunk.ends_with('*') || is_last;
                query.add(chunk, is_prefix);
            }
        }
        query
    }

    fn add(&mut self, text: &str, is_prefix: bool) {
        let room = MAX_WORDS
            - self
                .terms
                .iter()
                .map(|term| term.words.len())
                .sum::<usize>();
        let words: Vec<String> = words(text).take(room).map(|word| word.folded).collect();
        let Some(last) = words.last().filter(|_| self.terms.len() < MAX_TERMS) else {
            return;
        };
        let is_prefix = is_prefix && last.chars().nth(1).is_some();
        let term = Term { words, is_prefix };
        if !self.terms.contains(&term) {
            self.terms.push(term);
        }
    }

    /// The query in FTS5's language, each word with `_` before it; `None`: it has no word.
    pub fn expression(&self) -> Option<String> {
        let terms = self.terms.iter().map(|term| {
            let words: Vec<String> = term.words.iter().map(|word| format!("_{word}")).collect();
            let star = if term.is_prefix { " *" } else { "" };
            format!("\"{}\"{star}", words.join(" "))
        });
        let terms: Vec<String> = terms.collect();
        (!terms.is_empty()).then(|| terms.join(" AND "))
    }

    /// Where the terms are in these words of a text: for each place the first and the last word, and the term's number.
    pub(crate) fn places(&self, words: &[Word]) -> Vec<(usize, usize, usize)> {
        let mut places = Vec::new();
        for first in 0..words.len() {
            for (number, term) in self.terms.iter().enumerate() {
                if term.begins(&words[first..]) {
                    places.push((first, first + term.words.len() - 1, number));
                }
            }
        }
        places
    }
}

impl Term {
    /// Whether a text begins with it.
    fn begins(&self, words: &[Word]) -> bool {
        let Some(words) = words.get(..self.words.len()) else {
            return false;
        };
        let last = self.words.len() - 1;
        let mut pairs = self.words.iter().zip(words).enumerate();
        pairs.all(
            |(number, (asked, word))| match self.is_prefix && number == last {
                true => word.folded.starts_with(asked.as_str()),
                false => word.folded == *asked,
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::Query;

    fn expression(text: &str) -> String {
        Query::read(text).expression().unwrap_or_default()
    }

    #[test]
    fn queries_are_read() {
        for (text, expected) in [
            ("Josef ", r#""_josef""#),
            ("Josef slander", r#""_josef" AND "_slander" *"#),
            ("slan* Josef ", r#""_slan" * AND "_josef""#),
            (r#"someone "Josef K." "#, r#""_someone" AND "_josef _k""#),
            (r#""Josef K"#, r#""_josef _k""#),
            ("don't ", r#""_don _t""#),
            ("東京", r#""_東 _京""#),
            ("東", r#""_東""#),
            ("a*", r#""_a""#),
            (
                "a AND NOT (b OR c) NEAR/2 ",
                r#""_a" AND "_and" AND "_not" AND "_b" AND "_or" AND "_c" AND "_near _2""#,
            ),
            ("x x ", r#""_x""#),
            ("", ""),
            ("\"\" * - ^ : \u{0} {} ; --", ""),
        ] {
            assert_eq!(expression(text), expected, "{text}");
        }
        let long = "word1 ".repeat(10_000) + &"y".repeat(10_000);
        assert!(expression(&long).len() < 200);
        let many: String = (0..1000).map(|number| format!("w{number} ")).collect();
        assert_eq!(expression(&many).matches("AND").count(), 23);
    }

    proptest::proptest! {
        #[test]
        fn nothing_is_an_operator(text in ".*") {
            let expression = expression(&text);
            let quoted = expression.split('"').enumerate();
            for (_, outside) in quoted.filter(|(number, _)| number % 2 == 0) {
                assert!(["", " ", " *", " * ", " AND ", " * AND "].contains(&outside), "{expression}");
            }
        }
    }
}
