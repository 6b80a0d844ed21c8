//! Chats as things that are made, named and deleted: `/chat/...`.

use super::file::{FILE_ID, FILE_URL, FILENAME, KIND, LANGUAGE, MEDIA_TYPE, PATH, SIZE};
use super::operation::{Operation, link};
use super::page::{NEXT, PAGE, USER, USER_FIELD};
use super::schema::{Named, Property, Schema};
use crate::form::{Field, FormSpec};
use crate::owner::{MAX_ID_CHARS, MAX_NAME_CHARS};

/// The form of [`NEW`].
pub const NEW_FORM: &FormSpec = &[
    Field::text("user_id").max_chars(MAX_ID_CHARS),
    Field::text("workspace_id").max_chars(MAX_ID_CHARS),
    Field::text("chat_name").max_chars(MAX_NAME_CHARS),
    Field::texts("selected_file_ids")
        .max_chars(MAX_ID_CHARS)
        .about("Files of the workspace that the chat begins with."),
];

/// The form of [`RENAME`].
pub const RENAME_FORM: &FormSpec = &[
    USER_FIELD,
    Field::text("chat_id").max_chars(MAX_ID_CHARS),
    Field::text("new_name").max_chars(MAX_NAME_CHARS),
];

pub(super) const LAST_UPDATED: Property =
    Property::new("last_updated", Schema::Nullable(&Schema::Time));

pub(super) const NUM_VERSIONS: Property =
    Property::new("num_versions", Schema::Count).about("Of all of its files together.");

const CHAT: Named = Named {
    name: "ChatName",
    schema: Schema::Object(&[
        Property::new("chat_id", Schema::Id),
        Property::new("name", Schema::Text),
        Property::new("last_updated", Schema::Time),
    ]),
};

/// A chat in a list.
pub(super) const ENTRY: Named = Named {
    name: "Chat",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("name", Schema::Text),
        LAST_UPDATED,
        NUM_VERSIONS,
        Property::new("workspace_id", Schema::Id),
    ]),
};

const RUNNING: Named = Named {
    name: "RunningGeneration",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("message_id", Schema::Id),
        Property::new("model", Schema::Text),
        Property::new("seq", Schema::Count),
    ]),
};

const CHAT_FILE: Named = Named {
    name: "ChatFile",
    schema: Schema::Object(&[
        FILE_ID,
        FILENAME,
        PATH,
        SIZE,
        KIND,
        LANGUAGE,
        FILE_URL,
        MEDIA_TYPE,
        Property::new("file_id", Schema::Nullable(&Schema::Id)).about(
            "The workspace's file that is attached; `null` for one that was made in the chat.",
        ),
        Property::new("num_versions", Schema::Count),
        Property::new("version_id", Schema::Nullable(&Schema::Id)).about("The newest."),
        Property::new("timestamp", Schema::Nullable(&Schema::Time)).about("When that was saved."),
    ]),
};

/// An answer that only says what was done.
pub(super) const DONE: Schema = Schema::Named(&DONE_NAMED);

const DONE_NAMED: Named = Named {
    name: "Done",
    schema: Schema::Object(&[Property::new("detail", Schema::Text)]),
};

operations! {
    "chat": "Chats as things that are made, named and deleted."

    /// Make a chat
    ///
    /// With files of its workspace, if some are selected; then it is limited as uploads are, too.
    NEW = Operation::post("/chat/new")
        .form(NEW_FORM)
        .limited()
        .answers(Schema::Named(&CHAT))
        .not_found("`User not found.`, `Workspace not found.` or `File … not found in the workspace.`")
        .leads_to(&[
            link("chat_rename", &[("chat_id", "/chat_id")]),
            link("chat_show", &[("chat_id", "/chat_id")]),
            link("chat_files", &[("chat_id", "/chat_id")]),
            link("chat_delete", &[("chat_id", "/chat_id")]),
            link("conversation_history", &[("chat_id", "/chat_id")]),
            link("conversation_send", &[("chat_id", "/chat_id")]),
            link("conversation_stop", &[("chat_id", "/chat_id")]),
        ]);

    /// Show a chat
    ///
    /// Without its messages, and with the reply that is being written.
    SHOW = Operation::get("/chat/{chat_id}")
        .query(&[USER])
        .answers_with("ChatDetails", &[
            Property::new("id", Schema::Id),
            Property::new("name", Schema::Text),
            LAST_UPDATED,
            NUM_VERSIONS,
            Property::new("workspace_id", Schema::Id),
            Property::new("rev", Schema::Count).about("Raised by whatever changes the chat."),
            Property::new("num_messages", Schema::Count),
            Property::new("generation", Schema::Nullable(&Schema::Named(&RUNNING))),
        ])
        .not_found("`User not found.` or `Chat not found.`");

    /// List the files of a chat
    ///
    /// Those of its workspace that it has and those that were made in it, with their newest versions.
    FILES = Operation::get("/chat/{chat_id}/files")
        .query(PAGE)
        .answers_with("ChatFiles", &[
            Property::new("files", Schema::List(&Schema::Named(&CHAT_FILE))),
            NEXT,
        ])
        .not_found("`User not found.` or `Chat not found.`");

    /// Rename a chat
    RENAME = Operation::patch("/chat/rename")
        .form(RENAME_FORM)
        .limited()
        .answers(Schema::Named(&CHAT))
        .not_found("`User not found.` or `Chat not found.`");

    /// Delete a chat
    ///
    /// With its conversation, its attachments and their versions. Files of the workspace stay there. Much of it goes in
    /// parts: where the answer is not 200, some may be gone, and the next time goes on from there.
    DELETE = Operation::delete("/chat/{chat_id}")
        .query(&[USER])
        .answers(DONE)
        .not_found("`User not found.` or `Chat not found.`");

    /// Delete the chat of id `new`
    ///
    /// There is none: this path is an id like any other for this method, as in the original.
    DELETE_NEW = Operation::delete("/chat/new")
        .deprecated()
        .query(&[USER])
        .answers(DONE)
        .not_found("`User not found.` or `Chat not found.`");

    /// Delete the chat of id `rename`
    ///
    /// There is none: this path is an id like any other for this method, as in the original.
    DELETE_RENAME = Operation::delete("/chat/rename")
        .deprecated()
        .query(&[USER])
        .answers(DONE)
        .not_found("`User not found.` or `Chat not found.`");
}
