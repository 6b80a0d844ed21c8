//! A message in an event.

use std::ops::Not;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::id::{FileId, MessageId, Time};
use crate::relay::{Message, is_blank};
use crate::words::{MessageKind, Rating, Role, Status};

/// A message of a chat.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ChatMessage {
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
    /// Of a reply: what went wrong, for people. Of a complete one: which pictures of the prompt its model has not seen, and
    /// why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    /// The files that belong to it, by their ids in the chat.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub file_ids: Vec<FileId>,
    /// What the reader thinks of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
    /// What the reader wrote about that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    #[serde(default, skip_serializing_if = "Not::not")]
    pub truncated: bool,
    /// In `file_deleted`: the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_file_id: Option<FileId>,
}

impl From<Message> for ChatMessage {
    fn from(message: Message) -> Self {
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
            file_ids: message.file_ids,
            rating: message.rating,
            note: message.note,
            truncated: false,
            deleted_file_id: None,
        }
    }
}
