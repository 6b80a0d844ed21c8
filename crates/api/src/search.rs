//! Searching what a user has: `/search`.

use schemars::JsonSchema;
use serde::Serialize;

use super::operation::{Operation, Parameter};
use super::page::{AFTER, LIMIT};
use super::schema::Schema;
use crate::MAX_ID_CHARS;
use crate::id::{ChatId, FileId, MessageId, Time, WorkspaceId};
use crate::words::{HitKind, Role};

/// The longest query, in characters; a longer one is 422.
pub const MAX_QUERY_CHARS: usize = 1_000;

/// Where to search, of the parameter `in`: nothing, or words with commas between them.
const PLACES: Schema = Schema::Pattern("^((messages|files|names)(,(messages|files|names))*)?$");

/// A page of what was found, the best first.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SearchResults {
    /// What was found.
    pub results: Vec<SearchHit>,
    /// `after` of the next page; `null` on the last.
    pub next: Option<String>,
    /// Whether everything was searched. After the first search of a user who has much, the server goes on indexing: ask
    /// again.
    pub is_complete: bool,
}

/// A message, a file or a name that was found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SearchHit {
    /// What was found.
    pub kind: HitKind,
    /// The part of the text, or the name, that was found: about 200 characters in one line, with `…` where the text goes
    /// on.
    pub snippet: String,
    /// What is to be marked in the snippet, in its order.
    pub marks: Vec<SearchMark>,
    /// The workspace of the chat or the file.
    pub workspace_id: WorkspaceId,
    /// The chat of a message, or the chat whose name was found.
    pub chat_id: Option<ChatId>,
    /// Its name.
    pub chat_name: Option<String>,
    /// The message. `POST /chat/{chat_id}/branch` with it makes its branch the active one.
    pub message_id: Option<MessageId>,
    /// Who wrote the message.
    pub role: Option<Role>,
    /// When the message was added.
    pub created_at: Option<Time>,
    /// The file.
    pub file_id: Option<FileId>,
    /// Its name.
    pub filename: Option<String>,
    /// Chats that have the file, 20 at most.
    pub chat_ids: Vec<ChatId>,
}

/// A place in a snippet, in UTF-16 code units, as JavaScript and Java count: `snippet.slice(start, end)`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SearchMark {
    /// The first code unit.
    pub start: usize,
    /// The one behind the last.
    pub end: usize,
}

operations! {
    "search": "Searching messages, files and names."

    /// Search
    ///
    /// Finds messages of all branches, texts of files, and names of chats and files, the best first. All words must be
    /// there, in whatever case and with or without diacritics; words in quotation marks must follow each other. The last
    /// word, unless a space follows it, and a word with `*` behind it may be the beginning of a word, from two letters
    /// on. In Chinese, Japanese, Korean, Thai and the like any part of a text is found. Every text is a query; one
    /// without a word finds nothing. Of messages, of files and of names each, the newest 1,000 that match are ranked. A
    /// long text is searched in pieces of 16,000 characters, and all words must be in the same one.
    FIND = Operation::get("/search")
        .limited()
        .query(&[
            Parameter::required("user_id", Schema::ShortText(MAX_ID_CHARS)),
            Parameter::required("q", Schema::ShortText(MAX_QUERY_CHARS)).about("The query."),
            Parameter::optional("workspace_id", Schema::ShortText(MAX_ID_CHARS))
                .about("Only chats and files of this workspace."),
            Parameter::optional("in", PLACES)
                .about("Where: `messages`, `files`, `names`, several with commas between them; all by default."),
            LIMIT,
            AFTER,
        ])
        .answers::<SearchResults>()
        .not_found("`User not found.` or `Workspace not found.`");
}
