//! The places that hold files and chats: `/workspace/...`.

use super::operation::Operation;
use super::schema::{Named, Property, Schema};
use crate::form::{Field, FormSpec};
use crate::owner::{MAX_ID_CHARS, MAX_NAME_CHARS};

/// The form of [`NEW`].
pub const NEW_FORM: &FormSpec = &[
    Field::text("owner_id").max_chars(MAX_ID_CHARS),
    Field::text("name").max_chars(MAX_NAME_CHARS),
    Field::files("files").about("Its first files."),
];

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
        .answers(Schema::Object(&[
            Property::new("workspace_id", Schema::Id),
            Property::new("files", Schema::List(&Schema::Named(&NEW_FILE))),
        ]))
        .not_found("`User not found.`");
}
