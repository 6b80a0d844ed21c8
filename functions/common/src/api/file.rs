//! Files coming in and going out: `/file/...`.

use super::operation::{Content, Operation};
use super::schema::{Named, Property, Schema};
use crate::form::{Field, FormSpec};
use crate::owner::MAX_ID_CHARS;

/// The form of [`UPLOAD`]. `user_id` may be missing in open mode, where knowing the target is the right to use it; a
/// client of the original's later version sends none. Its `s3_urls` is ignored like every field that isn't declared.
pub const UPLOAD_FORM: &FormSpec = &[
    Field::optional_text("user_id").max_chars(MAX_ID_CHARS),
    Field::text("target_id")
        .max_chars(MAX_ID_CHARS)
        .about("The id of a chat if `is_chat` is true, else of a workspace."),
    Field::boolean("is_chat"),
    Field::required_files("files"),
];

/// What kinds of files there are.
pub(super) const KINDS: Schema = Schema::OneOf(&[
    "code", "pdf", "csv", "markdown", "image", "computer", "other",
]);

const UPLOADED_FILE: Named = Named {
    name: "UploadedFile",
    schema: Schema::Object(&[
        Property::new("id", Schema::Id),
        Property::new("name", Schema::Text),
        Property::new("content", Schema::Nullable(&Schema::Text))
            .about("The text of a small file of code, CSV or Markdown, or of a PDF."),
        Property::new("language", Schema::Nullable(&Schema::Text))
            .about("The programming language of code."),
        Property::new("type", KINDS),
        Property::new("url", Schema::Text).about("The path under which its content is read."),
    ]),
};

operations! {
    "file": "Files, coming in and going out."

    /// Upload files
    ///
    /// To a chat or a workspace, all of them or none. A chat's files are its workspace's files too.
    UPLOAD = Operation::post("/file/upload")
        .form(UPLOAD_FORM)
        .answers(Schema::Object(&[
            Property::new("files", Schema::List(&Schema::Id)).about("The ids of the new files."),
            Property::new("details", Schema::List(&Schema::Named(&UPLOADED_FILE))),
        ]))
        .not_found("`User not found.`, `Chat not found.` or `Workspace not found.`");

    /// Read a file
    ///
    /// Knows ranges and `If-None-Match`. Of a file that has versions in its chat, this is the newest.
    CONTENT = Operation::get("/file/{file_id}/content")
        .also(200, "The whole content.", Content::Other("*/*"))
        .also(206, "The range that was asked for.", Content::Other("*/*"))
        .also(304, "The client has it already.", Content::Nothing)
        .also(416, "The content has no such range.", Content::Nothing)
        .not_found("`File not found.`");
}
