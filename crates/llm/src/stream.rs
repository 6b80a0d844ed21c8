//! From the bytes of a reply to its events.
//!
//! A reply should be server-sent events, but some endpoints answer with one JSON object although a stream was asked for,
//! with a line of JSON for each piece, or with an error amid events, and at a wrong base URL there is a web page. What the
//! bytes are counts, not what the answer's headers call them.
//!
//! The reader of events is ours, because `eventsource-stream` 0.2 can't bound a line: it appends what comes to one string
//! until an event is complete, whatever its length, and copies the rest of that string for each line. It also lacks what
//! some endpoints need: events without an empty line between them, and errors that are no event.
//!
//! A reply is whole when its stream ends, not when a piece names a reason to end: some endpoints put `stop` into every
//! piece. And it is complete only if there is an answer in it ([`verdict`]).

mod chunk;
mod ending;
mod interpreter;
mod lines;
mod raw;
mod verdict;

use serde_json::Value;

use crate::failure::Failure;
use crate::json::is_json;
use interpreter::{Interpreter, is_done};
use lines::{Lines, MAX_BYTES, TooLong};
use raw::{Raw, Taken};
pub use verdict::ONLY_REASONING;

/// An event of a reply. `Done` or `Error` is the last.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// More of what the model thinks before it answers; never empty.
    Reasoning(String),
    /// More text; never empty.
    Delta(String),
    /// Why the model ended: `stop`, `length`, `content_filter`, `tool_calls` or a word of its own. At most once, after all
    /// text; some endpoints never send it.
    Finish(String),
    /// The usage, unchanged from the endpoint: an object of numbers. At most once, just before the end.
    Usage(Value),
    /// The reply is whole.
    Done,
    /// The reply ends here and is not whole, or has no answer in it.
    Error(Failure),
}

/// Reads a reply piece by piece. However the bytes are cut, the events are the same.
#[derive(Debug)]
pub struct Stream {
    /// Something came that is not white space.
    begun: bool,
    lines: Lines,
    raw: Option<Raw>,
    /// The `event` and the `data` lines of the event that is being received, these with line ends between them.
    event: String,
    data: Option<String>,
    interpreter: Interpreter,
}

impl Stream {
    /// A reader for one reply. The key is needed to keep it out of messages.
    pub fn new(key: &str) -> Self {
        Self {
            begun: false,
            lines: Lines::default(),
            raw: None,
            event: String::new(),
            data: None,
            interpreter: Interpreter::new(key),
        }
    }

    /// Whether the reason to end was sent and nothing more is likely to come. More may come all the same.
    pub fn rests(&self) -> bool {
        self.interpreter.rests
    }

    /// Whether the reply has ended: what follows is not read.
    pub fn has_ended(&self) -> bool {
        self.interpreter.has_ended
    }

    /// More bytes came.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Vec<Event> {
        if !self.begun {
            // White space and the byte order mark decide nothing.
            let first = bytes
                .iter()
                .position(|byte| !b" \t\r\n\xef\xbb\xbf".contains(byte));
            bytes = &bytes[first.unwrap_or(bytes.len())..];
            self.begun = !bytes.is_empty();
            if bytes.first() == Some(&b'<') {
                self.interpreter.fail(Failure::web_page());
            }
        }
        while !bytes.is_empty() && !self.has_ended() {
            if self.step(&mut bytes).is_err() {
                self.interpreter.fail(Failure::too_long());
            }
        }
        self.taken()
    }

    /// The body ended: what that means.
    pub fn end(&mut self) -> Vec<Event> {
        let cut = self.raw.take().map(|raw| raw.text());
        if cut.is_none() {
            // Some servers forget the last empty line.
            let rest = self.lines.rest();
            self.line(&rest);
            self.dispatch();
        }
        self.interpreter.end(cut.as_deref());
        self.taken()
    }

    /// The body broke off, or nothing came for too long: `failure`. Of a model that only rests all has come.
    pub fn give_up(&mut self, failure: Failure) -> Vec<Event> {
        self.interpreter.give_up(failure);
        self.taken()
    }

    /// The events since the last time. After the end of the reply nothing else is kept.
    fn taken(&mut self) -> Vec<Event> {
        if self.has_ended() {
            self.raw = None;
            self.lines = Lines::default();
            self.data = None;
        }
        std::mem::take(&mut self.interpreter.events)
    }

    /// Reads a line, a value, or what there is of it.
    fn step(&mut self, bytes: &mut &[u8]) -> Result<(), TooLong> {
        let Some(raw) = &mut self.raw else {
            if self.lines.at_start(bytes) && matches!(bytes.first(), Some(b'{' | b'[')) {
                self.raw = Some(Raw::default());
            } else if let Some(line) = self.lines.next(bytes)? {
                self.line(&line);
            }
            return Ok(());
        };
        let taken = raw.take(bytes)?;
        if taken == Taken::Part {
            return Ok(());
        }
        let text = raw.text();
        self.raw = None;
        if taken == Taken::Value && (is_json(&text) || is_done(&text)) {
            self.dispatch();
            self.interpreter.read(&text, true);
        } else {
            self.interpreter.note(&text);
        }
        if taken == Taken::Event {
            self.lines.next(&mut { raw::EVENT })?;
        }
        Ok(())
    }

    fn line(&mut self, line: &[u8]) {
        if line.is_empty() {
            return self.dispatch();
        }
        let line = String::from_utf8_lossy(line);
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        match field.trim_start() {
            "data" => self.data_line(value.strip_prefix(' ').unwrap_or(value)),
            "event" => self.event = value.trim().to_owned(),
            // A comment has no field.
            "" | "id" | "retry" => {}
            _ if self.is_within_json() => self.add_data(&line),
            // Not of the standard, and what some servers say instead of an event.
            "error" => {
                self.dispatch();
                self.interpreter.error(value.trim());
            }
            _ => self.interpreter.note(&line),
        }
    }

    fn data_line(&mut self, value: &str) {
        // Some servers forget the empty line between two events. Only a first line is looked at: to read all of it
        // again with each line would take forever.
        let first = self.data.as_deref().filter(|data| !data.contains('\n'));
        if first.is_some_and(is_whole) {
            self.dispatch();
        }
        self.add_data(value);
    }

    /// Whether some server has put JSON of several lines behind one `data:`.
    fn is_within_json(&self) -> bool {
        self.data.as_deref().is_some_and(|data| {
            data.starts_with(['{', '[']) && (data.contains('\n') || !is_whole(data))
        })
    }

    fn add_data(&mut self, value: &str) {
        let data = self.data.get_or_insert_default();
        if !data.is_empty() {
            data.push('\n');
        }
        if data.len() + value.len() > MAX_BYTES {
            return self.interpreter.fail(Failure::too_long());
        }
        data.push_str(value);
    }

    fn dispatch(&mut self) {
        let event = std::mem::take(&mut self.event).to_ascii_lowercase();
        let Some(data) = self.data.take() else {
            return;
        };
        if ["ping", "heartbeat", "keepalive", "keep-alive"].contains(&&*event) {
            return;
        }
        if event == "error" {
            self.interpreter.error(&data);
        } else {
            self.interpreter.read(&data, false);
        }
    }
}

/// Whether an event's data needs no more lines.
fn is_whole(data: &str) -> bool {
    is_done(data.trim()) || is_json(data)
}

#[cfg(test)]
mod tests;
