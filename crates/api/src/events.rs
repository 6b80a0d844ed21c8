//! The events of a chat: `kafka.v2` over WebSockets and as server-sent events (docs/websocket.md).

#![expect(
    missing_docs,
    reason = "fields that are not documented here are the protocol's, which docs/websocket.md describes"
)]

mod file;
mod message;
mod state;
mod v1;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::IntoStaticStr;

use crate::file::UploadedFile;
use crate::id::{FileId, GenerationId, MessageId, VersionId};
use crate::relay::{Branch, Message, ReplyBegun, Stopped};
use crate::words::{ErrorCode, Rating, Status};

pub use file::{BasedFile, FileVersion, FrameFile, FrameVersion};
pub use message::ChatMessage;
pub use state::{ChatState, Generation, Initial, Sync, SyncedChat};
pub use v1::{EventV1, InitialV1, MessageV1, TextFile};

/// What a client of `kafka.v2` receives: a frame of the WebSocket, or the `data` of a server-sent event whose name is
/// the action. A text for which a frame has no room is `null`, with `truncated`; an event that is too large even so is
/// only `{"action", "rev", "truncated": true}`.
#[derive(Debug, Serialize, JsonSchema, IntoStaticStr)]
#[serde(tag = "action", rename_all = "snake_case")]
#[schemars(rename = "ChatEvent")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    /// The chat as it is when the connection opens.
    Initial(Box<Initial>),
    /// All changes after the `rev` of a request; at the beginning of a stream, the state of its reply.
    Sync(Box<Sync>),
    /// The action with this `id` is done.
    Ack(Box<Ack>),
    /// An action is refused.
    Error(Error),
    /// A message was added.
    Message { rev: i64, message: ChatMessage },
    /// A reply begins, with a message that is empty yet.
    GenerationStarted {
        rev: i64,
        generation_id: GenerationId,
        /// The message that the reply fills.
        message_id: MessageId,
        /// The message that the reply answers.
        parent_id: MessageId,
        model: String,
    },
    /// A piece of a reply.
    Delta {
        generation_id: GenerationId,
        message_id: MessageId,
        seq: i64,
        content: String,
    },
    /// A piece of what the model thinks before it answers, numbered with the deltas.
    ReasoningDelta {
        generation_id: GenerationId,
        message_id: MessageId,
        seq: i64,
        content: String,
    },
    /// A reply has ended.
    GenerationEnded(Box<GenerationEnded>),
    /// Another branch is the active one.
    BranchSelected {
        rev: i64,
        head_id: MessageId,
        messages: Vec<ChatMessage>,
        has_more: bool,
    },
    /// Messages were deleted.
    MessagesDeleted {
        rev: i64,
        /// All of them.
        message_ids: Vec<MessageId>,
        /// The message that the active branch ends with now.
        head_id: Option<MessageId>,
        /// The end of the active branch.
        messages: Vec<ChatMessage>,
        has_more: bool,
    },
    /// A reply was rated.
    MessageRated {
        rev: i64,
        message_id: MessageId,
        rating: Option<Rating>,
        note: Option<String>,
    },
    /// A file was added to the chat.
    FileUploaded {
        rev: i64,
        file_id: Option<FileId>,
        #[schemars(with = "FrameFile")]
        file: Option<UploadedFile>,
        /// Of a file that was uploaded through a WebSocket.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<ChatMessage>,
    },
    /// A file was made or changed.
    FileVersion(Box<FileVersion>),
    /// A file has left the chat.
    FileDeleted {
        rev: i64,
        file_id: FileId,
        name: String,
        message: ChatMessage,
    },
    /// A file has another name.
    FileRenamed {
        rev: i64,
        file_id: FileId,
        name: String,
    },
    /// A file has the text of an older version again.
    RevertComplete {
        rev: i64,
        file_id: FileId,
        name: String,
        version_id: VersionId,
        message: ChatMessage,
    },
    /// The chat has another name.
    ChatRenamed { rev: i64, name: String },
    /// The chat has other settings.
    ChatSettingsChanged { rev: i64 },
    /// The chat is gone.
    ChatDeleted,
}

impl Event {
    /// The action.
    pub fn action(&self) -> &'static str {
        self.into()
    }

    /// A piece of a reply.
    pub fn delta(
        generation_id: &GenerationId,
        message_id: &MessageId,
        seq: i64,
        content: String,
    ) -> Self {
        Self::Delta {
            generation_id: generation_id.clone(),
            message_id: message_id.clone(),
            seq,
            content,
        }
    }

    /// A piece of what the model thinks.
    pub fn reasoning_delta(
        generation_id: &GenerationId,
        message_id: &MessageId,
        seq: i64,
        content: String,
    ) -> Self {
        Self::ReasoningDelta {
            generation_id: generation_id.clone(),
            message_id: message_id.clone(),
            seq,
            content,
        }
    }

    /// A message was added.
    pub fn added(message: Message, rev: i64) -> Self {
        let message = message.into();
        Self::Message { rev, message }
    }

    /// The address of the file that it is about, if it has one, and the id of the file.
    pub fn url(&mut self) -> Option<(&mut String, &FileId)> {
        match self {
            Self::FileUploaded {
                file: Some(file), ..
            } => Some((&mut file.url, &file.id)),
            Self::FileVersion(version) => Some((version.url.as_mut()?, &version.file_id)),
            _ => None,
        }
    }

    /// The newest delta of the reply that the event is about, if the event contains it.
    pub fn seq(&self) -> Option<i64> {
        match self {
            Self::Delta { seq, .. } | Self::ReasoningDelta { seq, .. } => Some(*seq),
            Self::Sync(sync) => sync.generation.as_ref().map(|reply| reply.seq),
            _ => None,
        }
    }
}

impl From<Sync> for Event {
    fn from(sync: Sync) -> Self {
        Self::Sync(Box::new(sync))
    }
}

impl From<GenerationEnded> for Event {
    fn from(ended: GenerationEnded) -> Self {
        Self::GenerationEnded(Box::new(ended))
    }
}

/// What an action made.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Ack {
    /// The `id` of the action.
    pub in_reply_to: String,
    #[serde(flatten)]
    pub reply: Option<ReplyBegun>,
    #[serde(flatten)]
    pub branch: Option<Branch>,
    #[serde(flatten)]
    pub stopped: Option<Stopped>,
    #[serde(flatten)]
    pub file: Option<FileChanged>,
}

/// What an action did to a file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FileChanged {
    /// The message about it.
    pub message_id: MessageId,
    pub file_id: FileId,
    /// Of a file that was reverted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<VersionId>,
}

/// Why an action is refused.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Error {
    pub code: ErrorCode,
    /// A text for people.
    pub error: String,
    /// In seconds, where it helps to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
}

/// The end of a reply.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(inline)]
pub struct GenerationEnded {
    pub rev: i64,
    pub generation_id: GenerationId,
    pub message_id: MessageId,
    pub status: Status,
    /// Unchanged from the model.
    pub finish_reason: Option<String>,
    /// Unchanged from the model; where it is silent an estimate.
    pub usage: Option<Value>,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// The message with its whole text.
    pub message: ChatMessage,
}

#[cfg(test)]
mod tests {
    use super::{Ack, Event, EventV1, FileChanged};

    #[test]
    fn events_have_the_form_that_clients_know() {
        let file = FileChanged {
            message_id: "m".into(),
            file_id: "f".into(),
            version_id: None,
        };
        let ack = Event::Ack(Box::new(Ack {
            in_reply_to: "1".into(),
            file: Some(file),
            ..Ack::default()
        }));
        let json = serde_json::to_string(&ack).expect("events are JSON");
        let expected = r#"{"action":"ack","in_reply_to":"1","message_id":"m","file_id":"f"}"#;
        assert_eq!((json.as_str(), ack.action()), (expected, "ack"));
        let deleted = serde_json::to_string(&Event::ChatDeleted).expect("events are JSON");
        assert_eq!(deleted, r#"{"action":"chat_deleted"}"#);
        let error = serde_json::to_string(&EventV1::error("e")).expect("events are JSON");
        assert_eq!(error, r#"{"error":"e"}"#);
    }
}
