//! From glyphs at places to words, lines and paragraphs.
//!
//! Text stays in the order in which it is drawn, which keeps columns and cells together; what follows on the same
//! line is joined or spaced by the gap, all else begins a line. Nothing here knows how a page lies: "along" is where the
//! text runs, so that rotated pages and texts need no case of their own.

use hayro_font::kurbo::{Point, Vec2};

use crate::output::Output;

/// A gap of more than this, in sizes of the font, ends a word.
const WORD_GAP: f64 = 0.10;
/// Text that begins further back than this, in sizes of the font, does not go on with the same word.
const BACK: f64 = 0.35;
/// Text further off its line than this, in sizes of the font, is on another one. Raised and lowered signs are less.
const LINE_OFFSET: f64 = 0.45;
/// A line further below than this, in sizes of the font, begins a paragraph.
const PARAGRAPH: f64 = 1.9;
/// Glyphs this near to each other, in sizes of the font, are one that is drawn twice to look bold.
const SAME_PLACE: f64 = 0.12;
/// How many glyphs before are looked at for that.
const RECENT: usize = 256;

/// A glyph on the page.
pub(crate) struct Glyph {
    pub start: Point,
    pub end: Point,
    /// The size of its font on the page.
    pub size: f64,
    /// Where its text runs.
    pub along: Vec2,
}

/// The line that is being written, and what is needed to see whether a glyph goes on with it.
pub(crate) struct Layout {
    last: Option<Glyph>,
    line: Line,
    recent: Vec<(Point, char)>,
    next_recent: usize,
    /// Whether the last glyph was one that had been drawn before.
    is_again: bool,
    count: usize,
}

/// The text of a line, until it is known whether it runs from right to left.
#[derive(Default)]
struct Line {
    pieces: Vec<Piece>,
}

struct Piece {
    text: String,
    /// Where it begins, along the line.
    at: f64,
    /// Whether a gap lies before it.
    is_spaced: bool,
}

impl Layout {
    pub(crate) fn new() -> Self {
        Self {
            last: None,
            line: Line::default(),
            recent: Vec::new(),
            next_recent: 0,
            is_again: false,
            count: 0,
        }
    }

    /// How many glyphs with text there were.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Adds a glyph; one without text only moves on.
    pub(crate) fn glyph(&mut self, text: &str, glyph: &Glyph, out: &mut Output) {
        if !(glyph.start.x.is_finite()
            && glyph.start.y.is_finite()
            && glyph.end.x.is_finite()
            && glyph.end.y.is_finite())
        {
            return;
        }
        let is_blank = text.trim().is_empty();
        let is_backward = text.chars().any(is_right_to_left);
        let relation = self
            .last
            .as_ref()
            .map_or(Relation::First, |last| relation(last, glyph, is_backward));
        if !is_blank && self.is_drawn_twice(text, glyph, &relation) {
            return;
        }
        match relation {
            Relation::First | Relation::Joined => self.push(text, glyph, false),
            Relation::Spaced => self.push(text, glyph, true),
            Relation::Line | Relation::Paragraph if is_blank => {
                // Blanks between pieces of text have places of their own, which say nothing.
                return;
            }
            Relation::Line => {
                self.line(out);
                self.push(text, glyph, false);
            }
            Relation::Paragraph => {
                self.line(out);
                out.paragraph();
                self.push(text, glyph, false);
            }
        }
        if !is_blank {
            self.count += 1;
        }
        self.last = Some(Glyph { ..*glyph });
    }

    fn push(&mut self, text: &str, glyph: &Glyph, is_spaced: bool) {
        if text.is_empty() && !is_spaced {
            return;
        }
        self.line.pieces.push(Piece {
            text: text.to_owned(),
            at: glyph.start.to_vec2().dot(glyph.along),
            is_spaced,
        });
    }

    fn is_drawn_twice(&mut self, text: &str, glyph: &Glyph, relation: &Relation) -> bool {
        let Some(first) = text.chars().next() else {
            return false;
        };
        let near = glyph.size * SAME_PLACE;
        let is_near = |place: Point| {
            (place.x - glyph.start.x).abs() < near && (place.y - glyph.start.y).abs() < near
        };
        // Text that goes on where it ended is at a place of its own, unless all of it is drawn again.
        let goes_back = !matches!(relation, Relation::Joined | Relation::Spaced)
            || self.last.as_ref().is_some_and(|last| is_near(last.start));
        if self.is_again || goes_back {
            self.is_again = self
                .recent
                .iter()
                .any(|(place, character)| *character == first && is_near(*place));
            if self.is_again {
                return true;
            }
        }
        if self.recent.len() < RECENT {
            self.recent.push((glyph.start, first));
        } else if let Some(oldest) = self.recent.get_mut(self.next_recent) {
            *oldest = (glyph.start, first);
            self.next_recent = (self.next_recent + 1) % RECENT;
        }
        false
    }

    /// Ends the line.
    pub(crate) fn line(&mut self, out: &mut Output) {
        let line = std::mem::take(&mut self.line);
        out.flow(&line.into_text());
        out.line();
    }

    /// Ends the page.
    pub(crate) fn finish(&mut self, out: &mut Output) {
        self.line(out);
        self.last = None;
        self.recent.clear();
        self.next_recent = 0;
    }
}

enum Relation {
    First,
    Joined,
    Spaced,
    Line,
    Paragraph,
}

/// How a glyph follows another; `is_backward` if it belongs to text that is written from right to left.
fn relation(last: &Glyph, next: &Glyph, is_backward: bool) -> Relation {
    let size = last.size.max(next.size).max(f64::MIN_POSITIVE);
    let across = Vec2::new(-last.along.y, last.along.x);
    let step = next.start - last.end;
    let is_aligned = last.along.dot(next.along) > 0.95;
    let offset = (next.start - last.start).dot(across) / size;
    if !is_aligned {
        return Relation::Line;
    }
    if offset.abs() > LINE_OFFSET {
        // Upwards is another column or another part of the page.
        let is_far = !(-PARAGRAPH..=LINE_OFFSET * 2.0).contains(&offset);
        return if is_far {
            Relation::Paragraph
        } else {
            Relation::Line
        };
    }
    let small = last.size.min(next.size).max(size * 0.5);
    let gap = step.dot(last.along);
    if gap > small * WORD_GAP {
        return Relation::Spaced;
    }
    if gap > -small * BACK {
        return Relation::Joined;
    }
    if !is_backward {
        return Relation::Line;
    }
    // The next glyph ends where the last one began.
    let back = (last.start - next.end).dot(last.along);
    if back.abs() <= small * WORD_GAP {
        return Relation::Joined;
    }
    if back > 0.0 && back < small * 1.5 {
        return Relation::Spaced;
    }
    Relation::Line
}

impl Line {
    /// The text in the order of reading. Right-to-left text that was drawn from left to right comes out reversed.
    fn into_text(self) -> String {
        let is_right_to_left = |text: &str| text.chars().any(is_right_to_left);
        let mut strong = 0_usize;
        let mut drawn_forward = 0_usize;
        let mut drawn_backward = 0_usize;
        for pair in self.pieces.windows(2) {
            let [one, two] = pair else { continue };
            if is_right_to_left(&one.text) && is_right_to_left(&two.text) {
                strong += 1;
                if two.at > one.at {
                    drawn_forward += 1;
                } else if two.at < one.at {
                    drawn_backward += 1;
                }
            }
        }
        if strong == 0 || drawn_forward <= drawn_backward {
            return join(self.pieces.iter());
        }
        reordered(&self.pieces)
    }
}

fn join<'p>(pieces: impl Iterator<Item = &'p Piece>) -> String {
    let mut text = String::new();
    for piece in pieces {
        if piece.is_spaced {
            text.push(' ');
        }
        text.push_str(&piece.text);
    }
    text
}

/// A line in visual order, turned round word by word: right-to-left runs backwards, what is between them as it is.
fn reordered(pieces: &[Piece]) -> String {
    // Each piece with the space that follows it, so that turning the order keeps words apart.
    let mut units: Vec<String> = Vec::new();
    for piece in pieces {
        if piece.is_spaced {
            units.push(" ".to_owned());
        }
        units.push(piece.text.clone());
    }
    let mut text = String::new();
    let mut run: Vec<&str> = Vec::new();
    for unit in units.iter().rev() {
        let is_left_to_right =
            unit.chars().any(char::is_alphanumeric) && !unit.chars().any(is_right_to_left);
        if is_left_to_right {
            run.push(unit);
        } else {
            text.extend(run.drain(..).rev());
            text.push_str(unit);
        }
    }
    text.extend(run.drain(..).rev());
    text
}

fn is_right_to_left(character: char) -> bool {
    matches!(character, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{fefc}' | '\u{10800}'..='\u{10fff}' | '\u{1e800}'..='\u{1efff}')
}
