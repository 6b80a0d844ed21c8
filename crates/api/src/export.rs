//! Taking along what one has: `/chat/{chat_id}/export` and `/user/{user_id}/export`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::models::Model;
use super::operation::{Content, Operation, Parameter};
use super::page::USER;
use super::relay::Message;
use super::schema::{Property, Schema};
use crate::id::{ChatId, FileId, MessageId, Time, VersionId, WorkspaceId};

/// The formats of a chat that is taken along, in the order of the description.
pub const FORMATS: [&str; 2] = ["json", "markdown"];

/// The version of the documents: raised when a field changes its meaning or goes.
pub const VERSION: u32 = 1;

/// A chat with all that is said in it, and with its files.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportedChat {
    /// The version of this document: 1.
    pub version: u32,
    /// What it is, without what it has.
    #[serde(flatten)]
    pub head: ExportedChatHead,
    /// All messages of all branches, in the order in which they were added.
    pub messages: Vec<ExportedMessage>,
    /// Its files, in the order in which they came.
    pub files: Vec<ExportedChatFile>,
}

/// The beginning of [`ExportedChat`].
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct ExportedChatHead {
    /// Its id.
    pub id: ChatId,
    /// Its name.
    pub name: String,
    /// The workspace that it is in.
    pub workspace_id: WorkspaceId,
    /// When it was changed last.
    pub last_updated: Option<Time>,
    /// Whether its owner wants to have it at hand.
    pub is_pinned: bool,
    /// Whether it is put away.
    pub is_archived: bool,
    /// The last message of its active branch.
    pub head_id: Option<MessageId>,
}

/// A message, and where it stands among its siblings.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportedMessage {
    /// The message.
    #[serde(flatten)]
    pub message: Message,
    /// Of several messages with the same parent, the one with the highest number is on the branch that leads down from
    /// it.
    #[schemars(range(min = 0))]
    pub selected: i64,
}

/// A file of a chat.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExportedChatFile {
    /// What it is.
    #[serde(flatten)]
    pub head: ExportedChatFileHead,
    /// All its texts, oldest first. An uploaded file that was never changed has none.
    pub versions: Vec<ExportedVersion>,
}

/// The beginning of [`ExportedChatFile`].
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExportedChatFileHead {
    /// Its id in the chat.
    pub id: FileId,
    /// The file of the workspace that was attached; `null` for one that was made in the chat.
    pub file_id: Option<FileId>,
    /// Its name.
    pub filename: String,
}

/// A text that a file had.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExportedVersion {
    /// Its id.
    pub id: VersionId,
    /// When it was saved.
    pub timestamp: Time,
    /// The text.
    pub content: String,
}

/// `export.json` in the archive of a user.
#[derive(Debug, Serialize)]
pub struct ExportedUser {
    /// The version of the archive.
    pub version: u32,
    /// The user's e-mail.
    pub email: String,
    /// The user's models, without their keys.
    pub models: Vec<Model>,
    /// The user's workspaces.
    pub workspaces: Vec<ExportedWorkspace>,
}

/// A workspace in `export.json`.
#[derive(Debug, Serialize, Deserialize)]
pub struct ExportedWorkspace {
    /// Its id, which is the name of its folder.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
}

/// A file in `files.json` of a workspace's folder.
#[derive(Debug, Serialize)]
pub struct ExportedFile<'a> {
    /// Its id.
    pub id: &'a FileId,
    /// Its name.
    pub filename: &'a str,
    /// The type that its uploader declared.
    pub media_type: Option<&'a str>,
    /// In bytes.
    pub size: u64,
    /// Where it is in the archive.
    pub path: String,
}

const DISPOSITION: Property =
    Property::new("Content-Disposition", Schema::Text).about("A name for the file.");

operations! {
    "export": "Taking along what one has."

    /// Export a chat
    ///
    /// Answers with the chat as one document, with all branches and all versions of its files: `ExportedChat` in JSON,
    /// or a text in Markdown. A reply that is being written is in it as far as it is.
    CHAT = Operation::get("/chat/{chat_id}/export")
        .limited()
        .query(&[
            USER,
            Parameter::optional("format", Schema::OneOf(&FORMATS)).about("`json` by default."),
        ])
        .also(
            200,
            "The document.",
            Content::TypedOr(
                |generator| generator.subschema_for::<ExportedChat>(),
                "text/markdown",
            ),
        )
        .with_headers(200, &[DISPOSITION])
        .not_found("`User not found.` or `Chat not found.`");

    /// Export everything
    ///
    /// Answers with a ZIP archive of all that the user has: `export.json` with the e-mail, the models without their keys
    /// and the workspaces; a folder for each workspace with its files; a folder for each chat with the chat as `chat.json`
    /// (`ExportedChat`), in Markdown, and the newest texts of its files. What is deleted meanwhile is left out, but a
    /// file that is deleted while it is sent breaks the archive off.
    USER_DATA = Operation::get("/user/{user_id}/export")
        .limited()
        .also(200, "The archive.", Content::Other("application/zip"))
        .with_headers(200, &[DISPOSITION])
        .not_found("`User not found.`");
}
