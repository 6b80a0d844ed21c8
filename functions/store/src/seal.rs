//! Seals the API keys of models (docs/decisions.md#sealed-api-keys). With the same
//! keys, it makes hashes of what is short enough to be guessed from an ordinary one ([`Keys::hash`]).
//!
//! A sealed key opens only for the owner, the row and the base URL that it was sealed for: moved to another row or
//! kept under another address it is refused. It names the key that sealed it, so that the sealing key can be changed
//! while the one before still opens (`secret_key`, `secret_key_old`).

mod cipher;
mod keys;

pub use self::keys::Keys;
use crate::error::{Error, Result};

/// What a sealed key belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// The id of the model's owner.
    pub owner: &'a str,
    /// The id of the model.
    pub row: &'a str,
    /// The base URL of the model, as the database has it.
    pub base_url: &'a str,
}

/// What the headers of a model are sealed for instead of its row, so that they open nowhere as its key.
pub fn headers_row(model: &str) -> String {
    format!("{model}/headers")
}

/// Opens what [`Keys::seal`] made for the same binding.
///
/// [`Error::Unavailable`] if it was made for another binding or by a key that is gone; its text asks for the API key to be
/// saved again, and the log says which of the two. Not inside a transaction, like [`Keys::get`].
pub async fn open(owner: &str, row: &str, base_url: &str, sealed: &str) -> Result<String> {
    let binding = Binding {
        owner,
        row,
        base_url,
    };
    Keys::get().await?.open(binding, sealed)
}

/// A sealed key that does not open.
fn unreadable(row: &str, reason: &str) -> Error {
    let row: String = row.chars().take(64).collect();
    tracing::error!(
        model = row,
        "the API key of model {row} is refused: {reason}"
    );
    Error::Unavailable("The API key of this model cannot be read. Please save the key again.")
}
