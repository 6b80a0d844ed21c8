//! Chats as things that are made, named and deleted: `/chat/...`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::file::File;
use super::operation::{Operation, link};
use super::page::{PAGE, USER};
use crate::form::form;
use crate::id::{ChatId, FileId, GenerationId, MessageId, Time, UserId, VersionId, WorkspaceId};
use crate::{Done, MAX_NAME_CHARS};

form! {
    /// The form of [`NEW`].
    pub struct NewChat {
        user_id: UserId,
        workspace_id: WorkspaceId,
        chat_name: String => max_chars(MAX_NAME_CHARS),
        /// Files of the workspace that the chat begins with.
        selected_file_ids: Vec<FileId>,
    }
}

form! {
    /// The form of [`RENAME`].
    pub struct RenameChat {
        /// Open mode: whose it must be.
        user_id: Option<UserId>,
        chat_id: ChatId,
        new_name: String => max_chars(MAX_NAME_CHARS),
    }
}

/// A chat and its name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatName {
    /// Its id.
    pub chat_id: ChatId,
    /// Its name.
    pub name: String,
    /// When it was changed last.
    pub last_updated: Time,
}

/// A chat in a list.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Chat {
    /// Its id.
    pub id: ChatId,
    /// Its name.
    pub name: String,
    /// When it was changed last.
    pub last_updated: Option<Time>,
    /// Of all of its files together.
    pub num_versions: u64,
    /// The workspace that it is in.
    pub workspace_id: WorkspaceId,
}

/// A chat without its messages.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ChatDetails {
    /// Its id.
    pub id: ChatId,
    /// Its name.
    pub name: String,
    /// When it was changed last.
    pub last_updated: Option<Time>,
    /// Of all of its files together.
    pub num_versions: u64,
    /// The workspace that it is in.
    pub workspace_id: WorkspaceId,
    /// Raised by each change of the chat.
    pub rev: u64,
    /// How many messages it has.
    pub num_messages: u64,
    /// The reply that is being written.
    pub generation: Option<RunningGeneration>,
}

/// A reply that is being written.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunningGeneration {
    /// Its id.
    pub id: GenerationId,
    /// The message that it is written to.
    pub message_id: MessageId,
    /// The name of the model that writes it.
    pub model: String,
    /// The number of its newest delta.
    pub seq: u64,
}

/// A file of a chat.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatFile {
    /// The file.
    #[serde(flatten)]
    pub file: File,
    /// The workspace's file that is attached; `null` for one that was made in the chat.
    pub file_id: Option<FileId>,
    /// How many versions it has.
    pub num_versions: u64,
    /// The newest.
    pub version_id: Option<VersionId>,
    /// When that was saved.
    pub timestamp: Option<Time>,
}

/// A page of the files of a chat.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatFiles {
    /// The files of the page.
    pub files: Vec<ChatFile>,
    /// `after` of the next page; `null` on the last.
    pub next: Option<String>,
}

operations! {
    "chat": "Creating, listing, renaming and deleting chats."

    /// Make a chat
    ///
    /// Creates a chat, and attaches the selected files of its workspace. With files, the rate limit of uploads also
    /// applies.
    NEW = Operation::post("/chat/new")
        .form::<NewChat>()
        .limited()
        .answers::<ChatName>()
        .not_found("`User not found.`, `Workspace not found.` or `File … not found in the workspace.`")
        .leads_to(&[
            link("chat_show", &[("chat_id", "/chat_id")]),
            link("chat_files", &[("chat_id", "/chat_id")]),
            link("chat_delete", &[("chat_id", "/chat_id")]),
            link("conversation_history", &[("chat_id", "/chat_id")]),
            link("conversation_send", &[("chat_id", "/chat_id")]),
            link("conversation_stop", &[("chat_id", "/chat_id")]),
        ]);

    /// Show a chat
    ///
    /// Answers with the chat and its running reply, without the messages.
    SHOW = Operation::get("/chat/{chat_id}")
        .query(&[USER])
        .answers::<ChatDetails>()
        .not_found("`User not found.` or `Chat not found.`");

    /// List the files of a chat
    ///
    /// Lists the attached files of the workspace and the files that were created in the chat, with their newest
    /// versions.
    FILES = Operation::get("/chat/{chat_id}/files")
        .query(PAGE)
        .answers::<ChatFiles>()
        .not_found("`User not found.` or `Chat not found.`");

    /// Rename a chat
    ///
    /// Gives the chat another name. Open sockets receive an event.
    RENAME = Operation::patch("/chat/rename")
        .form::<RenameChat>()
        .limited()
        .answers::<ChatName>()
        .not_found("`User not found.` or `Chat not found.`");

    /// Delete a chat
    ///
    /// Deletes the chat with its conversation, its attachments and their versions. Files of the workspace stay. A large
    /// amount is deleted in parts: if the answer is not 200, some of it may be deleted already, and the next request
    /// continues there.
    DELETE = Operation::delete("/chat/{chat_id}")
        .query(&[USER])
        .answers::<Done>()
        .not_found("`User not found.` or `Chat not found.`");

    /// Delete the chat of id `new`
    ///
    /// There is none: this path is an id like any other for this method, as in the original.
    DELETE_NEW = Operation::delete("/chat/new")
        .deprecated()
        .query(&[USER])
        .answers::<Done>()
        .not_found("`User not found.` or `Chat not found.`");

    /// Delete the chat of id `rename`
    ///
    /// There is none: this path is an id like any other for this method, as in the original.
    DELETE_RENAME = Operation::delete("/chat/rename")
        .deprecated()
        .query(&[USER])
        .answers::<Done>()
        .not_found("`User not found.` or `Chat not found.`");
}
