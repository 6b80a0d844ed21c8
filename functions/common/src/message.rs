//! A row of the conversation, as clients see it.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::db::Row;
use crate::object;

/// A message.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Message {
    /// Its id.
    pub id: String,
    /// The message it follows.
    pub parent_id: Option<String>,
    /// `user`, `assistant` or `system`.
    pub role: String,
    /// `text` or `file`.
    pub kind: String,
    /// The text; of a message about a file that is often JSON.
    pub content: String,
    /// `complete`, or how far its reply is.
    pub status: String,
    /// The name of the model that wrote it.
    pub model: Option<String>,
    /// When it was added.
    pub created_at: String,
    /// Whether the content is left out because a frame has no room for it.
    pub truncated: bool,
}

/// The columns of [`Message::from_row`], of a table or alias `message`.
pub const COLUMNS: &str =
    "message.id, message.parent_id, message.role, message.type, message.content, message.status,
    message.model, message.created_at";

impl Message {
    /// Reads [`COLUMNS`], which begin at column `first`.
    pub fn from_row(row: &mut Row, first: usize) -> Self {
        Self {
            id: row.text(first),
            parent_id: row.opt_text(first + 1),
            role: row.text(first + 2),
            kind: row.text(first + 3),
            content: row.text(first + 4),
            status: row.text(first + 5),
            model: row.opt_text(first + 6),
            created_at: row.text(first + 7),
            truncated: false,
        }
    }

    /// Leaves its content out.
    pub fn cut(&mut self) {
        self.content = String::new();
        self.truncated = true;
    }

    /// As v1 shows it.
    pub fn v1(&self) -> Value {
        object!({ "role": self.role, "type": self.kind, "content": self.content })
    }

    /// As v2 shows it.
    pub fn v2(&self) -> Value {
        let mut message = object!({
            "id": self.id, "parent_id": self.parent_id, "role": self.role, "type": self.kind, "content": self.content,
            "status": self.status, "model": self.model, "created_at": self.created_at,
        });
        if self.truncated {
            message["content"] = Value::Null;
            message["truncated"] = true.into();
        }
        message
    }

    /// v2's event that a row was added.
    pub fn added(&self, rev: i64) -> Value {
        object!({ "action": "message", "rev": rev, "message": self.v2() })
    }
}
