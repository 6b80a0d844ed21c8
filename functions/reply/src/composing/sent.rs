//! What clients are sent when a reply has ended, in both versions of the protocol.

use kafka_common::announce::{MAX_FRAME_BYTES, text};
use kafka_common::api::events::{Event, EventV1, GenerationEnded, MessageV1};
use kafka_common::api::relay::Message;
use kafka_common::api::words::{MessageKind, Status};
use kafka_common::chat_files::NewVersion;
use kafka_llm::diff::unified_diff;
use serde_json::{Value, json};

/// What clients are sent.
#[derive(Debug)]
pub struct Sent {
    pub events: Vec<Event>,
    pub v1: Vec<String>,
    /// How the reply has ended.
    pub status: Status,
}

/// All that was stored.
pub(super) struct Stored {
    /// Each file, and if it was changed the message about it with its rev; that of the file is the next one.
    pub files: Vec<(Made, Option<(Message, i64)>)>,
    pub ended: GenerationEnded,
}

impl Stored {
    pub(super) fn sent(self) -> Sent {
        let Self { files, ended } = self;
        let (mut events, mut v1) = (Vec::new(), Vec::new());
        for (file, message) in &files {
            let diff = file.diff();
            if let Some((message, rev)) = message {
                events.push(Event::added(message.clone(), *rev));
                events.push(file.event(rev + 1, &diff));
            }
            v1.push(file.v1(&diff));
        }
        // A complete reply has its text, whatever else there is to say.
        let error = ended.error.as_ref();
        if let Some(error) = error.filter(|_| ended.status != Status::Complete) {
            v1.push(text(&EventV1::error(error.as_str())));
        } else if files.is_empty() {
            let said = ended.message.content.clone().unwrap_or_default();
            if ended.status == Status::Complete || !said.is_empty() {
                v1.push(said);
            }
        }
        let status = ended.status;
        events.push(ended.into());
        Sent { events, v1, status }
    }
}

/// A file that was made or changed.
#[derive(Debug, Clone)]
pub(super) struct Made {
    pub id: String,
    pub name: String,
    pub text: String,
    /// Its text before; `None` for a new one.
    pub before: Option<String>,
    pub version: String,
    pub timestamp: String,
    pub is_new: bool,
    pub changed: bool,
}

impl Made {
    fn diff(&self) -> String {
        unified_diff(self.before.as_deref().unwrap_or_default(), &self.text)
    }

    pub(super) fn content(&self) -> Value {
        json!({ "based_filename": self.name, "based_content": self.text })
    }

    /// v2's event.
    fn event(&self, rev: i64, diff: &str) -> Event {
        let version = NewVersion {
            file: &self.id,
            name: &self.name,
            id: &self.version,
            timestamp: &self.timestamp,
            text: &self.text,
        };
        version.event(rev, || diff.to_owned())
    }

    /// v1's answer to the prompt, without the text if that is too long for a frame.
    fn v1(&self, diff: &str) -> String {
        let answer = text(&self.v1_answer(diff));
        if answer.len() <= MAX_FRAME_BYTES {
            return answer;
        }
        let cut = Self {
            text: String::new(),
            ..self.clone()
        };
        text(&cut.v1_answer(""))
    }

    fn v1_answer(&self, diff: &str) -> EventV1 {
        let content = self.content();
        let block = MessageV1::about_file(content.to_string().into());
        let is_new = self.is_new;
        let diff = (!is_new).then(|| diff.to_owned());
        let mut message = MessageV1::about_file(content.clone());
        message.diff.clone_from(&diff);
        EventV1::AgentResponse {
            kind: is_new.then_some(MessageKind::File),
            id: is_new.then(|| self.id.as_str().into()),
            content: is_new.then_some(content),
            message,
            diff,
            block: is_new.then(|| Box::new(block)),
        }
    }
}
