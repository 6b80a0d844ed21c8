//! What an export reads, in pages: each is a statement of its own, so that no slow client keeps a transaction open.

use async_stream::try_stream;
use futures::Stream;
use kafka_common::api::export::{
    ExportedChatFileHead, ExportedChatHead, ExportedVersion, ExportedWorkspace,
};
use kafka_common::api::id::FileId;
use kafka_common::api::relay::Message;
use kafka_common::db::{self, Db};
use kafka_common::params;
use serde::Deserialize;
use serde::de::DeserializeOwned;

const MESSAGES: &str = include_str!("messages.sql");
const CHAT_FILES: &str = include_str!("chat_files.sql");
const VERSIONS: &str = include_str!("versions.sql");
const CHATS: &str = include_str!("chats.sql");
const WORKSPACES: &str = include_str!("workspaces.sql");
const FILES: &str = include_str!("files.sql");

/// How many rows a page has at most.
const ROWS: i64 = 200;

/// How long the texts of a page are together, in bytes, unless one alone is longer.
const BYTES: i64 = 1_000_000;

/// A row of a list that is read in pages.
pub trait Paged: DeserializeOwned {
    /// Reads at most ?3 rows of ?1 behind the place ?2, and where it has texts about ?4 bytes of them.
    const SQL: &'static str;

    /// Whether its rows have texts, of which a page has only so many bytes.
    const HAS_TEXTS: bool;

    /// Where it is in the list: above 0, and the next one is at a higher place.
    fn place(&self) -> i64;
}

/// What `of` has, page by page; no page is empty.
pub fn pages<R: Paged + Send + 'static>(
    of: &str,
) -> impl Stream<Item = db::Result<Vec<R>>> + Send + '_ {
    try_stream! {
        let mut after = 0;
        loop {
            let rows: Vec<R> = page(of, after).await?;
            let Some(last) = rows.last() else { break };
            after = last.place();
            // A page of texts may be short because they are long.
            let is_last = !R::HAS_TEXTS && (rows.len() as i64) < ROWS;
            yield rows;
            if is_last {
                break;
            }
        }
    }
}

/// The page of what `of` has that follows the place `after`: 0 at first.
async fn page<R: Paged>(of: &str, after: i64) -> db::Result<Vec<R>> {
    let mut db = Db::open().await?;
    match R::HAS_TEXTS {
        true => db.query_as(R::SQL, params![of, after, ROWS, BYTES]).await,
        false => db.query_as(R::SQL, params![of, after, ROWS]).await,
    }
}

/// A message of a chat.
#[derive(Deserialize)]
pub struct MessageRow {
    /// Its number in the chat, from 1.
    pub position: i64,
    /// The number of the message that it follows.
    pub parent_position: Option<i64>,
    /// See [`kafka_common::api::export::ExportedMessage`].
    pub selected: i64,
    /// The names of its files, a list in JSON.
    pub file_names: Option<String>,
    /// The message.
    pub message: Message,
}

/// A file of a chat.
#[derive(Deserialize)]
pub struct ChatFileRow {
    place: i64,
    /// How many texts it had.
    pub num_versions: i64,
    /// The file.
    pub file: ExportedChatFileHead,
}

/// A text of a chat's file.
#[derive(Deserialize)]
pub struct VersionRow {
    place: i64,
    /// The text.
    pub version: ExportedVersion,
}

/// A chat of a user.
#[derive(Deserialize)]
pub struct ChatRow {
    place: i64,
    /// The chat.
    pub chat: ExportedChatHead,
}

/// A workspace of a user.
#[derive(Deserialize)]
pub struct WorkspaceRow {
    place: i64,
    /// The workspace.
    pub workspace: ExportedWorkspace,
}

/// A file of a workspace.
#[derive(Deserialize)]
pub struct FileRow {
    place: i64,
    /// Its id.
    pub id: FileId,
    /// Its name.
    pub filename: String,
    /// Where its bytes are.
    pub content_id: String,
    /// The type that its uploader declared.
    pub media_type: Option<String>,
    /// In bytes.
    pub size: u64,
}

macro_rules! paged {
    ($($row:ident by $place:ident: $sql:ident, texts: $has_texts:literal;)+) => {$(
        impl Paged for $row {
            const SQL: &'static str = $sql;
            const HAS_TEXTS: bool = $has_texts;

            fn place(&self) -> i64 {
                self.$place
            }
        }
    )+};
}

paged! {
    MessageRow by position: MESSAGES, texts: true;
    ChatFileRow by place: CHAT_FILES, texts: false;
    VersionRow by place: VERSIONS, texts: true;
    ChatRow by place: CHATS, texts: false;
    WorkspaceRow by place: WORKSPACES, texts: false;
    FileRow by place: FILES, texts: false;
}
