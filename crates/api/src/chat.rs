//! Chats as things that are made, named and deleted: `/chat/...`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::File;
use super::operation::{Operation, Parameter, link};
use super::page::{AFTER, LIMIT, PAGE, USER};
use super::schema::Schema;
use super::settings::{
    self, InForce, MAX_EXTRA_BYTES, MAX_INSTRUCTIONS_BYTES, Settings, takes_settings,
};
use crate::form::form;
use crate::id::{ChatId, FileId, GenerationId, MessageId, Time, UserId, VersionId, WorkspaceId};
use crate::{Done, MAX_ID_CHARS, MAX_NAME_CHARS};

form! {
    /// The form of [`NEW`].
    pub struct NewChat {
        user_id: UserId,
        workspace_id: WorkspaceId,
        chat_name: String => max_chars(MAX_NAME_CHARS),
        /// Files of the workspace that the chat begins with.
        selected_file_ids: Vec<FileId>,
        /// Whether its model is to name it after the first reply, unless a person has named it again by then.
        auto_title: Option<bool>,
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

form! {
    /// The form of [`CHANGE`]. What is not sent stays, and so does a name, a workspace, a pin or an archive that is empty or
    /// `null`. A setting that is `null` takes that of the workspace or of the user.
    pub struct ChangeChat {
        /// Open mode: whose it must be.
        user_id: Option<UserId>,
        /// Another name.
        name: Option<String> => max_chars(MAX_NAME_CHARS),
        /// The workspace that the chat moves to, one of the same user. The chat keeps its files.
        workspace_id: Option<WorkspaceId>,
        /// Whether its owner wants to have it at hand.
        is_pinned: Option<bool>,
        /// Whether it is put away: lists leave it out unless they are asked for archived chats.
        is_archived: Option<bool>,
        /// What models read before the conversation, after the instructions of the user and the workspace; at most 16 KiB.
        instructions: Option<Value> => max_chars(MAX_INSTRUCTIONS_BYTES) schema(settings::INSTRUCTIONS),
        /// One of the owner's models, which prompts ask that name none.
        model_id: Option<Value> => max_chars(MAX_ID_CHARS) schema(settings::MODEL),
        /// How much chance there is in replies.
        temperature: Option<Value> => schema(settings::TEMPERATURE),
        /// The share of probability from which tokens are drawn.
        top_p: Option<Value> => schema(settings::TOP_P),
        /// The most tokens of a reply.
        max_tokens: Option<Value> => schema(settings::TOKENS),
        /// How much models think before they answer.
        reasoning_effort: Option<Value> => schema(settings::EFFORT),
        /// Further fields of the request to the model, of at most 16 KiB; `model`, `messages` and `stream` are left out.
        extra: Option<Value> => max_chars(MAX_EXTRA_BYTES) schema(settings::EXTRA),
    }
}

takes_settings!(ChangeChat);

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
#[derive(Debug, Serialize, JsonSchema)]
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
    /// What is set for this chat.
    pub settings: Settings,
    /// What holds in it: its own settings, else those of its workspace, else those of its owner.
    pub in_force: InForce,
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

/// A chat in a side bar.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct ListedChat {
    /// Its id.
    pub id: ChatId,
    /// Its name.
    pub name: String,
    /// The workspace that it is in.
    pub workspace_id: WorkspaceId,
    /// When something happened in it last: a message, a reply that ended, a file or a version.
    pub active_at: Time,
    /// The beginning of the last text, 200 characters at most; empty where there is none yet.
    pub preview: String,
    /// Whether its owner wants to have it at hand.
    pub is_pinned: bool,
    /// Whether it is put away.
    pub is_archived: bool,
    /// The reply that is being written.
    pub generation: Option<RunningGeneration>,
}

/// A page of the chats of a user, those with the latest activity first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ChatList {
    /// The chats of the page.
    pub chats: Vec<ListedChat>,
    /// `after` of the next page; `null` on the last.
    pub next: Option<String>,
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
    /// applies. With `auto_title`, open sockets receive the name that its model gives it, as that of another name.
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

    /// List the chats of a user
    ///
    /// Lists chats as a side bar needs them, those with the latest activity first: a message, a reply that ended, a file or
    /// a version; another name is none. Archived chats are left out unless `archived` is true; then there are no others.
    LIST = Operation::get("/chats")
        .query(&[
            Parameter::required("user_id", Schema::ShortText(MAX_ID_CHARS)),
            Parameter::optional("workspace_id", Schema::ShortText(MAX_ID_CHARS))
                .about("Only chats of this workspace."),
            Parameter::optional("archived", Schema::Boolean)
                .about("Only archived chats (true) or only others (false, the default)."),
            Parameter::optional("pinned", Schema::Boolean)
                .about("Only pinned chats (true) or only others (false)."),
            LIMIT,
            AFTER,
        ])
        .answers::<ChatList>()
        .not_found("`User not found.` or `Workspace not found.`");

    /// Change a chat
    ///
    /// Changes what is sent, all of it or nothing: the name, the workspace, whether the chat is pinned or archived, and the
    /// settings that its replies are made with. Open sockets receive an event of another name and of other settings.
    /// The instructions and `extra` of chats count as stored.
    CHANGE = Operation::patch("/chat/{chat_id}")
        .form::<ChangeChat>()
        .limited()
        .answers::<ListedChat>()
        .not_found("`User not found.`, `Chat not found.`, `Workspace not found.` or `Model not found.`");

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
