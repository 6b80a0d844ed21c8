//! The messages of a conversation, as models know them.

use kafka_api::words::Role;
use serde::Serialize;

/// One message that a model gets to read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Turn {
    /// Its author.
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
