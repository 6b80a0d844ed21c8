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
mod lines;
mod raw;
mod verdict;

use serde_json::Value;

use crate::MAX_TEXT_BYTES;
use crate::failure::{EndpointError, Failure, FailureKind, scrub::scrub};
use crate::json::{entries, is_json};
use crate::reasoning::{Piece, Splitter};
use chunk::{Chunk, Written};
use ending::{Meaning, Reason};
use lines::{Lines, MAX_BYTES, TooLong};
use raw::{Raw, Taken};
pub use verdict::ONLY_REASONING;
use verdict::Verdict;

/// So much is kept of what is no part of a reply, to be quoted.
const MAX_STRAY_BYTES: usize = 1024;

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
    key: String,
    /// Something came that is not white space.
    begun: bool,
    lines: Lines,
    raw: Option<Raw>,
    /// The `event` and the `data` lines of the event that is being received, these with line ends between them.
    event: String,
    data: Option<String>,
    splitter: Splitter,
    text_bytes: usize,
    reasoning_bytes: usize,
    verdict: Verdict,
    is_reply: bool,
    /// What is read is no event.
    is_raw: bool,
    /// The last object of the reply is all of one.
    is_whole: bool,
    /// Text followed a reason to end.
    marks_all: bool,
    /// Nothing was written with the reason to end, nor after it.
    rests: bool,
    usage: Option<Value>,
    /// What is in the body and no part of a reply.
    stray: String,
    ended: bool,
    events: Vec<Event>,
}

impl Stream {
    /// A reader for one reply. The key is needed to keep it out of messages.
    pub fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            begun: false,
            lines: Lines::default(),
            raw: None,
            event: String::new(),
            data: None,
            splitter: Splitter::default(),
            text_bytes: 0,
            reasoning_bytes: 0,
            verdict: Verdict::default(),
            is_reply: false,
            is_raw: false,
            is_whole: false,
            marks_all: false,
            rests: false,
            usage: None,
            stray: String::new(),
            ended: false,
            events: Vec::new(),
        }
    }

    /// Whether the reason to end was sent and nothing more is likely to come. More may come all the same.
    pub fn rests(&self) -> bool {
        self.rests
    }

    /// Whether the reply has ended: what follows is not read.
    pub fn has_ended(&self) -> bool {
        self.ended
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
                self.fail(Failure::web_page());
            }
        }
        while !bytes.is_empty() && !self.ended {
            if self.step(&mut bytes).is_err() {
                self.fail(Failure::too_long());
            }
        }
        std::mem::take(&mut self.events)
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
        if self.ended {
            return std::mem::take(&mut self.events);
        }
        let is_complete = self.verdict.reason.is_some() || self.is_whole;
        match cut {
            Some(cut) if self.is_reply || cut.contains("\"choices\"") => {
                self.fail(Failure::broken());
            }
            Some(cut) => self.fail(Failure::unreadable(&cut, &self.key)),
            None if is_complete => self.done(),
            None if self.is_reply => self.fail(Failure::cut_short(&self.stray, &self.key)),
            None => self.done(),
        }
        std::mem::take(&mut self.events)
    }

    /// The body broke off, or nothing came for too long: `failure`. Of a model that only rests all has come.
    pub fn give_up(&mut self, failure: Failure) -> Vec<Event> {
        if self.rests && failure.kind == FailureKind::Silent {
            self.done();
        } else {
            self.fail(failure);
        }
        std::mem::take(&mut self.events)
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
            self.is_raw = true;
            self.read(&text);
            self.is_raw = false;
        } else {
            self.note(&text);
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
            _ => self.note(&line),
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
            return self.fail(Failure::too_long());
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
        if event == "error" && Chunk::parse(&data).is_none_or(|chunk| chunk.error.is_none()) {
            let error = EndpointError::parse(&data).unwrap_or_else(|| EndpointError::of(&data));
            return self.fail(Failure::in_reply(&error, &self.key));
        }
        self.read(&data);
    }

    /// Reads one event's data, or a value of the body.
    fn read(&mut self, data: &str) {
        let data = data.trim();
        if self.ended || data.is_empty() || data == "null" {
            return;
        }
        if is_done(data) {
            return self.done();
        }
        if ["ping", "[ping]", "heartbeat", "keepalive", "keep-alive"]
            .contains(&&*data.to_ascii_lowercase())
        {
            return;
        }
        // Gemini puts its errors into an array.
        let mut list = Vec::new();
        if entries(data, |entry| list.push(entry)).is_some() {
            if list.is_empty() {
                self.note(data);
            }
            for entry in list {
                self.object(entry);
            }
            return;
        }
        self.object(data);
    }

    fn object(&mut self, data: &str) {
        if self.ended {
            return;
        }
        let Some(chunk) = Chunk::parse(data) else {
            let said = EndpointError::parse(data).map(|said| said.text);
            let words = said.filter(|words| !words.is_empty());
            let words = words.unwrap_or_else(|| data.to_owned());
            return self.fail(match self.is_reply {
                true if data.starts_with('{') => Failure::garbled("", &self.key),
                true => Failure::garbled(&words, &self.key),
                false => Failure::unreadable(&words, &self.key),
            });
        };
        if chunk.is_reply {
            self.is_reply = true;
            self.is_whole = chunk.is_whole && self.is_raw;
        } else if chunk.usage.is_none() && chunk.error.is_none() {
            let words = EndpointError::read(data).text;
            self.note(if words.is_empty() { data } else { &words });
        }
        self.usage = chunk.usage.or(self.usage.take());
        let is_empty = chunk.written == Written::default();
        if !is_empty {
            self.marks_all |= self.verdict.reason.is_some();
            self.rests = false;
        }
        self.verdict.tool = self.verdict.tool.take().or(chunk.written.tool);
        self.think(chunk.written.reasoning);
        self.write(&chunk.written.text);
        if self.ended {
            return;
        }
        if let Some(error) = chunk.error {
            return self.fail(Failure::in_reply(&error, &self.key));
        }
        if let Some(reason) = chunk.finish {
            let is_last =
                self.verdict.has_text && !self.marks_all || reason.meaning != Meaning::Stop;
            self.rests = is_empty && is_last;
            self.verdict.add_reason(reason);
        }
    }

    /// Keeps what is no part of a reply.
    fn note(&mut self, text: &str) {
        let text = text.trim();
        if text.is_empty() || text.starts_with('<') || self.stray.len() >= MAX_STRAY_BYTES {
            return;
        }
        if !self.stray.is_empty() {
            self.stray.push(' ');
        }
        self.stray
            .push_str(&text[..text.floor_char_boundary(MAX_STRAY_BYTES)]);
    }

    fn write(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        for piece in self.splitter.push(text) {
            self.piece(piece);
        }
    }

    fn piece(&mut self, piece: Piece) {
        match piece {
            _ if self.ended => {}
            Piece::Reasoning(thought) => self.think(thought),
            Piece::Text(text) => self.answer(text),
        }
    }

    fn think(&mut self, mut thought: String) {
        // A user reads no more than so much, and the answer may still come.
        let room = MAX_TEXT_BYTES - self.reasoning_bytes;
        thought.truncate(thought.floor_char_boundary(room));
        self.reasoning_bytes += thought.len();
        self.verdict.has_reasoning |= !thought.trim().is_empty();
        if !thought.is_empty() {
            self.events.push(Event::Reasoning(thought));
        }
    }

    fn answer(&mut self, mut text: String) {
        let room = MAX_TEXT_BYTES - self.text_bytes;
        let is_too_much = text.len() > room;
        if is_too_much {
            text.truncate(text.floor_char_boundary(room));
        }
        self.text_bytes += text.len();
        self.verdict.has_text |= !text.trim().is_empty();
        if !text.is_empty() {
            self.events.push(Event::Delta(text));
        }
        if is_too_much {
            self.verdict.reason = Some(Reason::length());
            self.done();
        }
    }

    fn done(&mut self) {
        if self.ended {
            return;
        }
        self.flush();
        let failure = if self.is_reply || self.stray.is_empty() {
            self.verdict.failure(&self.key)
        } else {
            Some(Failure::unreadable(&self.stray, &self.key))
        };
        self.close(failure.map_or(Event::Done, Event::Error));
    }

    fn fail(&mut self, failure: Failure) {
        if !self.ended {
            self.flush();
            self.close(Event::Error(failure));
        }
    }

    /// What was waited with is text.
    fn flush(&mut self) {
        if let Some(piece) = self.splitter.end() {
            self.piece(piece);
        }
    }

    fn close(&mut self, end: Event) {
        if self.ended {
            return;
        }
        if let Some(reason) = self.verdict.reason.take() {
            let word = scrub(&reason.word, &self.key);
            self.events.push(Event::Finish(word));
        }
        let usage = self.usage.take().filter(|usage| {
            let usage = usage.to_string();
            scrub(&usage, &self.key) == usage
        });
        self.events.extend(usage.map(Event::Usage));
        self.events.push(end);
        self.ended = true;
        self.rests = false;
        self.raw = None;
        self.lines = Lines::default();
        self.data = None;
    }
}

/// Whether an event's data needs no more lines.
fn is_whole(data: &str) -> bool {
    is_done(data.trim()) || is_json(data)
}

/// Whether this is the mark of a stream's end.
fn is_done(data: &str) -> bool {
    data.trim_matches('"').eq_ignore_ascii_case("[DONE]")
}

#[cfg(test)]
mod tests;
