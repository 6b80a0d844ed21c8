//! The versions of a chat's files: `/chat-file/...`.

use schemars::JsonSchema;
use serde::Serialize;

use super::operation::{Operation, Parameter};
use super::page::{PAGE, USER, USER_FIELD};
use super::schema::{Property, Schema};
use crate::MAX_ID_CHARS;
use crate::form::{Field, FormSpec};
use crate::id::{Time, VersionId};

/// The form of [`SAVE`].
pub const SAVE_FORM: &FormSpec = &[
    Field::text("content").about("At most 256 KiB of text."),
    USER_FIELD,
];

/// The form of [`REVERT`].
pub const REVERT_FORM: &FormSpec = &[
    Field::text("version_id").max_chars(MAX_ID_CHARS),
    USER_FIELD,
];

const ID: Property = Property::new("id", Schema::Id);
const NUMBER: Property = Property::new("number", Schema::Count).about("Counted from 1.");
const TIMESTAMP: Property = Property::new("timestamp", Schema::Time);
const SIZE: Property = Property::new("size", Schema::Count).about("In bytes.");
const CHANGED: Property =
    Property::new("changed", Schema::Boolean).about("Whether this made a version.");

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
        .answers_with("VersionText", &[
            ID,
            NUMBER,
            TIMESTAMP,
            SIZE,
            Property::new("content", Schema::Text),
        ])
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
        .answers_with("Difference", &[
            Property::new("from", Schema::Id),
            Property::new("to", Schema::Id),
            Property::new("diff", Schema::Text),
        ])
        .not_found("`User not found.`, `File not found.` or `Version not found.`");

    /// Save a text
    ///
    /// As the newest version; the first one keeps what was uploaded as version 1. What the file says already makes no
    /// version, and the answer names the newest there is. Open windows are told.
    SAVE = Operation::post("/chat-file/{chat_file_id}/versions")
        .limited()
        .form_of(SAVE_FORM)
        .answers_with("Saved", &[
            Property::new("version_id", Schema::Nullable(&Schema::Id)),
            Property::new("timestamp", Schema::Nullable(&Schema::Time)),
            CHANGED,
        ])
        .not_found("`User not found.` or `File not found.`");

    /// Go back to a version
    ///
    /// Saves its text again, with a message about it in the chat. Open windows are told.
    REVERT = Operation::post("/chat-file/{chat_file_id}/revert")
        .limited()
        .form_of(REVERT_FORM)
        .answers_with("Reverted", &[
            Property::new("version_id", Schema::Id),
            TIMESTAMP,
            Property::new("content", Schema::Text),
            CHANGED,
        ])
        .not_found("`User not found.`, `File not found.` or `Version not found.`");
}
