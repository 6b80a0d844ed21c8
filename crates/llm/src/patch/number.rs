//! Lines as numbers: equal lines have equal ones. Each line is read once, and compared in one step from then on.

use std::collections::HashMap;

use super::parse::Line;

/// The part of a line that is compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct Numbered {
    /// The line without its end.
    pub exact: usize,
    /// The line without white space at its end.
    pub loose: usize,
    /// Of a line of the text: whether it has an end.
    pub has_end: bool,
    /// Of a line of the diff: whether it is marked as without one.
    pub ends_text: bool,
}

/// The numbers that were given so far.
#[derive(Debug, Default)]
pub(super) struct Numbers<'a>(HashMap<&'a str, usize>);

impl<'a> Numbers<'a> {
    /// A line of the text.
    pub(super) fn of_text(&mut self, line: &'a str) -> Numbered {
        let text = line.strip_suffix('\n');
        Numbered {
            has_end: text.is_some(),
            ..self.of(text.unwrap_or(line))
        }
    }

    /// A line of the diff.
    pub(super) fn of_line(&mut self, line: &Line<'a>) -> Numbered {
        Numbered {
            ends_text: line.ends_text,
            ..self.of(line.text)
        }
    }

    fn of(&mut self, line: &'a str) -> Numbered {
        Numbered {
            exact: self.number(line),
            loose: self.number(line.trim_end()),
            has_end: false,
            ends_text: false,
        }
    }

    fn number(&mut self, text: &'a str) -> usize {
        let next = self.0.len();
        *self.0.entry(text).or_insert(next)
    }
}
