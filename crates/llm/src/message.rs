//! The messages of a conversation, as models know them.

use serde::{Deserialize, Serialize};

/// Who wrote a message. In JSON and in rows: the name in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The application.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// What a message is about. In JSON and in rows: the name in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MessageKind {
    /// It is a text.
    Text,
    /// It is about a file, as JSON or in words.
    File,
}

/// One message that a model gets to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// Who wrote it.
    pub role: Role,
    /// Its text.
    pub content: String,
}

impl Turn {
    /// A message with this text, written by `role`.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        let content = content.into();
        Self { role, content }
    }
}
