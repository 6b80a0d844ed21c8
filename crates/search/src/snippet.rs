//! The part of a text that a person wants to see of what was found.

use crate::query::Query;
use crate::words::words;

/// About how many characters a snippet has.
const LENGTH: usize = 200;

/// How many of them come before what was found.
const BEFORE: usize = 60;

/// A part of a text.
#[derive(Debug, PartialEq, Eq)]
pub struct Snippet {
    /// Without line breaks and control characters, with `…` where the text goes on.
    pub text: String,
    /// What was found, in the order of the text.
    pub marks: Vec<Mark>,
}

/// A place in a snippet, in UTF-16 code units, as JavaScript counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The first one.
    pub start: usize,
    /// The one behind the last.
    pub end: usize,
}

impl Query {
    /// The part of a text with the most of what is asked for, or its beginning. `has_before` and `has_after`: whether the
    /// text is cut there already.
    pub fn snippet(&self, text: &str, has_before: bool, has_after: bool) -> Snippet {
        let words: Vec<_> = words(text).collect();
        let places = self.places(&words);
        let span = |place: &(usize, usize, usize)| (words[place.0].start, words[place.1].end);
        let mut best = (0, 0);
        for (number, place) in places.iter().enumerate() {
            let begin = span(place).0;
            let near = places[number..].iter().take(50);
            let near = near.take_while(|place| span(place).1 <= begin + LENGTH - BEFORE);
            let mut terms: Vec<usize> = near.map(|place| place.2).collect();
            terms.sort_unstable();
            terms.dedup();
            if terms.len() > best.1 {
                best = (number, terms.len());
            }
        }
        let begin = places.get(best.0).map_or(0, |place| span(place).0);
        let (start, end) = around(text, begin);
        let mut marks: Vec<(usize, usize)> = Vec::new();
        for place in places.iter().map(span) {
            match marks.last_mut() {
                Some(last) if place.0 < last.1 => last.1 = last.1.max(place.1),
                _ => marks.push(place),
            }
        }
        marks.retain(|mark| start <= mark.0 && mark.1 <= end);
        let is_begun = start > 0 || has_before;
        let is_cut = end < text.len() || has_after;
        let mut shown = Shown::default();
        if is_begun {
            shown.push("…");
        }
        let mut at = start;
        let marks = marks.into_iter().map(|mark| {
            shown.push(&text[at..mark.0]);
            let start = shown.units;
            shown.push(&text[mark.0..mark.1]);
            at = mark.1;
            Mark {
                start,
                end: shown.units,
            }
        });
        let marks = marks.collect();
        shown.push(&text[at..end]);
        if is_cut {
            shown.push("…");
        }
        Snippet {
            text: shown.text,
            marks,
        }
    }
}

/// What is shown of a text around the place `begin`, in bytes: whole words, as far as these are short.
fn around(text: &str, begin: usize) -> (usize, usize) {
    let (before, after) = (&text[..begin], &text[begin..]);
    let start = before
        .char_indices()
        .rev()
        .nth(BEFORE - 1)
        .map_or(0, |(at, _)| at);
    let length = LENGTH - before[start..].chars().count();
    let end = after
        .char_indices()
        .nth(length)
        .map_or(text.len(), |(at, _)| begin + at);
    let start = match text[start..begin].find(char::is_whitespace) {
        Some(space) if start > 0 => start + space + 1,
        _ => start,
    };
    // A space of more than one byte.
    let start = (start..=begin)
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(begin);
    let end = match text[begin..end].rfind(char::is_whitespace) {
        Some(space) if end < text.len() && space > (end - begin) / 2 => begin + space,
        _ => end,
    };
    (start, end)
}

/// A text that is being made, and its length in UTF-16.
#[derive(Default)]
struct Shown {
    text: String,
    units: usize,
}

impl Shown {
    fn push(&mut self, text: &str) {
        for c in text.chars() {
            let c = if c.is_control() { ' ' } else { c };
            self.text.push(c);
            self.units += c.len_utf16();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Snippet;
    use crate::query::Query;

    /// The snippet, and what is marked in it.
    fn of(query: &str, text: &str) -> (Snippet, Vec<String>) {
        let snippet = Query::read(query).snippet(text, false, false);
        let units: Vec<u16> = snippet.text.encode_utf16().collect();
        let marked = snippet.marks.iter().map(|mark| {
            String::from_utf16(units.get(mark.start..mark.end).expect("a place in it"))
                .expect("whole characters")
        });
        let marked = marked.collect();
        (snippet, marked)
    }

    #[test]
    fn what_was_found_is_marked() {
        let (snippet, marked) = of(
            "jose slandered ",
            "Someone must\nhave slandered 😀 Josef K.",
        );
        assert_eq!(snippet.text, "Someone must have slandered 😀 Josef K.");
        assert_eq!(marked, ["slandered"]);
        let (_, marked) = of("slandered jose", "Someone must have slandered 😀 Josef K.");
        assert_eq!(marked, ["slandered", "Josef"]);
        let (_, marked) = of("京都", "東京都と京都");
        assert_eq!(marked, ["京都", "京都"]);
        let (_, marked) = of("cafe", "Ein CAFÉ, zwei Cafe\u{301}s");
        assert_eq!(marked, ["CAFÉ", "Cafe\u{301}s"]);
    }

    #[test]
    fn the_best_place_is_shown() {
        let text = format!(
            "one {} one two {}",
            "filler ".repeat(100),
            "end ".repeat(100)
        );
        let (snippet, marked) = of("two one ", &text);
        assert_eq!(marked, ["one", "two"]);
        assert!(
            snippet.text.starts_with('…') && snippet.text.ends_with('…'),
            "{}",
            snippet.text
        );
        assert!(snippet.text.chars().count() <= 202, "{}", snippet.text);
        let (snippet, marked) = of("absent", &text);
        assert!(marked.is_empty() && snippet.text.starts_with("one filler"));
        let (snippet, _) = of("x", "");
        assert_eq!(snippet.text, "");
    }

    proptest::proptest! {
        #[test]
        fn any_text_has_a_snippet(query in ".*", text in ".*") {
            of(&query, &text.repeat(20));
        }
    }
}
