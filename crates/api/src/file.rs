//! Files coming in and going out: `/file/...`.

use schemars::JsonSchema;
use serde::Serialize;

use super::operation::{Content, Operation, Parameter, link};
use super::page::USER;
use super::schema::{Property, Schema};
use crate::form::{RequiredFiles, form};
use crate::id::{FileId, UserId};
use crate::words::{FileKind, TextState};
use crate::{Done, MAX_ID_CHARS, MAX_NAME_CHARS};

/// The longest `s3_urls`, in characters: room for the URLs of many files.
const MAX_URLS_CHARS: usize = 64 * 1024;

form! {
    /// The form of [`UPLOAD`]. `user_id` may be missing in open mode, where knowing the target is the right to use it;
    /// a client of the original's later version sends none.
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

/// A file in a list. Its name in the description is not `File`, which is a type of many languages.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "FileDetails")]
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
    /// The address under which its content is read.
    pub url: String,
    /// As the client declared it that uploaded the file.
    pub media_type: Option<String>,
    /// How far its text is that models read. Of a file with versions, the newest version is the text.
    pub text_state: TextState,
    /// Why it has no text, where `text_state` is `failed`.
    pub text_error: Option<String>,
}

/// The longest text that [`SHOW`] answers with, in characters.
pub const MAX_SHOWN_TEXT_CHARS: i64 = 100_000;

/// A file by itself.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ShownFile {
    /// The file.
    #[serde(flatten)]
    pub file: File,
    /// With `with_text`: the text that models read of it, the first 100,000 characters; missing where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
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
    /// The address under which its content is read.
    pub url: String,
    /// How far its text is that models read.
    pub text_state: TextState,
    /// Why it has no text, where `text_state` is `failed`.
    pub text_error: Option<String>,
}

/// Files that were uploaded.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Uploaded {
    /// The new files.
    pub files: NewFiles,
    /// The uploaded files.
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
    .about("The file's name. `inline` only for types in which a browser runs no code.");

operations! {
    "file": "Uploading, reading, renaming and deleting files. The id of a file in a chat reads its newest version there. \
        The id of a workspace's file reads the newest version of the only chat that has it attached; if several chats or \
        none have it, the uploaded content."

    /// Upload files
    ///
    /// Stores all files of the request or none, in a workspace or in a chat. Files of a chat also belong to its
    /// workspace.
    UPLOAD = Operation::post("/file/upload")
        .form::<UploadFiles<()>>()
        .limited()
        .answers::<Uploaded>()
        .not_found("`User not found.`, `Chat not found.` or `Workspace not found.`")
        .leads_to(&[
            link("file_content", &[("file_id", "/details/0/id")]),
            link("file_show", &[("file_id", "/details/0/id")]),
            link("file_delete", &[("file_id", "/details/0/id")]),
            link("versions_list", &[("chat_file_id", "/details/0/id")]),
            link("versions_save", &[("chat_file_id", "/details/0/id")]),
        ]);

    /// Read a file
    ///
    /// Supports ranges and `If-None-Match`. Of a file with versions, this is the newest version. In token mode, the
    /// `url` of a file has `expires` and `signature`, with which it is read without a session for an hour.
    CONTENT = Operation::get("/file/{file_id}/content")
        .limited()
        .query(&[
            USER,
            Parameter::optional("expires", Schema::Text)
                .about("Token mode: until when the signature is valid, in seconds since 1970."),
            Parameter::optional("signature", Schema::Text)
                .about("Token mode: that of the file's `url`."),
        ])
        .heeds(&[
            Parameter::optional("Range", Schema::Text)
                .about("Which bytes: `bytes=0-4`, `bytes=5-` or `bytes=-5`. Several ranges, or a value that is no range, give the whole content."),
            Parameter::optional("If-Range", Schema::Text)
                .about("The `ETag` of the content that the client has a part of. With another `ETag` the whole content is sent."),
            Parameter::optional("If-None-Match", Schema::Text)
                .about("The `ETag`s that the client has. If the content has one of them, the answer is 304."),
        ])
        .also(200, "The whole content, with the file's own `Content-Type`.", Content::Bytes)
        .with_headers(200, &[ETAG, DISPOSITION])
        .also(206, "The range that was asked for.", Content::Bytes)
        .with_headers(206, &[ETAG, PLACE, DISPOSITION])
        .also(304, "The client has it already.", Content::Nothing)
        .with_headers(304, &[ETAG])
        .also(416, "The content has no such range.", Content::Nothing)
        .with_headers(416, &[ETAG, PLACE])
        .not_found("`User not found.` or `File not found.`");

    /// Show a file
    ///
    /// Answers with everything but the content. Of a file with versions, size and type are those of the newest version.
    /// With `with_text` also with the text that models read, such as that of a PDF.
    SHOW = Operation::get("/file/{file_id}")
        .query(&[
            USER,
            Parameter::optional("with_text", Schema::Boolean)
                .about("Whether the answer has the text that models read of the file."),
        ])
        .answers::<ShownFile>()
        .not_found("`User not found.` or `File not found.`");

    /// Rename a file
    ///
    /// Renames the file in its workspace and in every chat that has it, and sends an event to the open sockets of those
    /// chats. The answer contains the id of the workspace's file, also when the request named the file by its id in a
    /// chat. In many chats this is done in parts: if the answer is not 200, the file may have its old name in some
    /// chats until the next request.
    RENAME = Operation::patch("/file/rename")
        .form::<RenameFile>()
        .limited()
        .answers::<RenamedFile>()
        .not_found("`User not found.` or `File not found.`");

    /// Delete a file
    ///
    /// Deletes the file with its attachments and their versions. Every chat that had it gets a message about it, and
    /// its open sockets receive an event. A large amount is deleted in parts: if the answer is not 200, some of it may
    /// be deleted already, and the next request continues there.
    DELETE = Operation::delete("/file/delete/{file_id}")
        .query(&[USER])
        .answers::<Done>()
        .not_found("`User not found.` or `File not found.`");
}
