//! From the objects of a reply to its events.

use serde_json::Value;

use super::Event;
use super::chunk::{Chunk, Written};
use super::ending::{Meaning, Reason};
use super::verdict::Verdict;
use crate::MAX_TEXT_BYTES;
use crate::failure::{EndpointError, Failure, FailureKind, scrub::scrub};
use crate::json::entries;
use crate::reasoning::{Piece, Splitter};

/// So much is kept of what is no part of a reply, to be quoted.
const MAX_STRAY_BYTES: usize = 1024;

/// Collects what the objects of one reply contain, and decides what its end means.
#[derive(Debug, Default)]
pub(super) struct Interpreter {
    key: String,
    splitter: Splitter,
    text_bytes: usize,
    reasoning_bytes: usize,
    verdict: Verdict,
    is_reply: bool,
    /// The last object of the reply is all of one.
    is_whole: bool,
    /// Text followed a reason to end.
    marks_all: bool,
    /// Nothing was written with the reason to end, nor after it.
    pub(super) rests: bool,
    usage: Option<Value>,
    /// What is in the body and no part of a reply.
    stray: String,
    /// Amid the reply came something else, in words.
    is_interrupted: bool,
    pub(super) has_ended: bool,
    pub(super) events: Vec<Event>,
}

impl Interpreter {
    /// The key is needed to keep it out of messages.
    pub(super) fn new(key: &str) -> Self {
        Self {
            key: key.to_owned(),
            ..Self::default()
        }
    }

    /// The body ended, perhaps in the middle of a value, of which `cut` is the beginning.
    pub(super) fn end(&mut self, cut: Option<&str>) {
        let is_complete = self.verdict.reason.is_some() || self.is_whole;
        match cut {
            Some(cut) if self.is_reply || cut.contains("\"choices\"") => {
                self.fail(Failure::broken());
            }
            Some(cut) => self.fail(Failure::unreadable(cut, &self.key)),
            None if is_complete => self.done(),
            None if self.is_reply => self.fail(Failure::cut_short(&self.stray, &self.key)),
            None => self.done(),
        }
    }

    /// The body broke off, or nothing came for too long: `failure`. Of a model that only rests all has come.
    pub(super) fn give_up(&mut self, failure: Failure) {
        if self.rests && failure.kind == FailureKind::Silent {
            self.done();
        } else {
            self.fail(failure);
        }
    }

    /// Reads the data of an event that is called an error.
    pub(super) fn error(&mut self, data: &str) {
        if Chunk::parse(data).is_some_and(|chunk| chunk.error.is_some()) {
            return self.read(data, false);
        }
        let error = EndpointError::parse(data).unwrap_or_else(|| EndpointError::of(data));
        self.fail(Failure::in_reply(&error, &self.key));
    }

    /// Reads one event's data, or if it `is_raw` a value of the body that is no event.
    pub(super) fn read(&mut self, data: &str, is_raw: bool) {
        let data = data.trim();
        if self.has_ended || data.is_empty() || data == "null" {
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
                self.object(entry, is_raw);
            }
            return;
        }
        self.object(data, is_raw);
    }

    fn object(&mut self, data: &str, is_raw: bool) {
        if self.has_ended {
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
            self.is_whole = chunk.is_whole && is_raw;
        } else if chunk.usage.is_none() && chunk.error.is_none() {
            let words = EndpointError::read(data).text;
            self.is_interrupted |= self.is_reply && !words.is_empty();
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
        if self.has_ended {
            return;
        }
        if let Some(error) = chunk.error {
            if let Some(reason) = chunk.finish {
                self.verdict.add_reason(reason);
            }
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
    pub(super) fn note(&mut self, text: &str) {
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
            _ if self.has_ended => {}
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
        if self.has_ended {
            return;
        }
        self.flush();
        let failure = if self.is_reply && self.is_interrupted && self.verdict.reason.is_none() {
            // Nothing says that it is whole but the mark that every stream has.
            Some(Failure::cut_short(&self.stray, &self.key))
        } else if self.is_reply || self.stray.is_empty() {
            self.verdict.failure(&self.key)
        } else {
            Some(Failure::unreadable(&self.stray, &self.key))
        };
        self.close(failure.map_or(Event::Done, Event::Error));
    }

    pub(super) fn fail(&mut self, failure: Failure) {
        if !self.has_ended {
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
        if self.has_ended {
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
        self.has_ended = true;
        self.rests = false;
    }
}

/// Whether this is the mark of a stream's end.
pub(super) fn is_done(data: &str) -> bool {
    data.trim_matches('"').eq_ignore_ascii_case("[DONE]")
}
