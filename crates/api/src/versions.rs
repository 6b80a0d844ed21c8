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
    /// Its text.
    pub content: String,
}

/// The difference of two versions.
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
    /// The text of the file now.
    pub content: String,
    /// Whether this made a version.
    pub changed: bool,
}

operations! {
    "versions": "The versions of a chat's files. A file is named by its id in the chat, or by that of the \
        workspace's file if no other chat has it."

    /// List versions
    ///
    /// Lists the versions of a chat's file, oldest first. A file that was never changed has none.
    LIST = Operation::get("/chat-file/{chat_file_id}/versions")
        .query(PAGE)
        .answers::<Versions>()
        .not_found("`User not found.` or `File not found.`");

    /// Show a version
    ///
    /// Answers with one version and its text.
    SHOW = Operation::get("/chat-file/{chat_file_id}/versions/{version_id}")
        .query(&[USER])
        .answers::<VersionText>()
        .not_found("`User not found.`, `File not found.` or `Version not found.`");

    /// Compare versions
    ///
    /// Answers with a unified diff without context lines and without `---` and `+++`.
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
    /// Saves the text as the newest version; the first save also keeps the uploaded text, as version 1. If the file has
    /// this text already, no version is saved, and the answer names the newest one. Open sockets receive an event.
    SAVE = Operation::post("/chat-file/{chat_file_id}/versions")
        .limited()
        .form::<SaveText>()
        .answers::<Saved>()
        .not_found("`User not found.` or `File not found.`");

    /// Go back to a version
    ///
    /// Saves the text of that version as the newest one, and adds a message to the chat. Open sockets receive an event.
    REVERT = Operation::post("/chat-file/{chat_file_id}/revert")
        .limited()
        .form::<RevertFile>()
        .answers::<Reverted>()
        .not_found("`User not found.`, `File not found.` or `Version not found.`");
}
