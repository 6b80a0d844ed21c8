//! How a question to a model is put on the wire.

use super::BaseUrl;

/// Who said something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The instructions.
    System,
    /// The person.
    User,
    /// The model.
    Assistant,
}

/// One message of what a model gets to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who says it.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// One question to one model.
#[derive(Debug, Clone, Copy)]
pub struct Call<'a> {
    /// Where the model is.
    pub base_url: &'a BaseUrl,
    /// The API key; empty: none is sent.
    pub key: &'a str,
    /// What the endpoint calls the model.
    pub model: &'a str,
    /// What it gets to read, from [`super::context::build`].
    pub messages: &'a [Message],
}

/// Whether a key can be sent at all.
///
/// # Errors
/// What is wrong with it, as a sentence.
pub fn check_key(key: &str) -> Result<(), String> {
    let _ = key;
    todo!()
}
