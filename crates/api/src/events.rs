//! The events of a chat: `kafka.v2` over WebSockets and as server-sent events, and v1 (docs/websocket.md).

#![expect(
    missing_docs,
    reason = "fields that are not documented here are the protocol's, which docs/websocket.md describes"
)]

use std::ops::Not;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use strum::IntoStaticStr;

use crate::chat::RunningGeneration;
use crate::file::UploadedFile;
use crate::relay::{Branch, ReplyBegun, Stopped};
use crate::words::{ErrorCode, FileKind, MessageKind, Role, Status};

/// What a client of `kafka.v2` receives: a frame of the WebSocket, or the `data` of a server-sent event whose name is the
/// action. A text for which a frame has no room is `null`, with `truncated`; an event that is too large even so is only
/// `{"action", "rev", "truncated": true}`.
#[derive(Debug, Serialize, JsonSchema, IntoStaticStr)]
#[serde(tag = "action", rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Event {
    /// The chat as it is when the connection opens.
    Initial(Box<Initial>),
    /// What is newer than the `rev` of a request; or the state of one reply, when a stream joins it.
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
        generation_id: String,
        /// The message that the reply fills.
        message_id: String,
        /// The message that the reply answers.
        parent_id: String,
        model: String,
    },
    /// A piece of a reply.
    Delta {
        generation_id: String,
        message_id: String,
        seq: i64,
        content: String,
    },
    /// A piece of what the model thinks before it answers, numbered with the deltas.
    ReasoningDelta {
        generation_id: String,
        message_id: String,
        seq: i64,
        content: String,
    },
    /// A reply has ended.
    GenerationEnded(Box<GenerationEnded>),
    /// Another branch is the active one.
    BranchSelected {
        rev: i64,
        head_id: String,
        messages: Vec<Message>,
        has_more: bool,
    },
    /// A file was added to the chat.
    FileUploaded {
        rev: i64,
        file_id: Option<String>,
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
        file_id: String,
        name: String,
        message: Message,
    },
    /// A file has another name.
    FileRenamed {
        rev: i64,
        file_id: String,
        name: String,
    },
    /// A file has the text of an older version again.
    RevertComplete {
        rev: i64,
        file_id: String,
        name: String,
        version_id: String,
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

    /// How far the reply is that the event is about, if it says so.
    pub fn seq(&self) -> Option<i64> {
        match self {
            Self::Delta { seq, .. } | Self::ReasoningDelta { seq, .. } => Some(*seq),
            Self::Sync(sync) => sync.generation.as_ref().map(|reply| reply.seq),
            _ => None,
        }
    }
}

/// A message of a chat.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "ChatMessage")]
pub struct Message {
    pub id: String,
    /// The message that it follows.
    pub parent_id: Option<String>,
    #[schemars(with = "Role")]
    pub role: String,
    #[serde(rename = "type")]
    #[schemars(with = "MessageKind")]
    pub kind: String,
    /// `null` if it is left out.
    pub content: Option<String>,
    pub status: Status,
    /// The name of the model that wrote it.
    pub model: Option<String>,
    pub created_at: String,
    /// What the model thought before it answered. In a frame, not more than 64 KiB: what is longer is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reasoning: Option<String>,
    /// Of a reply, as the model said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub finish_reason: Option<String>,
    /// Of a reply, as the model said it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Value>,
    /// Of a reply: what went wrong, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    #[serde(default, skip_serializing_if = "Not::not")]
    pub truncated: bool,
    /// In `file_deleted`: the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_file_id: Option<String>,
}

/// A chat in the first frame; `M` is a message.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ChatState<M> {
    pub chat_id: String,
    pub chat_name: String,
    /// Oldest first.
    pub conversation: Vec<M>,
    /// The files with versions.
    pub chat_files_based: Vec<BasedFile>,
    /// All files.
    pub chat_files: Vec<FrameFile>,
    pub workspace_id: String,
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
    pub head_id: Option<String>,
    /// The running reply.
    pub generation: Option<RunningGeneration>,
    /// Whether there are older messages.
    pub has_more: bool,
    /// Not all files are listed.
    #[serde(skip_serializing_if = "Not::not")]
    pub truncated: bool,
}

/// The answer to `sync`.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct Sync {
    pub rev: i64,
    /// The message that the active branch ends with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head_id: Option<Option<String>>,
    pub messages: Vec<Message>,
    pub files: Vec<FrameFile>,
    /// The running reply; of a stream, its reply.
    pub generation: Option<Generation>,
    /// The ids of all files; `null`: they are too many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file_ids: Option<Option<Vec<String>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chat_name: Option<String>,
    /// Whether there is more after this `rev`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub has_more: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub in_reply_to: Option<String>,
}

/// A reply with its text so far.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Generation {
    pub id: String,
    pub message_id: String,
    pub seq: i64,
    /// `null` if it is left out.
    pub content: Option<String>,
    /// What the model has thought so far.
    #[serde(default, skip_serializing_if = "Option::is_none")]
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
    pub message_id: String,
    pub file_id: String,
    /// Of a file that was reverted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
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
    pub generation_id: String,
    pub message_id: String,
    pub status: Status,
    /// As the model said it.
    pub finish_reason: Option<String>,
    /// As the model said it.
    pub usage: Option<Value>,
    /// What went wrong, for people.
    pub error: Option<String>,
    /// The message with its whole text.
    pub message: Message,
}

/// A version that a file has got.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(inline)]
pub struct FileVersion {
    pub rev: i64,
    pub file_id: String,
    pub name: String,
    pub version_id: String,
    pub timestamp: String,
    /// From the text before.
    pub diff: Option<String>,
    pub content: Option<String>,
    #[serde(skip_serializing_if = "Not::not")]
    pub truncated: bool,
    /// Where the text is read that is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A file of a chat.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FrameFile {
    pub id: String,
    pub name: String,
    pub content: Option<String>,
    /// Of code.
    pub language: Option<&'static str>,
    #[serde(rename = "type")]
    pub kind: FileKind,
    /// The path under which its content is read.
    pub url: String,
    /// In `sync`, of files that have versions.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub versions: Option<Vec<FrameVersion>>,
    #[serde(skip_serializing_if = "Not::not")]
    pub truncated: bool,
}

/// A file with its versions.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct BasedFile {
    pub file_id: String,
    pub name: String,
    pub latest_content: Option<String>,
    /// Oldest first.
    pub versions: Vec<FrameVersion>,
    /// Always `based`.
    #[serde(rename = "type")]
    pub kind: FileKind,
    #[serde(skip_serializing_if = "Not::not")]
    pub truncated: bool,
    /// Where the text is read that is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// A version of a file.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FrameVersion {
    pub version_id: String,
    pub timestamp: String,
    /// From this version to the newest.
    pub diff: Option<String>,
}

/// What a client of v1 receives, but for replies, which are bare texts.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum EventV1 {
    FileUploaded {
        message: MessageV1,
    },
    FileDeleted {
        message: MessageV1,
    },
    RevertComplete {
        message: MessageV1,
    },
    /// A reply has made or changed a file.
    AgentResponse {
        /// Of a new file, as are all with the word.
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        kind: Option<MessageKind>,
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        content: Option<Value>,
        message: MessageV1,
        /// Of a changed file.
        #[serde(skip_serializing_if = "Option::is_none")]
        diff: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        block: Option<Box<MessageV1>>,
    },
    /// An action is refused, or a reply has failed.
    #[serde(untagged)]
    Error {
        error: String,
    },
    /// The first frame.
    #[serde(untagged)]
    Initial(Box<ChatState<MessageV1>>),
}

/// A message of v1.
#[derive(Debug, Clone, Serialize)]
pub struct MessageV1 {
    pub role: String,
    #[serde(rename = "type")]
    pub kind: String,
    /// A text, or what a file is.
    pub content: Value,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_file_id: Option<String>,
}

impl MessageV1 {
    /// A message about a file, by a reply.
    pub fn about_file(content: Value) -> Self {
        Self {
            role: Role::Assistant.to_string(),
            kind: MessageKind::File.to_string(),
            content,
            deleted_file_id: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ack, Event, EventV1, FileChanged};

    #[test]
    fn events_are_what_clients_know() {
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
        let error = EventV1::Error { error: "e".into() };
        let error = serde_json::to_string(&error).expect("events are JSON");
        assert_eq!(error, r#"{"error":"e"}"#);
    }
}
