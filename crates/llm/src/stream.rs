//! From the bytes of a reply to its events.
//!
//! A reply should be server-sent events, but some endpoints answer with one JSON object although a stream was asked
//! for, and at a wrong base URL there is a web page: the first byte decides.
//!
//! The reader of events is ours, because `eventsource-stream` 0.2 can't bound a line: it appends what comes to one
//! string until an event is complete, whatever its length, and copies the rest of that string for each line. It also
//! lacks what some endpoints need: events without an empty line between them, and errors that are no event.

mod chunk;
mod lines;

use serde_json::Value;

use crate::MAX_TEXT_BYTES;
use crate::failure::{EndpointError, Failure, scrub::scrub};
use chunk::Chunk;
use lines::{Lines, MAX_BYTES, TooLong};

/// An answer that is no stream has at most so many bytes: the longest text of a reply, with the escapes of any
/// language.
const MAX_ANSWER_BYTES: usize = 2 * MAX_TEXT_BYTES;

/// An event of a reply. `Done` or `Error` is the last.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// More text; never empty.
    Delta(String),
    /// Why the reply ended: `stop`, `length`, …. At most once; some endpoints never send it.
    Finish(String),
    /// The usage, unchanged from the endpoint: an object of numbers. At most once, just before `Done`.
    Usage(Value),
    /// The reply is whole.
    Done,
    /// The reply ends here and is not whole.
    Error(Failure),
}

/// Reads a reply piece by piece. However the bytes are cut, the events are the same.
#[derive(Debug)]
pub struct Stream {
    key: String,
    body: Body,
    lines: Lines,
    /// The `event` and the `data` lines of the event that is being received, these with line ends between them.
    event: String,
    data: Option<String>,
    text_bytes: usize,
    is_reply: bool,
    finished: bool,
    usage: Option<Value>,
    ended: bool,
    events: Vec<Event>,
}

/// What the body is.
#[derive(Debug)]
enum Body {
    /// Nothing came yet but white space.
    Unknown,
    Events,
    /// One JSON value, as far as it came.
    Json(Vec<u8>),
}

impl Stream {
    /// A reader for one reply. The key is needed to keep it out of messages.
    pub fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            body: Body::Unknown,
            lines: Lines::default(),
            event: String::new(),
            data: None,
            text_bytes: 0,
            is_reply: false,
            finished: false,
            usage: None,
            ended: false,
            events: Vec::new(),
        }
    }

    /// Whether the finish reason was sent: no more text is expected.
    pub fn finished(&self) -> bool {
        self.finished
    }

    /// More bytes came.
    pub fn feed(&mut self, mut bytes: &[u8]) -> Vec<Event> {
        if matches!(self.body, Body::Unknown) && !self.ended {
            // White space and the byte order mark decide nothing.
            let first = bytes
                .iter()
                .position(|byte| !b" \t\r\n\xef\xbb\xbf".contains(byte));
            bytes = &bytes[first.unwrap_or(bytes.len())..];
            match bytes.first() {
                None => {}
                Some(b'{' | b'[') => self.body = Body::Json(Vec::new()),
                Some(b'<') => self.fail(Failure::web_page()),
                Some(_) => self.body = Body::Events,
            }
        }
        match &mut self.body {
            _ if self.ended => {}
            Body::Unknown => {}
            Body::Json(json) => {
                if json.len() + bytes.len() > MAX_ANSWER_BYTES {
                    self.fail(Failure::too_long());
                } else {
                    json.extend_from_slice(bytes);
                }
            }
            Body::Events => self.feed_events(bytes),
        }
        std::mem::take(&mut self.events)
    }

    /// The body ended: what that means.
    pub fn end(&mut self) -> Vec<Event> {
        match std::mem::replace(&mut self.body, Body::Unknown) {
            _ if self.ended => {}
            Body::Json(json) => {
                self.read(&String::from_utf8_lossy(&json));
                // An endpoint that sends the whole reply at once need not send a finish reason.
                if self.is_reply {
                    self.done();
                }
            }
            // Some servers forget the last empty line.
            Body::Events => {
                let rest = self.lines.rest();
                self.line(&rest);
                self.dispatch();
            }
            Body::Unknown => {}
        }
        if self.finished {
            self.done();
        } else if self.is_reply {
            self.fail(Failure::broken());
        } else {
            self.fail(Failure::unreadable());
        }
        std::mem::take(&mut self.events)
    }

    /// The body broke off, or nothing came for too long: `failure`, unless the reply was whole already.
    pub fn give_up(&mut self, failure: Failure) -> Vec<Event> {
        if self.finished {
            self.done();
        } else {
            self.fail(failure);
        }
        std::mem::take(&mut self.events)
    }

    fn feed_events(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && !self.ended {
            match self.lines.next(&mut bytes) {
                Ok(Some(line)) => self.line(&line),
                Ok(None) => {}
                Err(TooLong) => self.fail(Failure::too_long()),
            }
        }
    }

    fn line(&mut self, line: &[u8]) {
        if line.is_empty() {
            return self.dispatch();
        }
        let line = String::from_utf8_lossy(line);
        // Some servers put an error into the stream as it is.
        if line.starts_with('{') {
            if Chunk::parse(&line).is_some_and(|chunk| chunk.error.is_some()) {
                self.read(&line);
            }
            return;
        }
        let (field, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => self.data_line(value),
            "event" => self.event = value.to_owned(),
            _ => {}
        }
    }

    fn data_line(&mut self, value: &str) {
        // Some servers forget the empty line between two events. Only a first line is looked at: to read all of it
        // again with each line would take forever.
        let first = self.data.as_deref().filter(|data| !data.contains('\n'));
        if first.is_some_and(is_whole) {
            self.dispatch();
        }
        let data = self.data.get_or_insert_default();
        if !data.is_empty() {
            data.push('\n');
        }
        if data.len() + value.len() > MAX_BYTES {
            return self.fail(Failure::too_long());
        }
        data.push_str(value);
    }

    fn dispatch(&mut self) {
        let event = std::mem::take(&mut self.event);
        let Some(data) = self.data.take() else {
            return;
        };
        if event == "error" && Chunk::parse(&data).is_none_or(|chunk| chunk.error.is_none()) {
            let error = EndpointError::parse(&data).unwrap_or_else(|| EndpointError::of(&data));
            return self.fail(Failure::in_reply(&error, &self.key));
        }
        self.read(&data);
    }

    /// Reads one event's data, or the whole body.
    fn read(&mut self, data: &str) {
        let data = data.trim();
        if self.ended || data.is_empty() {
            return;
        }
        if data == "[DONE]" {
            return self.done();
        }
        let Some(chunk) = Chunk::parse(data) else {
            return self.fail(if self.is_reply {
                Failure::garbled()
            } else {
                Failure::unreadable()
            });
        };
        self.is_reply |= chunk.is_reply;
        self.usage = chunk.usage.or(self.usage.take());
        self.text(chunk.text);
        if self.ended {
            return;
        }
        if let Some(error) = chunk.error {
            return self.fail(Failure::in_reply(&error, &self.key));
        }
        if let Some(why) = chunk.finish {
            self.finish(why);
        }
    }

    fn text(&mut self, mut text: String) {
        let room = MAX_TEXT_BYTES - self.text_bytes;
        let is_too_much = text.len() > room;
        if is_too_much {
            text.truncate(text.floor_char_boundary(room));
        }
        self.text_bytes += text.len();
        if !text.is_empty() {
            self.events.push(Event::Delta(text));
        }
        if is_too_much {
            self.finish("length".to_owned());
            self.done();
        }
    }

    fn finish(&mut self, why: String) {
        if !self.finished {
            self.finished = true;
            self.events.push(Event::Finish(scrub(&why, &self.key)));
        }
    }

    fn done(&mut self) {
        if !self.ended {
            let usage = self.usage.take().filter(|usage| {
                let usage = usage.to_string();
                scrub(&usage, &self.key) == usage
            });
            self.events.extend(usage.map(Event::Usage));
            self.events.push(Event::Done);
            self.close();
        }
    }

    fn fail(&mut self, failure: Failure) {
        if !self.ended {
            self.events.push(Event::Error(failure));
            self.close();
        }
    }

    fn close(&mut self) {
        self.ended = true;
        self.body = Body::Unknown;
        self.lines = Lines::default();
        self.data = None;
    }
}

/// Whether an event's data needs no more lines.
fn is_whole(data: &str) -> bool {
    data.trim() == "[DONE]" || Chunk::parse(data).is_some()
}

#[cfg(test)]
mod tests;
