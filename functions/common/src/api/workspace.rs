//! The places that hold files and chats: `/workspace/...`.

use super::chat::{DONE, ENTRY};
use super::file::FILE;
use super::operation::{Operation, Parameter, link};
use super::page::{AFTER, LIMIT, NEXT, PAGE, USER, USER_FIELD};
use super::schema::{Named, Property, Schema};
use crate::form::{Field, FormSpec};
use crate::owner::{MAX_ID_CHARS, MAX_NAME_CHARS};

/// The form of [`NEW`].
pub const NEW_FORM: &FormSpec = &[
    Field::text("owner_id").max_chars(MAX_ID_CHARS),
    Field::text("name").max_chars(MAX_NAME_CHARS),
    Field::files("files").about("Its first files."),
];

/// The form of [`RENAME`].
pub const RENAME_FORM: &FormSpec = &[
    Field::text("workspace_id").max_chars(MAX_ID_CHARS),
    Field::text("new_name").max_chars(MAX_NAME_CHARS),
    USER_FIELD,
];

const WORKSPACE: Named = Named {
    name: "Workspace",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("name", Schema::Text),
    ]),
};

pub(super) const FILE_NAME: Named = Named {
    name: "FileName",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("filename", Schema::Text),
    ]),
};

const NEW_FILE: Named = Named {
    name: "NewFile",
    schema: Schema::Object(&[
        Property::new("file_id", Schema::Id),
        Property::new("filename", Schema::Text),
    ]),
};

operations! {
    "workspace": "The places that hold files and chats."

    /// Make a workspace
    ///
    /// With its first files, or without any.
    NEW = Operation::post("/workspace/new")
        .form(NEW_FORM)
        .limited()
        .answers_with("NewWorkspace", &[
            Property::new("workspace_id", Schema::Id),
            Property::new("files", Schema::List(&Schema::Named(&NEW_FILE))),
        ])
        .not_found("`User not found.`")
        .leads_to(&[
            link("workspace_show", &[("workspace_id", "/workspace_id")]),
            link("workspace_files", &[("workspace_id", "/workspace_id")]),
            link("workspace_chats", &[("workspace_id", "/workspace_id")]),
            link("workspace_rename", &[("workspace_id", "/workspace_id")]),
            link("workspace_delete", &[("workspace_id", "/workspace_id")]),
        ]);

    /// List workspaces
    ///
    /// A user's, in the order in which they were made.
    LIST = Operation::get("/workspace")
        .query(&[
            Parameter::required("user_id", Schema::ShortText(MAX_ID_CHARS)),
            LIMIT,
            AFTER,
        ])
        .answers_with("Workspaces", &[
            Property::new("workspaces", Schema::List(&Schema::Named(&WORKSPACE))),
            NEXT,
        ])
        .not_found("`User not found.`");

    /// Show a workspace
    ///
    /// And how much is in it.
    SHOW = Operation::get("/workspace/{workspace_id}")
        .query(&[USER])
        .answers_with("WorkspaceDetails", &[
            Property::new("id", Schema::Id),
            Property::new("name", Schema::Text),
            Property::new("num_files", Schema::Count),
            Property::new("num_chats", Schema::Count),
        ])
        .not_found("`User not found.` or `Workspace not found.`");

    /// List the files of a workspace
    ///
    /// In the order in which they came. What was made in a chat is that chat's alone.
    FILES = Operation::get("/workspace/{workspace_id}/files")
        .query(PAGE)
        .answers_with("Files", &[
            Property::new("files", Schema::List(&Schema::Named(&FILE))),
            NEXT,
        ])
        .not_found("`User not found.` or `Workspace not found.`");

    /// List the chats of a workspace
    ///
    /// In the order in which they were made.
    CHATS = Operation::get("/workspace/{workspace_id}/chats")
        .query(PAGE)
        .answers_with("Chats", &[
            Property::new("chats", Schema::List(&Schema::Named(&ENTRY))),
            NEXT,
        ])
        .not_found("`User not found.` or `Workspace not found.`");

    /// Rename a workspace
    RENAME = Operation::patch("/workspace/rename")
        .form(RENAME_FORM)
        .limited()
        .answers_with("RenamedWorkspace", &[
            Property::new("workspace_id", Schema::Id),
            Property::new("new_name", Schema::Text),
        ])
        .not_found("`User not found.` or `Workspace not found.`");

    /// Delete a workspace
    ///
    /// With all of its files and chats. Their open windows are told. Much of it goes in parts: where the answer is not
    /// 200, some may be gone, and the next time goes on from there.
    DELETE = Operation::delete("/workspace/delete/{workspace_id}")
        .query(&[USER])
        .answers(DONE)
        .not_found("`User not found.` or `Workspace not found.`");
}
