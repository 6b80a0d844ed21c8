//! A streaming parser of `multipart/form-data` bodies.
//!
//! Not the `multer` crate: docs/http-compatibility.md#multipart-errors tells cases apart that multer doesn't: a
//! body that breaks off is a form with fewer fields, but a preamble, a wrong boundary or bare line feeds are errors,
//! and names may be latin-1 or `filename*`. multer also reads ahead as long as the client sends, without bound.
//!
//! Bytes go in with [`Parser::push`], and [`Parser::next`] gives back what is certain so far. Memory is bounded by
//! the size of the pieces pushed and by [`MAX_HEAD_BYTES`].

use bytes::{Buf, Bytes, BytesMut};
use memchr::memmem::Finder;

use super::header::{Parameters, to_text};

/// The longest head of a part, all its headers together.
const MAX_HEAD_BYTES: usize = 16 * 1024;

/// What the parser has found.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Event {
    /// A part begins.
    Begin(Head),
    /// Bytes of the part's content, never none.
    Data(Bytes),
    /// The part is complete.
    End,
}

/// The head of a part.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) name: String,
    /// Given, even if empty: the part is a file.
    pub(super) filename: Option<String>,
    pub(super) content_type: Option<String>,
}

/// Why a body is no form.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Malformed {
    /// It doesn't keep to the format.
    Syntax,
    /// A part doesn't say which field it is.
    NoName,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Before the first boundary.
    Start,
    /// In the head of a part, behind its boundary's line.
    Head,
    /// In the content of a part.
    Content,
    /// Behind the last boundary. Whatever follows is ignored.
    Done,
}

/// The parser's state between pieces of a body.
#[derive(Debug)]
pub(super) struct Parser {
    /// CRLF, two dashes and the boundary.
    delimiter: Finder<'static>,
    state: State,
    buffer: BytesMut,
    /// Headers of the current part, complete so far.
    headers: Vec<(String, Vec<u8>)>,
    /// Bytes of the current head, complete lines only.
    head_bytes: usize,
}

impl Parser {
    /// A parser for the boundary that the content type names.
    pub(super) fn new(boundary: &[u8]) -> Self {
        let delimiter = Finder::new(&[b"\r\n--", boundary].concat()).into_owned();
        Self {
            delimiter,
            state: State::Start,
            buffer: BytesMut::new(),
            headers: Vec::new(),
            head_bytes: 0,
        }
    }

    /// Adds the next piece of the body.
    pub(super) fn push(&mut self, piece: &[u8]) {
        if self.state != State::Done {
            self.buffer.extend_from_slice(piece);
        }
    }

    /// The next event, or `None` until more is pushed.
    pub(super) fn next(&mut self) -> Result<Option<Event>, Malformed> {
        loop {
            let progress = match self.state {
                State::Start => self.first_boundary()?,
                State::Head => match self.head()? {
                    Step::Event(event) => return Ok(Some(event)),
                    step => step,
                },
                State::Content => match self.content() {
                    Step::Event(event) => return Ok(Some(event)),
                    step => step,
                },
                State::Done => Step::NeedMore,
            };
            if matches!(progress, Step::NeedMore) {
                return Ok(None);
            }
        }
    }

    /// The first boundary stands at the start, behind nothing but empty lines.
    fn first_boundary(&mut self) -> Result<Step, Malformed> {
        let empty = self
            .buffer
            .iter()
            .take_while(|byte| matches!(byte, b'\r' | b'\n'))
            .count();
        self.buffer.advance(empty);
        let boundary = &self.delimiter.needle()[2..];
        let seen = self.buffer.len().min(boundary.len());
        if self.buffer[..seen] != boundary[..seen] {
            return Err(Malformed::Syntax);
        }
        let length = boundary.len();
        match self.behind_boundary(length) {
            Behind::NextPart => self.enter_head(length),
            Behind::LastBoundary => self.finish(),
            Behind::Unknown => return Ok(Step::NeedMore),
            Behind::Other => return Err(Malformed::Syntax),
        }
        Ok(Step::Continue)
    }

    /// Reads header lines up to the empty one. A line is judged as soon as it is wrong, so that garbage is an error
    /// and not the start of a head that never ends.
    fn head(&mut self) -> Result<Step, Malformed> {
        let Some(end) = memchr::memchr(b'\r', &self.buffer) else {
            return self.unfinished_line(self.buffer.len());
        };
        match self.buffer.get(end + 1) {
            Some(b'\n') => {}
            Some(_) => return Err(Malformed::Syntax),
            None => return self.unfinished_line(end),
        }
        let line = self.buffer.split_to(end + 2);
        self.head_bytes += line.len();
        let line = &line[..end];
        if line.is_empty() {
            self.state = State::Content;
            // The delimiter's CRLF may be the very one that ended the head.
            return self.part_head().map(|head| Step::Event(Event::Begin(head)));
        }
        if self.head_bytes > MAX_HEAD_BYTES {
            return Err(Malformed::Syntax);
        }
        let colon = memchr::memchr(b':', line).ok_or(Malformed::Syntax)?;
        let (name, value) = (&line[..colon], line[colon + 1..].trim_ascii());
        if name.is_empty() || !name.iter().all(is_token_byte) {
            return Err(Malformed::Syntax);
        }
        self.headers
            .push((to_text(name).to_ascii_lowercase(), value.to_vec()));
        Ok(Step::Continue)
    }

    fn unfinished_line(&self, length: usize) -> Result<Step, Malformed> {
        let line = &self.buffer[..length];
        let name = line.split(|byte| *byte == b':').next().unwrap_or_default();
        if self.head_bytes + length > MAX_HEAD_BYTES || !name.iter().all(is_token_byte) {
            return Err(Malformed::Syntax);
        }
        Ok(Step::NeedMore)
    }

    fn part_head(&mut self) -> Result<Head, Malformed> {
        let headers = std::mem::take(&mut self.headers);
        let get = |wanted: &str| {
            headers
                .iter()
                .rev()
                .find(|(name, _)| name == wanted)
                .map(|(_, value)| value)
        };
        let disposition = Parameters::parse(get("content-disposition").map_or(&[], Vec::as_slice));
        Ok(Head {
            name: disposition.name("name").ok_or(Malformed::NoName)?,
            filename: disposition
                .name("filename")
                .map(without_windows_directories),
            content_type: get("content-type").map(|value| to_text(value)),
        })
    }

    fn content(&mut self) -> Step {
        let delimiter = self.delimiter.needle().len();
        let Some(at) = self.delimiter.find(&self.buffer) else {
            // What may be the start of a delimiter waits for the rest of it.
            let tail = self.buffer.len().saturating_sub(delimiter - 1);
            let hold = memchr::memchr_iter(b'\r', &self.buffer[tail..])
                .map(|at| tail + at)
                .find(|at| self.delimiter.needle().starts_with(&self.buffer[*at..]));
            return self.data(hold.unwrap_or(self.buffer.len()));
        };
        if at > 0 {
            return self.data(at);
        }
        match self.behind_boundary(delimiter) {
            Behind::NextPart => self.enter_head(delimiter),
            Behind::LastBoundary => self.finish(),
            Behind::Unknown => return Step::NeedMore,
            // It only began like the boundary: content after all.
            Behind::Other => return self.data(delimiter),
        }
        Step::Event(Event::End)
    }

    /// Gives out the first `length` bytes as content.
    fn data(&mut self, length: usize) -> Step {
        match length {
            0 => Step::NeedMore,
            _ => Step::Event(Event::Data(self.buffer.split_to(length).freeze())),
        }
    }

    /// What follows the boundary that the first `length` bytes are.
    fn behind_boundary(&self, length: usize) -> Behind {
        match self.buffer.get(length..).unwrap_or_default() {
            [b'\r', b'\n', ..] => Behind::NextPart,
            [b'-', b'-', ..] => Behind::LastBoundary,
            [] | [b'\r'] | [b'-'] => Behind::Unknown,
            _ => Behind::Other,
        }
    }

    fn enter_head(&mut self, boundary: usize) {
        self.buffer.advance(boundary + 2);
        self.headers.clear();
        self.head_bytes = 0;
        self.state = State::Head;
    }

    fn finish(&mut self) {
        self.buffer.clear();
        self.state = State::Done;
    }
}

enum Step {
    Event(Event),
    Continue,
    NeedMore,
}

enum Behind {
    NextPart,
    LastBoundary,
    Other,
    Unknown,
}

/// A character of a header's name (RFC 9110, section 5.6.2).
fn is_token_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// Old browsers on Windows send the whole path.
fn without_windows_directories(name: String) -> String {
    let is_path = name.get(1..3) == Some(":\\") || name.starts_with("\\\\");
    match name.rsplit_once('\\') {
        Some((_, last)) if is_path => last.to_owned(),
        _ => name,
    }
}

#[cfg(test)]
mod tests;
