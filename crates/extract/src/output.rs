//! The text as it grows: its limit, and tidy space between words, lines and paragraphs.

use crate::limits::MAX_CHARACTERS;

/// A text that grows up to [`MAX_CHARACTERS`].
#[derive(Debug, Default)]
pub(crate) struct Output {
    text: String,
    characters: usize,
    truncated: bool,
    /// Space that is written once something follows it.
    pending: Gap,
}

/// Space between two pieces of text. Lines swallow what comes before them, tabs swallow spaces.
#[derive(Debug, Default, Clone, Copy)]
struct Gap {
    lines: usize,
    tabs: usize,
    is_space: bool,
}

impl Output {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Whether there is no room for more.
    pub(crate) fn is_full(&self) -> bool {
        self.truncated
    }

    /// How many bytes have been written.
    pub(crate) fn len(&self) -> usize {
        self.text.len()
    }

    /// Ends the word.
    pub(crate) fn space(&mut self) {
        self.pending.is_space = true;
    }

    /// Ends the cell of a table. Tabs add up, so that empty cells are seen.
    pub(crate) fn tab(&mut self) {
        self.tabs(1);
    }

    /// Ends so many cells of a table.
    pub(crate) fn tabs(&mut self, count: usize) {
        self.pending.tabs = self.pending.tabs.saturating_add(count);
    }

    /// Ends the line.
    pub(crate) fn line(&mut self) {
        self.lines(1);
    }

    /// Ends the paragraph: an empty line follows.
    pub(crate) fn paragraph(&mut self) {
        self.lines(2);
    }

    fn lines(&mut self, lines: usize) {
        self.pending = Gap {
            lines: self.pending.lines.max(lines),
            tabs: 0,
            is_space: false,
        };
    }

    /// Writes text as it is, but for line ends and characters that are none.
    pub(crate) fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.fill_gap();
        for character in text.chars() {
            if !self.push(character) {
                break;
            }
        }
    }

    /// Writes text right after what has been written.
    pub(crate) fn attach(&mut self, text: &str) {
        self.pending = Gap::default();
        self.write(text);
    }

    /// Writes text whose space means nothing but that words end, as in HTML.
    pub(crate) fn flow(&mut self, text: &str) {
        let mut rest = text;
        while !rest.is_empty() && !self.truncated {
            let word_end = rest.find(is_collapsible).unwrap_or(rest.len());
            let (word, after) = rest.split_at(word_end);
            self.write(word);
            let trimmed = after.trim_start_matches(is_collapsible);
            if trimmed.len() < after.len() {
                self.space();
            }
            rest = trimmed;
        }
    }

    /// Writes a whole text as it is, with its own space at both ends.
    pub(crate) fn verbatim(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.fill_gap();
        let mut characters = text.chars().peekable();
        while let Some(character) = characters.next() {
            let character = match character {
                '\r' if characters.peek() == Some(&'\n') => continue,
                '\r' => '\n',
                other => other,
            };
            if !self.push(character) {
                break;
            }
        }
    }

    fn fill_gap(&mut self) {
        let gap = std::mem::take(&mut self.pending);
        // No text begins with an empty line.
        if gap.lines > 0 && !self.text.is_empty() {
            while self.text.ends_with(' ') {
                self.text.pop();
                self.characters -= 1;
            }
            self.push_times('\n', gap.lines);
        }
        if gap.tabs > 0 {
            self.push_times('\t', gap.tabs);
        } else if gap.is_space && !self.text.is_empty() && !self.text.ends_with([' ', '\t', '\n']) {
            self.push(' ');
        }
    }

    fn push_times(&mut self, character: char, count: usize) {
        for _ in 0..count {
            if !self.push(character) {
                break;
            }
        }
    }

    fn push(&mut self, character: char) -> bool {
        if self.characters >= MAX_CHARACTERS {
            self.truncated = true;
            return false;
        }
        // What is no text would only confuse: NUL and its like can't be stored everywhere either.
        if character.is_control() && !matches!(character, '\n' | '\t' | '\u{c}') {
            return true;
        }
        self.characters += 1;
        self.text.push(character);
        true
    }

    /// Says that there may be more text than was found.
    pub(crate) fn cut(&mut self) {
        self.truncated = true;
    }

    /// The text, and whether it is cut.
    pub(crate) fn finish(self) -> (String, bool) {
        (self.text, self.truncated)
    }
}

fn is_collapsible(character: char) -> bool {
    matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{c}')
}
