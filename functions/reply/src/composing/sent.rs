//! What clients are sent when a reply has ended, in both versions of the protocol.

use kafka_common::announce::{MAX_FRAME_BYTES, fitted};
use kafka_common::chat_files::NewVersion;
use kafka_common::message::Message;
use kafka_common::object;
use kafka_common::reply::ending::Ended;
use kafka_llm::diff::unified_diff;
use serde_json::Value;

/// What clients are sent.
#[derive(Debug)]
pub struct Sent {
    pub events: Vec<String>,
    pub v1: Vec<String>,
}

/// All that was stored.
pub(super) struct Stored {
    /// Each file, and if it was changed the message about it with its rev; that of the file is the next one.
    pub files: Vec<(Made, Option<(Message, i64)>)>,
    pub ended: Ended,
}

impl Stored {
    pub(super) fn sent(self) -> Sent {
        let Self { files, ended } = self;
        let (mut events, mut v1) = (Vec::new(), Vec::new());
        for (file, message) in &files {
            let diff = file.diff();
            if let Some((message, rev)) = message {
                events.push(fitted(message.added(*rev)));
                events.push(fitted(file.event(rev + 1, &diff)));
            }
            v1.push(file.v1(&diff));
        }
        events.push(fitted(ended.event()));
        if let Some(error) = &ended.ending.error {
            v1.push(object!({ "error": error }).to_string());
        } else if files.is_empty()
            && (ended.ending.status == "complete" || !ended.message.content.is_empty())
        {
            v1.push(ended.message.content);
        }
        Sent { events, v1 }
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
        object!({ "based_filename": self.name, "based_content": self.text })
    }

    /// v2's event.
    fn event(&self, rev: i64, diff: &str) -> Value {
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
        let answer = self.v1_answer(diff).to_string();
        if answer.len() <= MAX_FRAME_BYTES {
            return answer;
        }
        let cut = Self {
            text: String::new(),
            ..self.clone()
        };
        cut.v1_answer("").to_string()
    }

    fn v1_answer(&self, diff: &str) -> Value {
        let content = self.content();
        let message = object!({ "role": "assistant", "type": "file", "content": content });
        if !self.is_new {
            return object!({ "action": "agent_response", "message": message, "diff": diff });
        }
        let block =
            object!({ "role": "assistant", "type": "file", "content": content.to_string() });
        object!({
            "action": "agent_response", "type": "file", "id": self.id, "content": content, "message": message,
            "block": block,
        })
    }
}
