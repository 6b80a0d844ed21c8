//! Files coming in and going out: `/file/...`.

use schemars::JsonSchema;
use serde::Serialize;

use super::chat::Done;
use super::operation::{Content, Operation, Parameter, link};
use super::page::USER;
use super::schema::{Property, Schema};
use crate::form::{RequiredFiles, form};
use crate::id::{FileId, UserId};
use crate::words::FileKind;
use crate::{MAX_ID_CHARS, MAX_NAME_CHARS};

/// The longest `s3_urls`, in characters: room for the URLs of many files.
const MAX_URLS_CHARS: usize = 64 * 1024;

form! {
    /// The form of [`UPLOAD`]. `user_id` may be missing in open mode, where knowing the target is the right to use it; a
    /// client of the original's later version sends none.
    pub struct UploadFiles<F> {
        user_id: Option<UserId>,
        /// The id of a chat if `is_chat` is true, else of a workspace.
        target_id: String => max_chars(MAX_ID_CHARS),
        is_chat: bool,
        files: RequiredFiles<F>,
        /// Whatever it says: `files` of the answer are objects then, as the original's later version has them.
        s3_urls: Option<String> => max_chars(MAX_URLS_CHARS),
    }
}

form! {
    /// The form of [`RENAME`]. 255 characters are never more bytes than the name of an upload may have.
    pub struct RenameFile {
        file_id: FileId,
        new_name: String => max_chars(MAX_NAME_CHARS),
        /// Open mode: whose it must be.
        user_id: Option<UserId>,
    }
}

/// A file in a list.
#[derive(Debug, Serialize, JsonSchema)]
pub struct File {
    /// The file's own, or that of its attachment to a chat.
    pub id: FileId,
    /// What it is called.
    pub filename: String,
    /// Only a name.
    pub path: String,
    /// In bytes.
    pub size: u64,
    /// `based`: written in a chat.
    #[serde(rename = "type")]
    pub kind: FileKind,
    /// Of code.
    pub language: Option<&'static str>,
    /// The path under which its content is read.
    pub url: String,
    /// As the client declared it that uploaded the file.
    pub media_type: Option<String>,
}

/// A file that was uploaded.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct UploadedFile {
    /// Its id.
    pub id: FileId,
    /// What it is called.
    pub name: String,
    /// The text of a small file of code, CSV or Markdown, or of a PDF.
    pub content: Option<String>,
    /// Of code.
    pub language: Option<&'static str>,
    /// `based`: written in a chat.
    #[serde(rename = "type")]
    pub kind: FileKind,
    /// The path under which its content is read.
    pub url: String,
}

/// Files that were uploaded.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Uploaded {
    /// The new files.
    pub files: NewFiles,
    /// What is to be known of them.
    pub details: Vec<UploadedFile>,
}

/// New files, as the request asks for them.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum NewFiles {
    /// Their ids.
    Ids(Vec<FileId>),
    /// The same as `details`, where the request has `s3_urls`.
    Details(Vec<UploadedFile>),
}

/// A file that has another name.
#[derive(Debug, Serialize, JsonSchema)]
pub struct RenamedFile {
    /// Its own id.
    pub file_id: FileId,
    /// What it is called now.
    pub new_filename: String,
    /// Only a name.
    pub new_path: String,
}

const ETAG: Property =
    Property::new("ETag", Schema::Text).about("Of this content; another version has another.");
const PLACE: Property =
    Property::new("Content-Range", Schema::Text).about("Which bytes of how many: `bytes 0-4/10`.");
const DISPOSITION: Property = Property::new("Content-Disposition", Schema::Text)
    .about("The file's name, and `inline` only where a browser runs nothing of it.");

operations! {
    "file": "Files, coming in and going out. Who reads a file by its own id reads what the chat says that has it under \
        that id, else the only chat that has it, else what was uploaded."

    /// Upload files
    ///
    /// To a chat or a workspace, all of them or none. A chat's files are its workspace's files too.
    UPLOAD = Operation::post("/file/upload")
        .form::<UploadFiles<()>>()
        .limited()
        .answers::<Uploaded>()
        .not_found("`User not found.`, `Chat not found.` or `Workspace not found.`")
        .leads_to(&[
            link("file_content", &[("file_id", "/files/0")]),
            link("file_show", &[("file_id", "/files/0")]),
            link("file_rename", &[("file_id", "/files/0")]),
            link("file_delete", &[("file_id", "/files/0")]),
            link("versions_list", &[("chat_file_id", "/files/0")]),
            link("versions_save", &[("chat_file_id", "/files/0")]),
        ]);

    /// Read a file
    ///
    /// Knows ranges and `If-None-Match`. Of what has versions in its chat, this is the newest.
    CONTENT = Operation::get("/file/{file_id}/content")
        .limited()
        .query(&[USER])
        .heeds(&[
            Parameter::optional("Range", Schema::Text)
                .about("Which bytes: `bytes=0-4`, `bytes=5-` or `bytes=-5`. Of several ranges, or of what is none, all."),
            Parameter::optional("If-Range", Schema::Text)
                .about("The `ETag` of what the client has a part of: else all is sent."),
            Parameter::optional("If-None-Match", Schema::Text)
                .about("The `ETag`s that the client has: one of them is 304."),
        ])
        .also(200, "The whole content.", Content::Other("*/*"))
        .with_headers(200, &[ETAG, DISPOSITION])
        .also(206, "The range that was asked for.", Content::Other("*/*"))
        .with_headers(206, &[ETAG, PLACE, DISPOSITION])
        .also(304, "The client has it already.", Content::Nothing)
        .with_headers(304, &[ETAG])
        .also(416, "The content has no such range.", Content::Nothing)
        .with_headers(416, &[ETAG, PLACE])
        .not_found("`User not found.` or `File not found.`");

    /// Show a file
    ///
    /// All but its content. What has versions in its chat is shown as the newest.
    SHOW = Operation::get("/file/{file_id}")
        .query(&[USER])
        .answers::<File>()
        .not_found("`User not found.` or `File not found.`");

    /// Rename a file
    ///
    /// Wherever it is attached; open windows are told. The answer has the file's own id, whichever it was asked by. In many
    /// chats it is done in parts: where the answer is not 200, some may have the old name until the next time.
    RENAME = Operation::patch("/file/rename")
        .form::<RenameFile>()
        .limited()
        .answers::<RenamedFile>()
        .not_found("`User not found.` or `File not found.`");

    /// Delete a file
    ///
    /// With its attachments and their versions. Every chat that had it gets a message about it, and open windows are told.
    /// Much of it goes in parts: where the answer is not 200, some may be gone, and the next time goes on from there.
    DELETE = Operation::delete("/file/delete/{file_id}")
        .query(&[USER])
        .answers::<Done>()
        .not_found("`User not found.` or `File not found.`");
}
