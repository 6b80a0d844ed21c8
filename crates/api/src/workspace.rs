//! The places that hold files and chats: `/workspace/...`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::auth::LoginWorkspace;
use super::chat::Chat;
use super::file::File;
use super::operation::{Operation, Parameter, link};
use super::page::{AFTER, LIMIT, PAGE, USER};
use super::schema::Schema;
use super::settings::{self, MAX_EXTRA_BYTES, MAX_INSTRUCTIONS_BYTES, Settings, takes_settings};
use crate::form::{self, form};
use crate::id::{FileId, UserId, WorkspaceId};
use crate::{Done, MAX_ID_CHARS, MAX_NAME_CHARS};

form! {
    /// The form of [`NEW`].
    pub struct MakeWorkspace<F> {
        owner_id: UserId,
        name: String => max_chars(MAX_NAME_CHARS),
        /// Its first files.
        files: form::Files<F>,
    }
}

form! {
    /// The form of [`RENAME`].
    pub struct RenameWorkspace {
        workspace_id: WorkspaceId,
        new_name: String => max_chars(MAX_NAME_CHARS),
        /// Open mode: whose it must be.
        user_id: Option<UserId>,
    }
}

form! {
    /// The form of [`CHANGE`]. What is not sent stays, and so does a name that is empty or `null`. A setting that is `null`
    /// takes that of the user.
    pub struct ChangeWorkspace {
        /// Open mode: whose it must be.
        user_id: Option<UserId>,
        /// Another name.
        name: Option<String> => max_chars(MAX_NAME_CHARS),
        /// What models read before the conversations of the workspace, after the instructions of the user; at most 16 KiB.
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

takes_settings!(ChangeWorkspace);

/// A workspace in a list.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
}

/// A page of the workspaces of a user.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Workspaces {
    /// The workspaces of the page.
    pub workspaces: Vec<Workspace>,
    /// `after` of the next page; `null` on the last.
    pub next: Option<String>,
}

/// A new workspace.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewWorkspace {
    /// Its id.
    pub workspace_id: WorkspaceId,
    /// Its first files.
    pub files: Vec<NewFile>,
    /// The same in the shape of a login.
    pub workspace: LoginWorkspace,
}

/// A file of a new workspace.
#[derive(Debug, Serialize, JsonSchema)]
pub struct NewFile {
    /// Its id.
    pub file_id: FileId,
    /// What it is called.
    pub filename: String,
}

/// A workspace, and how much is in it.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct WorkspaceDetails {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name.
    pub name: String,
    /// How many files it has.
    pub num_files: u64,
    /// How many chats it has.
    pub num_chats: u64,
    /// What is set for its chats.
    pub settings: Settings,
}

/// A workspace that has another name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RenamedWorkspace {
    /// Its id.
    pub workspace_id: WorkspaceId,
    /// Its name now.
    pub new_name: String,
}

/// A page of the files of a workspace.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Files {
    /// The files of the page.
    pub files: Vec<File>,
    /// `after` of the next page; `null` on the last.
    pub next: Option<String>,
}

/// A page of the chats of a workspace.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Chats {
    /// The chats of the page.
    pub chats: Vec<Chat>,
    /// `after` of the next page; `null` on the last.
    pub next: Option<String>,
}

operations! {
    "workspace": "Collections of files and chats."

    /// Make a workspace
    ///
    /// Creates a workspace, and stores the files of the request in it.
    NEW = Operation::post("/workspace/new")
        .form::<MakeWorkspace<()>>()
        .limited()
        .answers::<NewWorkspace>()
        .not_found("`User not found.`")
        .leads_to(&[
            link("workspace_show", &[("workspace_id", "/workspace_id")]),
            link("workspace_files", &[("workspace_id", "/workspace_id")]),
            link("workspace_chats", &[("workspace_id", "/workspace_id")]),
            link("workspace_delete", &[("workspace_id", "/workspace_id")]),
        ]);

    /// List workspaces
    ///
    /// Lists the workspaces of a user in the order of their creation.
    LIST = Operation::get("/workspace")
        .query(&[
            Parameter::required("user_id", Schema::ShortText(MAX_ID_CHARS)),
            LIMIT,
            AFTER,
        ])
        .answers::<Workspaces>()
        .not_found("`User not found.`");

    /// Show a workspace
    ///
    /// Answers with the workspace and the numbers of its files and chats.
    SHOW = Operation::get("/workspace/{workspace_id}")
        .query(&[USER])
        .answers::<WorkspaceDetails>()
        .not_found("`User not found.` or `Workspace not found.`");

    /// List the files of a workspace
    ///
    /// Lists files in the order of their upload. Files that were created in a chat belong to that chat only.
    FILES = Operation::get("/workspace/{workspace_id}/files")
        .query(PAGE)
        .answers::<Files>()
        .not_found("`User not found.` or `Workspace not found.`");

    /// List the chats of a workspace
    ///
    /// Lists chats in the order of their creation.
    CHATS = Operation::get("/workspace/{workspace_id}/chats")
        .query(PAGE)
        .answers::<Chats>()
        .not_found("`User not found.` or `Workspace not found.`");

    /// Change a workspace
    ///
    /// Changes what is sent, all of it or nothing: the name, and the settings that replies in its chats are made with.
    CHANGE = Operation::patch("/workspace/{workspace_id}")
        .form::<ChangeWorkspace>()
        .limited()
        .answers::<WorkspaceDetails>()
        .not_found("`User not found.`, `Workspace not found.` or `Model not found.`");

    /// Rename a workspace
    ///
    /// Gives the workspace another name.
    RENAME = Operation::patch("/workspace/rename")
        .form::<RenameWorkspace>()
        .limited()
        .answers::<RenamedWorkspace>()
        .not_found("`User not found.` or `Workspace not found.`");

    /// Delete a workspace
    ///
    /// Deletes the workspace with all of its files and chats, and closes the open sockets of those chats. A large
    /// amount is deleted in parts: if the answer is not 200, some of it may be deleted already, and the next request
    /// continues there.
    DELETE = Operation::delete("/workspace/delete/{workspace_id}")
        .query(&[USER])
        .answers::<Done>()
        .not_found("`User not found.` or `Workspace not found.`");
}
