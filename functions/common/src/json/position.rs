//! Where a text stops being JSON, in the words of Python's decoder (docs/http-compatibility.md#json-bodies).
//!
//! Only called for a text that serde_json has refused. It keeps its own stack, so that no nesting can exhaust ours.

/// What is wrong with a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// At which character, and Python's message.
    At(usize, &'static str),
    /// Nested deeper than anybody needs.
    TooDeep,
}

/// serde_json's own limit.
const MAX_DEPTH: usize = 127;

const VALUE: &str = "Expecting value";
const NAME: &str = "Expecting property name enclosed in double quotes";
const COMMA: &str = "Expecting ',' delimiter";
const COLON: &str = "Expecting ':' delimiter";
const ESCAPE: &str = "Invalid \\escape";
const UNICODE_ESCAPE: &str = "Invalid \\uXXXX escape";

/// The first fault of `text`, or `None` if its grammar is fine.
pub(super) fn find_fault(text: &str) -> Option<Fault> {
    let mut scanner = Scanner {
        chars: text.chars().collect(),
        at: 0,
        open: Vec::new(),
    };
    scanner.document().err()
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Container {
    Array,
    Object,
}

struct Scanner {
    chars: Vec<char>,
    at: usize,
    open: Vec<Container>,
}

type Step<T = ()> = Result<T, Fault>;

impl Scanner {
    fn document(&mut self) -> Step {
        self.skip_white_space();
        loop {
            // At the start of a value.
            if self.begin_value()? {
                continue;
            }
            // Behind a value: close what ends here.
            loop {
                self.skip_white_space();
                let Some(container) = self.open.last().copied() else {
                    return if self.at == self.chars.len() {
                        Ok(())
                    } else {
                        self.fault("Extra data")
                    };
                };
                match (container, self.peek()) {
                    (Container::Array, Some(']')) | (Container::Object, Some('}')) => {
                        self.open.pop();
                        self.at += 1;
                    }
                    (_, Some(',')) => {
                        self.at += 1;
                        self.skip_white_space();
                        break;
                    }
                    _ => return self.fault(COMMA),
                }
            }
            if self.open.last() == Some(&Container::Object) {
                self.name()?;
            }
        }
    }

    /// Reads a scalar or an empty container whole (`false`), or enters a container up to its first value (`true`).
    fn begin_value(&mut self) -> Step<bool> {
        let (container, end) = match self.peek() {
            Some('{') => (Container::Object, '}'),
            Some('[') => (Container::Array, ']'),
            Some('"') => return self.string().map(|()| false),
            Some('-' | '0'..='9') => return self.number().map(|()| false),
            _ => return self.literal().map(|()| false),
        };
        if self.open.len() == MAX_DEPTH {
            return Err(Fault::TooDeep);
        }
        self.at += 1;
        self.skip_white_space();
        if self.peek() == Some(end) {
            self.at += 1;
            return Ok(false);
        }
        self.open.push(container);
        if container == Container::Object {
            self.name()?;
        }
        Ok(true)
    }

    /// A member's name and colon, up to its value.
    fn name(&mut self) -> Step {
        if self.peek() != Some('"') {
            return self.fault(NAME);
        }
        self.string()?;
        self.skip_white_space();
        if self.peek() != Some(':') {
            return self.fault(COLON);
        }
        self.at += 1;
        self.skip_white_space();
        Ok(())
    }

    fn literal(&mut self) -> Step {
        for literal in ["null", "true", "false"] {
            if literal
                .chars()
                .eq(self.chars[self.at..].iter().copied().take(literal.len()))
            {
                self.at += literal.len();
                return Ok(());
            }
        }
        self.fault(VALUE)
    }

    /// Reads as much as looks like a number, as Python does: in `01` that is the zero.
    fn number(&mut self) -> Step {
        let start = self.at;
        if self.peek() == Some('-') {
            self.at += 1;
        }
        match self.peek() {
            Some('0') => self.at += 1,
            Some('1'..='9') => self.skip_digits(),
            _ => return Err(Fault::At(start, VALUE)),
        }
        if self.peek() == Some('.') && self.is_digit(1) {
            self.at += 1;
            self.skip_digits();
        }
        if matches!(self.peek(), Some('e' | 'E')) {
            let sign = usize::from(matches!(self.chars.get(self.at + 1), Some('+' | '-')));
            if self.is_digit(1 + sign) {
                self.at += 1 + sign;
                self.skip_digits();
            }
        }
        Ok(())
    }

    fn string(&mut self) -> Step {
        let start = self.at;
        let unterminated = Fault::At(start, "Unterminated string starting at");
        self.at += 1;
        loop {
            match self.peek() {
                None => return Err(unterminated),
                Some('"') => break,
                Some('\0'..='\x1f') => return self.fault("Invalid control character at"),
                Some('\\') => match self.chars.get(self.at + 1) {
                    None => return Err(unterminated),
                    Some('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't') => self.at += 2,
                    Some('u') => self.unicode_escape()?,
                    Some(_) => return self.fault(ESCAPE),
                },
                Some(_) => self.at += 1,
            }
        }
        self.at += 1;
        Ok(())
    }

    /// `\uXXXX`, which may be half of a surrogate pair.
    fn unicode_escape(&mut self) -> Step {
        let digits = self.chars.get(self.at + 2..self.at + 6);
        if !digits.is_some_and(|digits| digits.iter().all(char::is_ascii_hexdigit)) {
            return Err(Fault::At(self.at + 1, UNICODE_ESCAPE));
        }
        self.at += 6;
        Ok(())
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn is_digit(&self, ahead: usize) -> bool {
        self.chars
            .get(self.at + ahead)
            .is_some_and(char::is_ascii_digit)
    }

    fn skip_digits(&mut self) {
        while self.is_digit(0) {
            self.at += 1;
        }
    }

    fn skip_white_space(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t' | '\n' | '\r')) {
            self.at += 1;
        }
    }

    fn fault<T>(&self, message: &'static str) -> Step<T> {
        Err(Fault::At(self.at, message))
    }
}
