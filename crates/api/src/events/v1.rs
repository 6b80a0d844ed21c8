//! The events of a chat in v1 (docs/websocket.md).

use serde::Serialize;
use serde_json::Value;

use super::{ChatMessage, ChatState};
use crate::id::FileId;
use crate::words::{FileKind, MessageKind, Role};

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
        id: Option<FileId>,
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
    Initial(Box<InitialV1>),
}

/// The first frame of v1.
#[derive(Debug, Clone, Serialize)]
pub struct InitialV1 {
    #[serde(flatten)]
    pub chat: ChatState<MessageV1>,
    /// The uploaded files that have a text.
    pub chat_files_text: Vec<TextFile>,
}

/// An uploaded file with its text.
#[derive(Debug, Clone, Serialize)]
pub struct TextFile {
    pub file_id: FileId,
    pub name: String,
    /// Empty if it is left out.
    pub content: String,
    #[serde(rename = "type")]
    pub kind: FileKind,
}

impl EventV1 {
    /// Says why an action is refused or a reply has failed.
    pub fn error(error: impl Into<String>) -> Self {
        let error = error.into();
        Self::Error { error }
    }
}

/// A message of v1.
#[derive(Debug, Clone, Serialize)]
pub struct MessageV1 {
    pub role: Role,
    #[serde(rename = "type")]
    pub kind: MessageKind,
    /// A text, or what a file is.
    pub content: Value,
    /// The files that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub file_ids: Vec<FileId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deleted_file_id: Option<FileId>,
    /// In `agent_response`, of a changed file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
}

impl From<ChatMessage> for MessageV1 {
    fn from(message: ChatMessage) -> Self {
        Self {
            role: message.role,
            kind: message.kind,
            content: message.content.unwrap_or_default().into(),
            file_ids: message.file_ids,
            deleted_file_id: message.deleted_file_id,
            diff: None,
        }
    }
}

impl MessageV1 {
    /// A message about a file, by a reply.
    pub fn about_file(content: Value) -> Self {
        Self {
            role: Role::Assistant,
            kind: MessageKind::File,
            content,
            file_ids: Vec::new(),
            deleted_file_id: None,
            diff: None,
        }
    }
}
