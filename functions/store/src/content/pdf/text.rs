//! From the operators that draw a page to its text (ISO 32000-1, section 9.4).

use super::font::Font;
use super::fonts::Named;
use super::object::Object;
use super::parser::Parser;

/// A step to the right between two pieces that is larger than this, in thousandths of the font's size, is a space.
const SPACE: f64 = 200.0;

/// How many operands are kept for an operator; none that matters here has more.
const MAX_OPERANDS: usize = 8;

/// Collects the text of pages.
pub(super) struct Writer {
    text: String,
    max_bytes: usize,
}

/// Where on the page text is being set.
struct Place {
    x: f64,
    y: f64,
    size: f64,
    /// Characters set since the last move.
    chars: usize,
}

impl Writer {
    pub(super) fn new(max_bytes: usize) -> Self {
        Self {
            text: String::new(),
            max_bytes,
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.text.len() >= self.max_bytes
    }

    /// Adds the text of a page.
    pub(super) fn page(&mut self, content: &[u8], fonts: &Named) {
        self.separate('\n');
        let fallback = Font::simple(&[], &mut 0);
        let mut font = &fallback;
        let mut place = Place {
            x: 0.0,
            y: 0.0,
            size: 1.0,
            chars: 0,
        };
        let mut operands: Vec<Object> = Vec::new();
        let mut parser = Parser::new(content, 0);
        while let Some(token) = parser.next() {
            let Object::Word(operator) = token else {
                if operands.len() < MAX_OPERANDS {
                    operands.push(token);
                }
                continue;
            };
            match (operator.as_slice(), operands.as_slice()) {
                (b"Tf", [Object::Name(name), Object::Number(size)]) => {
                    font = fonts.get(name).map_or(&fallback, AsRef::as_ref);
                    place.size = size.abs();
                }
                (b"Td" | b"TD", [Object::Number(x), Object::Number(y)]) => {
                    let (x, y) = (place.x + x, place.y + y);
                    self.go(&mut place, x, y);
                }
                (b"Tm", [.., Object::Number(x), Object::Number(y)]) => self.go(&mut place, *x, *y),
                (b"T*", _) => self.separate('\n'),
                (b"Tj", [Object::Text(text)]) => self.show(text, font, &mut place),
                (b"'" | b"\"", [.., Object::Text(text)]) => {
                    self.separate('\n');
                    self.show(text, font, &mut place);
                }
                (b"TJ", [Object::Array(pieces)]) => {
                    for piece in pieces {
                        match piece {
                            Object::Text(text) => self.show(text, font, &mut place),
                            // To the right is negative here.
                            Object::Number(step) if *step < -SPACE => self.separate(' '),
                            _ => {}
                        }
                    }
                }
                // The bytes of a picture follow, which would be read as anything.
                (b"ID", _) => parser.skip_past(b"EI"),
                _ => {}
            }
            operands.clear();
            if self.is_full() {
                return;
            }
        }
    }

    /// All the text, without space at its ends.
    pub(super) fn finish(mut self) -> String {
        self.text
            .truncate(self.text.floor_char_boundary(self.max_bytes));
        self.text.trim().to_owned()
    }

    /// Moves to another place: to another line, or along this one, where it is a space if it is further than the
    /// characters set since the last move are wide, which is guessed.
    fn go(&mut self, place: &mut Place, x: f64, y: f64) {
        let width = (place.chars as f64 * 0.6 + 0.5) * place.size;
        if y != place.y {
            self.separate('\n');
        } else if x - place.x > width {
            self.separate(' ');
        }
        (place.x, place.y, place.chars) = (x, y, 0);
    }

    fn show(&mut self, text: &[u8], font: &Font, place: &mut Place) {
        let left = self.max_bytes.saturating_sub(self.text.len());
        let text = font.read(text, left);
        place.chars += text.chars().count();
        self.text.push_str(&text);
    }

    fn separate(&mut self, separator: char) {
        if !self.text.is_empty() && !self.text.ends_with(char::is_whitespace) {
            self.text.push(separator);
        }
    }
}
