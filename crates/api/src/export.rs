//! Taking along what one has, and bringing it: `/chat/{chat_id}/export`, `/user/{user_id}/export` and `/import`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::models::Model;
use super::operation::{Content, Operation, Parameter};
use super::page::USER;
use super::relay::Message;
use super::schema::{Property, Schema};
use super::settings::Settings;
use crate::id::{ChatId, FileId, MessageId, ModelId, Time, VersionId, WorkspaceId};

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
    /// When something happened in it last, by which lists of chats are ordered.
    pub active_at: Time,
    /// Whether its owner wants to have it at hand.
    pub is_pinned: bool,
    /// Whether it is put away.
    pub is_archived: bool,
    /// The last message of its active branch.
    pub head_id: Option<MessageId>,
    /// What is set for its replies.
    pub settings: Settings,
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
    /// What is set for the replies in all chats.
    pub settings: Settings,
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
    /// What is set for the replies in its chats.
    pub settings: Settings,
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

/// How many of what an import names as left out.
pub const MAX_LEFT_OUT: usize = 1_000;

/// What an import did.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Imported {
    /// What was made.
    pub made: ImportedCounts,
    /// What was there already, because it was imported before, or never deleted.
    pub there_already: ImportedCounts,
    /// What was left out; at most 1,000 are named.
    pub left_out: Vec<LeftOut>,
    /// How many were left out.
    pub num_left_out: usize,
    /// The models that were made: archives have no API keys, nor further headers, so each needs its own again.
    pub models_without_key: Vec<ModelId>,
}

/// Numbers of what an archive has.
#[derive(Debug, Default, Clone, Serialize, JsonSchema)]
pub struct ImportedCounts {
    /// Workspaces.
    pub workspaces: usize,
    /// Models.
    pub models: usize,
    /// Files of workspaces.
    pub files: usize,
    /// Chats, each with its messages, files and versions.
    pub chats: usize,
}

/// Something that an import left out.
#[derive(Debug, Serialize, JsonSchema)]
pub struct LeftOut {
    /// Its path in the archive, or the name of a model.
    pub what: String,
    /// Why, in a sentence for a person.
    pub reason: String,
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
    /// Answers with a ZIP archive of all that the user has: `export.json` with the e-mail, the settings, the models without
    /// their keys and the workspaces; a folder for each workspace with its files; a folder for each chat with the chat as `chat.json`
    /// (`ExportedChat`), in Markdown, and the newest texts of its files. What is deleted meanwhile is left out, but a
    /// file that is deleted while it is sent breaks the archive off.
    USER_DATA = Operation::get("/user/{user_id}/export")
        .limited()
        .also(200, "The archive.", Content::Other("application/zip"))
        .with_headers(200, &[DISPOSITION])
        .not_found("`User not found.`");

    /// Import an export
    ///
    /// Makes what the archive of `GET /user/{user_id}/export` has, of this account or of one elsewhere, while it arrives. All
    /// gets new ids, and keeps its times; what the account has already stays. Each chat and each file is made whole or
    /// not at all. Where the archive is wrong, the connection breaks or the storage is full, what came before stays, and the
    /// same archive again goes on from there: nothing is made twice. An archive may be sent as several, in any order, and
    /// may have been packed again.
    IMPORT = Operation::post("/import")
        .query(&[USER])
        .takes("application/zip")
        .limited()
        .answers::<Imported>()
        .fails(400, "The archive, or an entry in it, is wrong: the text names the entry.")
        .not_found("`User not found.`");
}
