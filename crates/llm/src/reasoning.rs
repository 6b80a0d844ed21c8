//! Reasoning that a model writes into its text: `<think>…</think>` before the answer.
//!
//! Endpoints that know the model's template send reasoning in fields of its own; others leave the tags in the text. Only
//! what the text begins with is reasoning: an answer may be about such tags.

/// How models mark reasoning: its beginning and its end, in lower case.
const MARKS: [(&str, &str); 11] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<seed:think>", "</seed:think>"),
    ("[think]", "[/think]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|start_thinking|>", "<|end_thinking|>"),
    ("<|channel>thought", "<channel|>"),
    (
        "<|channel|>analysis<|message|>",
        "<|end|><|start|>assistant<|channel|>final<|message|>",
    ),
];

/// So much white space before a text is waited for, in bytes.
const MAX_SPACE: usize = 4096;

/// A piece of what a model writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    /// It thinks.
    Reasoning(String),
    /// It answers.
    Text(String),
}

/// Takes reasoning out of a text that comes piece by piece.
#[derive(Debug, Default)]
pub(crate) struct Splitter {
    place: Place,
    /// What came and can't be judged yet.
    held: String,
}

#[derive(Debug, Default, Clone, Copy)]
enum Place {
    /// Nothing came yet but white space; `after`: since reasoning ended.
    Head {
        after: bool,
    },
    /// In reasoning that ends with this mark; `begun`: some of it was more than white space.
    Inside {
        end: &'static str,
        begun: bool,
    },
    /// In the answer, which goes on to the end.
    #[default]
    Start,
    Text,
}

impl Splitter {
    /// More of the text came.
    pub(crate) fn push(&mut self, text: &str) -> Vec<Piece> {
        let mut pieces = Vec::new();
        self.held.push_str(text);
        while !self.held.is_empty() && self.step(&mut pieces) {}
        pieces
    }

    /// The text is over.
    pub(crate) fn end(&mut self) -> Option<Piece> {
        let held = std::mem::take(&mut self.held);
        let place = std::mem::replace(&mut self.place, Place::Text);
        match place {
            Place::Inside { .. } => Some(held.trim_end())
                .filter(|held| !held.is_empty())
                .map(|held| Piece::Reasoning(held.to_owned())),
            Place::Head { after: true } if held.trim().is_empty() => None,
            _ => Some(held).filter(|held| !held.is_empty()).map(Piece::Text),
        }
    }

    /// Judges what is held as far as it can; false: more must come first.
    fn step(&mut self, pieces: &mut Vec<Piece>) -> bool {
        match self.place {
            Place::Start => {
                self.place = Place::Head { after: false };
                true
            }
            Place::Head { after } => self.head(after),
            Place::Inside { end, begun } => self.inside(end, begun, pieces),
            Place::Text => {
                pieces.push(Piece::Text(std::mem::take(&mut self.held)));
                false
            }
        }
    }

    fn head(&mut self, after: bool) -> bool {
        let text = self.held.trim_start();
        let lower = lower(text);
        if let Some((start, end)) = MARKS.iter().find(|(start, _)| lower.starts_with(start)) {
            self.held = text[start.len()..].to_owned();
            self.place = Place::Inside { end, begun: false };
            return true;
        }
        let may_be_mark = MARKS.iter().any(|(start, _)| start.starts_with(&lower));
        if may_be_mark && self.held.len() <= MAX_SPACE {
            return false;
        }
        if after {
            self.held = without_blank_lines(&self.held).to_owned();
        }
        self.place = Place::Text;
        true
    }

    fn inside(&mut self, end: &'static str, begun: bool, pieces: &mut Vec<Piece>) -> bool {
        let found = lower(&self.held).find(end);
        // Its end may be cut, and white space before it is none of the reasoning.
        let sure = found.unwrap_or_else(|| self.held.len() - cut_mark(&self.held, end));
        let thought = self.held[..sure].trim_end();
        let sure = if found.is_none() && thought.len() + MAX_SPACE < sure {
            sure
        } else {
            thought.len()
        };
        let thought = &self.held[..sure];
        let thought = if begun { thought } else { thought.trim_start() };
        let begun = begun || !thought.is_empty();
        if !thought.is_empty() {
            pieces.push(Piece::Reasoning(thought.to_owned()));
        }
        match found {
            Some(at) => {
                self.held.drain(..at + end.len());
                self.place = Place::Head { after: true };
            }
            None => {
                self.held.drain(..sure);
                self.place = Place::Inside { end, begun };
            }
        }
        found.is_some()
    }
}

/// The reasoning and the answer in a whole text. The reasoning is empty if the model marked none.
///
/// Templates of some models begin the reasoning themselves, so that the text has only its end. That counts unless the
/// answer speaks of it: in backticks, in a block of code that goes on behind it, or with spaces around it.
pub fn split(text: &str) -> (String, String) {
    let mut splitter = Splitter::default();
    let mut pieces = splitter.push(text);
    pieces.extend(splitter.end());
    let (reasoning, answer) = joined(pieces);
    if reasoning.is_empty()
        && let Some((thought, rest)) = split_at_end_mark(&answer)
    {
        return (thought.to_owned(), rest.to_owned());
    }
    (reasoning, answer)
}

/// All reasoning and all text of some pieces.
fn joined(pieces: Vec<Piece>) -> (String, String) {
    let (mut reasoning, mut answer) = (String::new(), String::new());
    for piece in pieces {
        match piece {
            Piece::Reasoning(piece) => reasoning += &piece,
            Piece::Text(piece) => answer += &piece,
        }
    }
    (reasoning, answer)
}

/// What is before and behind the only mark of an end, if it has no beginning.
fn split_at_end_mark(text: &str) -> Option<(&str, &str)> {
    let lower = lower(text);
    let (at, start, end) = MARKS[..2].iter().find_map(|(start, end)| {
        let at = lower.find(*end)?;
        Some((at, *start, *end))
    })?;
    let (before, behind) = (&text[..at], &text[at + end.len()..]);
    let line = before.rsplit('\n').next().unwrap_or_default();
    let is_open = |text: &str| {
        let lines = text.lines().map(str::trim_start);
        lines.filter(|line| line.starts_with("```")).count() % 2 == 1
    };
    let is_quoted = line.matches('`').count() % 2 == 1
        || is_open(before) && (is_open(behind) || behind.is_empty());
    let ends_line = behind.is_empty() || behind.starts_with(['\n', '\r']);
    let is_spoken_of =
        !ends_line && (line.ends_with(' ') || !behind.starts_with(char::is_alphanumeric));
    let is_only = !lower.contains(start) && lower[at + end.len()..].find(end).is_none();
    (is_only && !is_quoted && !is_spoken_of).then(|| (before.trim(), without_blank_lines(behind)))
}

/// ASCII only, so that what is found in it is at the same place in the text.
fn lower(text: &str) -> String {
    text.to_ascii_lowercase()
}

/// How many bytes at the end of `text` may be the beginning of `mark`.
fn cut_mark(text: &str, mark: &str) -> usize {
    let text = lower(text);
    let mut longest = mark.char_indices().map(|(at, _)| at).rev();
    longest
        .find(|length| text.ends_with(&mark[..*length]))
        .unwrap_or(0)
}

/// Without the white space in front, but with the indentation of the first line.
fn without_blank_lines(text: &str) -> &str {
    let trimmed = text.trim_start();
    let space = &text[..text.len() - trimmed.len()];
    match space.rfind('\n') {
        Some(at) if !trimmed.is_empty() => &text[at + 1..],
        _ => trimmed,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::{MARKS, Splitter, joined, split};
    use crate::random::{cases, text};

    fn cut(text: &str, sizes: &[usize]) -> (String, String) {
        let mut splitter = Splitter::default();
        let mut pieces = Vec::new();
        let mut rest = text;
        for size in sizes.iter().cycle().take(text.len()) {
            let (piece, others) = rest.split_at(rest.floor_char_boundary(*size));
            pieces.extend(splitter.push(piece));
            rest = others;
        }
        pieces.extend(splitter.push(rest));
        pieces.extend(splitter.end());
        joined(pieces)
    }

    fn check(split: fn(&str) -> (String, String), table: &[(&str, &str, &str)]) {
        for (text, reasoning, answer) in table {
            let (found, rest) = split(text);
            assert_eq!(
                (found.as_str(), rest.as_str()),
                (*reasoning, *answer),
                "{text:?}"
            );
        }
    }

    #[test]
    fn reasoning_is_what_stands_at_the_head() {
        let at_once = |text: &str| cut(text, &[1000]);
        check(
            at_once,
            &[
                ("Hi", "", "Hi"),
                ("", "", ""),
                (" \n", "", " \n"),
                ("<think>Hm.</think>Hi", "Hm.", "Hi"),
                (
                    "\n <think>\n Hm.\n\nYes.\n</think>\n\nHi\n",
                    "Hm.\n\nYes.",
                    "Hi\n",
                ),
                ("<THINK>Hm.</Think> Hi", "Hm.", "Hi"),
                ("<thinking>a</think>b</thinking>c", "a</think>b", "c"),
                ("<think></think>\n\n    code", "", "    code"),
                ("<think>a</think>\n<think>b</think>c", "ab", "c"),
                ("<think>only", "only", ""),
                ("<think>cut</thi", "cut</thi", ""),
                ("<think>a < b</think>c", "a < b", "c"),
                ("<thi", "", "<thi"),
                ("<thinks>a</think>", "", "<thinks>a</think>"),
                ("a <think>b</think>", "", "a <think>b</think>"),
                ("`<think>`\nis a tag", "", "`<think>`\nis a tag"),
                ("[THINK]a[/THINK]b", "a", "b"),
                ("◁think▷ä◁/think▷b", "ä", "b"),
            ],
        );
    }

    #[test]
    fn a_template_may_begin_it() {
        check(
            split,
            &[
                ("Hm.\n</think>\n\nHi", "Hm.", "Hi"),
                ("Hm, `a`.</think>\nHi", "Hm, `a`.", "Hi"),
                ("Hm.\n</think>", "Hm.", ""),
                ("Hm.</think>Hi", "Hm.", "Hi"),
                ("```\ndraft\n```\n</think>No.", "```\ndraft\n```", "No."),
                ("```\ndraft\n</think>No.", "```\ndraft", "No."),
                ("Between </think>, that is", "", "Between </think>, that is"),
                (
                    "The end is `</think>`\nand so on",
                    "",
                    "The end is `</think>`\nand so on",
                ),
                ("```\n</think>\n```", "", "```\n</think>\n```"),
                ("a </think> b", "", "a </think> b"),
                (
                    "Between <think> and\n</think>\nis",
                    "",
                    "Between <think> and\n</think>\nis",
                ),
                (
                    "a\n</think>\nb\n</think>\n",
                    "",
                    "a\n</think>\nb\n</think>\n",
                ),
            ],
        );
    }

    #[test]
    fn marks_are_in_lower_case() {
        for (start, end) in MARKS {
            assert_eq!(
                (start, end),
                (&*start.to_ascii_lowercase(), &*end.to_ascii_lowercase())
            );
        }
    }

    const PIECES: &[&str] = &[
        "<think>",
        "</think>",
        "<thinking>",
        "</thinking>",
        "[THINK]",
        "[/think]",
        "◁think▷",
        "◁/think▷",
        "<",
        "/",
        "think",
        ">",
        "\n",
        " ",
        "a",
        "ä",
        "◁",
    ];

    proptest! {
        #![proptest_config(cases(5_000))]

        #[test]
        fn however_it_is_cut(text in text(PIECES, 10), sizes in vec(1..6_usize, 1..8)) {
            prop_assert_eq!(cut(&text, &sizes), cut(&text, &[1000]));
        }
    }
}
