//! A row of the conversation, as clients see it.

use serde::{Deserialize, Serialize};

use crate::api::events::{self, Event, MessageV1};
use crate::api::words::Status;

/// A message, as its row has it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The message it follows.
    pub parent_id: Option<String>,
    /// `user`, `assistant` or `system`.
    pub role: String,
    /// `text` or `file`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The text; of a message about a file that is often JSON.
    pub content: String,
    /// How far its reply is.
    pub status: Status,
    /// The name of the model that wrote it.
    pub model: Option<String>,
    /// When it was added.
    pub created_at: String,
    /// What the model thought before it answered; `None` or empty: nothing, or it was not read.
    #[serde(default)]
    pub reasoning: Option<String>,
    /// How its reply ended.
    #[serde(default)]
    pub finish_reason: Option<String>,
    /// In JSON.
    #[serde(default)]
    pub usage: Option<String>,
    /// What went wrong with it.
    #[serde(default)]
    pub error: Option<String>,
}

impl Message {
    /// As v1 shows it.
    pub fn v1(&self) -> MessageV1 {
        MessageV1 {
            role: self.role.clone(),
            kind: self.kind.clone(),
            content: self.content.as_str().into(),
            deleted_file_id: None,
        }
    }

    /// As v2 shows it.
    pub fn sent(self) -> events::Message {
        events::Message {
            id: self.id,
            parent_id: self.parent_id,
            role: self.role,
            kind: self.kind,
            content: Some(self.content),
            status: self.status,
            model: self.model,
            created_at: self.created_at,
            reasoning: self.reasoning.filter(|reasoning| !reasoning.is_empty()),
            finish_reason: self.finish_reason,
            usage: self
                .usage
                .and_then(|usage| serde_json::from_str(&usage).ok()),
            error: self.error,
            truncated: false,
            deleted_file_id: None,
        }
    }

    /// v2's event that a row was added.
    pub fn added(&self, rev: i64) -> Event {
        Event::Message {
            rev,
            message: self.clone().sent(),
        }
    }
}
