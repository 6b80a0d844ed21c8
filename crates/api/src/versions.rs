//! The versions of a chat's files: `/chat-file/...`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::operation::{Operation, Parameter};
use super::page::{PAGE, USER};
use super::schema::Schema;
use crate::MAX_ID_CHARS;
use crate::form::form;
use crate::id::{Time, UserId, VersionId};

form! {
    /// The form of [`SAVE`].
    pub struct SaveText {
        /// At most 256 KiB of text.
        content: String,
        /// Open mode: whose it must be.
        user_id: Option<UserId>,
    }
}

form! {
    /// The form of [`REVERT`].
    pub struct RevertFile {
        version_id: VersionId,
        /// Open mode: whose it must be.
        user_id: Option<UserId>,
    }
}

/// A version in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Version {
    /// Its id.
    pub id: VersionId,
    /// Counted from 1.
    #[schemars(range(min = 0))]
    pub number: i64,
    /// When it was saved.
    pub timestamp: Time,
    /// In bytes.
    pub size: u64,
}

/// A page of the versions of a file.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Versions {
    /// The versions of the page.
    pub versions: Vec<Version>,
    /// `after` of the next page; `null` on the last.
    pub next: Option<String>,
}

/// A version, whole.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct VersionText {
    /// Its id.
    pub id: VersionId,
    /// Counted from 1.
    pub number: u64,
    /// When it was saved.
    pub timestamp: Time,
    /// In bytes.
    pub size: u64,
    /// What it says.
    pub content: String,
}

/// What is different between two versions.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Difference {
    /// The older one.
    pub from: VersionId,
    /// The newer one.
    pub to: VersionId,
    /// The difference.
    pub diff: String,
}

/// What a save did.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Saved {
    /// The newest version.
    pub version_id: Option<VersionId>,
    /// When it was saved.
    pub timestamp: Option<Time>,
    /// Whether this made a version.
    pub changed: bool,
}

/// What going back to a version did.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Reverted {
    /// The newest version.
    pub version_id: VersionId,
    /// When it was saved.
    pub timestamp: Time,
    /// What the file says now.
    pub content: String,
    /// Whether this made a version.
    pub changed: bool,
}

operations! {
    "versions": "What the files of chats say and said. A file is named by its id in the chat, or by that of the \
        workspace's file if no other chat has it."

    /// List versions
    ///
    /// Of a chat's file, oldest first. One that is as it was uploaded has none.
    LIST = Operation::get("/chat-file/{chat_file_id}/versions")
        .query(PAGE)
        .answers::<Versions>()
        .not_found("`User not found.` or `File not found.`");

    /// Show a version
    SHOW = Operation::get("/chat-file/{chat_file_id}/versions/{version_id}")
        .query(&[USER])
        .answers::<VersionText>()
        .not_found("`User not found.`, `File not found.` or `Version not found.`");

    /// Compare versions
    ///
    /// As a unified diff without context and without `---` and `+++`.
    DIFF = Operation::get("/chat-file/{chat_file_id}/diff")
        .query(&[
            Parameter::required("from", Schema::ShortText(MAX_ID_CHARS)),
            Parameter::optional("to", Schema::ShortText(MAX_ID_CHARS))
                .about("The newest if it is empty or not sent."),
            USER,
        ])
        .answers::<Difference>()
        .not_found("`User not found.`, `File not found.` or `Version not found.`");

    /// Save a text
    ///
    /// As the newest version; the first one keeps what was uploaded as version 1. What the file says already makes no
    /// version, and the answer names the newest there is. Open windows are told.
    SAVE = Operation::post("/chat-file/{chat_file_id}/versions")
        .limited()
        .form::<SaveText>()
        .answers::<Saved>()
        .not_found("`User not found.` or `File not found.`");

    /// Go back to a version
    ///
    /// Saves its text again, with a message about it in the chat. Open windows are told.
    REVERT = Operation::post("/chat-file/{chat_file_id}/revert")
        .limited()
        .form::<RevertFile>()
        .answers::<Reverted>()
        .not_found("`User not found.`, `File not found.` or `Version not found.`");
}
