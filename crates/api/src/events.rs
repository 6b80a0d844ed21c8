//! The events of a chat: `kafka.v2` over WebSockets and as server-sent events (docs/websocket.md).

#![expect(
    missing_docs,
    reason = "fields that are not documented here are the protocol's, which docs/websocket.md describes"
)]

mod file;
mod v1;

use std::ops::Not;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::IntoStaticStr;

use crate::chat::RunningGeneration;
use crate::file::UploadedFile;
use crate::id::{ChatId, FileId, GenerationId, MessageId, Time, VersionId, WorkspaceId};
use crate::relay::{self, Branch, ReplyBegun, Stopped, is_blank};
use crate::words::{ErrorCode, MessageKind, Role, Status};

pub use file::{BasedFile, FileVersion, FrameFile, FrameVersion};
pub use v1::{EventV1, InitialV1, MessageV1, TextFile};

/// What a client of `kafka.v2` receives: a frame of the WebSocket, or the `data` of a server-sent event whose name is
/// the action. A text for which a frame has no room is `null`, with `truncated`; an event that is too large even so is
/// only `{"action", "rev", "truncated": true}`.
#[derive(Debug, Serialize, JsonSchema, IntoStaticStr)]
#[serde(tag = "action", rename_all = "snake_case")]
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
    Message { rev: i64, message: Message },
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
        messages: Vec<Message>,
        has_more: bool,
    },
    /// A file was added to the chat.
    FileUploaded {
        rev: i64,
        file_id: Option<FileId>,
        #[schemars(with = "FrameFile")]
        file: Option<UploadedFile>,
        /// Of a file that was uploaded through a WebSocket.
        #[serde(skip_serializing_if = "Option::is_none")]
        message: Option<Message>,
    },
    /// A file was made or changed.
    FileVersion(Box<FileVersion>),
    /// A file has left the chat.
    FileDeleted {
        rev: i64,
        file_id: FileId,
        name: String,
        message: Message,
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
        message: Message,
    },
    /// The chat has another name.
    ChatRenamed { rev: i64, name: String },
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
    pub fn added(message: relay::Message, rev: i64) -> Self {
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

/// A message of a chat.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ChatMessage")]
pub struct Message {
    pub id: MessageId,
    /// The message that it follows.
    pub parent_id: Option<MessageId>,
    pub role: Role,
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// `null` if it is left out.
    pub content: Option<String>,
    pub status: Status,
    /// The name of the model that wrote it.
    pub model: Option<String>,
    pub created_at: Time,
    /// What the model thought before it answered. In a frame, not more than 64 KiB: what is longer is left out.
    #[serde(default, skip_serializing_if = "is_blank")]
    pub reasoning: Option<String>,
    /// Of a reply, unchanged from the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// Of a reply, unchanged from the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Value>,
    /// Of a reply: what went wrong, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Not::not")]
    pub truncated: bool,
    /// In `file_deleted`: the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_file_id: Option<FileId>,
}

impl From<relay::Message> for Message {
    fn from(message: relay::Message) -> Self {
        Self {
            id: message.id,
            parent_id: message.parent_id,
            role: message.role,
            kind: message.kind,
            content: Some(message.content),
            status: message.status,
            model: message.model,
            created_at: message.created_at,
            reasoning: message.reasoning,
            finish_reason: message.finish_reason,
            usage: message.usage,
            error: message.error,
            truncated: false,
            deleted_file_id: None,
        }
    }
}

/// A chat in the first frame; `M` is a message.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChatState<M> {
    pub chat_id: ChatId,
    pub chat_name: String,
    /// Oldest first.
    pub conversation: Vec<M>,
    /// The files with versions.
    pub chat_files_based: Vec<BasedFile>,
    /// All files.
    pub chat_files: Vec<FrameFile>,
    pub workspace_id: WorkspaceId,
    /// The names of the owner's models.
    pub models: Vec<String>,
    /// Always true.
    pub initial: bool,
}

/// The first frame.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Initial {
    /// 2.
    pub protocol: u8,
    pub rev: i64,
    #[serde(flatten)]
    pub chat: ChatState<Message>,
    /// The message that the active branch ends with.
    pub head_id: Option<MessageId>,
    /// The running reply.
    pub generation: Option<RunningGeneration>,
    /// Whether there are older messages.
    pub has_more: bool,
    /// Not all files are listed.
    #[serde(skip_serializing_if = "Not::not")]
    pub truncated: bool,
}

/// The answer to `sync`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Sync {
    pub rev: i64,
    pub messages: Vec<Message>,
    pub files: Vec<FrameFile>,
    /// The running reply; of a stream, its reply.
    pub generation: Option<Generation>,
    /// Not of a stream.
    #[serde(flatten)]
    pub chat: Option<SyncedChat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
}

impl Sync {
    /// The state of one reply; what is newer in a chat is put in.
    pub fn new(rev: i64, generation: Option<Generation>) -> Self {
        Self {
            rev,
            messages: Vec::new(),
            files: Vec::new(),
            generation,
            chat: None,
            in_reply_to: None,
        }
    }
}

/// A chat in a `sync`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct SyncedChat {
    /// The message that the active branch ends with.
    pub head_id: Option<MessageId>,
    /// The ids of all files; `null`: they are too many.
    pub file_ids: Option<Vec<FileId>>,
    pub chat_name: String,
    /// Whether there is more after this `rev`.
    pub has_more: bool,
}

/// A reply with its text so far.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Generation {
    pub id: GenerationId,
    pub message_id: MessageId,
    pub seq: i64,
    /// `null` if it is left out.
    pub content: Option<String>,
    /// What the model has thought so far.
    #[serde(default, skip_serializing_if = "is_blank")]
    pub reasoning: Option<String>,
    pub status: Status,
    pub model: Option<String>,
    #[serde(skip_deserializing, skip_serializing_if = "Not::not")]
    pub truncated: bool,
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
    /// Unchanged from the model.
    pub usage: Option<Value>,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// The message with its whole text.
    pub message: Message,
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
