//! The files of a chat and their texts: for clients and for models.

use kafka_llm::context::{Content, FileText};
use serde::Deserialize;

use crate::api::words::{FileKind, TextState};
use crate::content::kind::{self, FileFormat};
use crate::db::{Db, Result};
use crate::{files, params};

const LIST: &str = include_str!("attachments.sql");
const READABLE: &str = include_str!("readable.sql");

/// How many files of a chat are looked at: a frame has no room for the names of as many.
const FILES: i64 = 4000;

/// How many files of a chat are looked at for a model, the newest.
pub const FILES_FOR_MODEL: i64 = 500;

/// What a model is told of a file whose text is pending.
const STILL_READ: &str = "The server is still reading the file.";

/// A file of a chat.
#[derive(Debug, Deserialize)]
pub struct AttachmentInfo {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// What it is, as its name says.
    pub kind: FileFormat,
    /// Whether it has versions.
    pub versioned: bool,
    /// The length of its text, or of the file that it was uploaded as, in bytes.
    pub size: usize,
    /// The chat's rev at its last change.
    pub rev: i64,
}

impl AttachmentInfo {
    /// Whether it is one of those that are written in the chat.
    pub fn is_based(&self) -> bool {
        kind::is_based(&self.name, self.versioned)
    }

    /// Whether clients are shown its text.
    pub fn is_shown(&self) -> bool {
        self.is_based() || self.kind.is_text() || self.is_pdf()
    }

    /// Whether nothing is left out when it is shown without a text.
    pub fn is_blank(&self) -> bool {
        // Of a PDF that is none, not even of its text, that is said.
        !self.is_shown() || self.size == 0 && !self.is_pdf()
    }

    fn is_pdf(&self) -> bool {
        self.kind.name == FileKind::Pdf && !self.versioned
    }
}

/// The newest files of a chat, oldest first; or those that changed first after `since`, in the order of their changes.
pub async fn list(db: &mut Db, chat: &str, since: Option<i64>) -> Result<Vec<AttachmentInfo>> {
    db.query_as(LIST, params![chat, since, FILES]).await
}

/// The text of a file as it was uploaded, for clients: of a longer one, its beginning. `bytes` is the first chunk,
/// `state` and `extracted` what was read of it, if that is known. `None`: there is none to show.
pub fn uploaded(
    kind: FileFormat,
    bytes: &[u8],
    state: Option<TextState>,
    extracted: Option<String>,
) -> Option<String> {
    if kind.name == FileKind::Pdf {
        return match state {
            Some(TextState::Failed) => Some(files::UNREADABLE.to_owned()),
            _ => extracted.map(|text| files::shown(&text).to_owned()),
        };
    }
    match std::str::from_utf8(bytes) {
        Ok(text) if !text.contains('\0') => Some(text.to_owned()),
        _ if extracted.is_some() => extracted,
        _ if bytes.contains(&0) => None,
        _ => Some(String::from_utf8_lossy(bytes).into_owned()),
    }
}

/// What a model gets to read of a file: a row.
#[derive(Deserialize)]
struct Readable {
    name: String,
    state: TextState,
    reason: Option<String>,
    /// Its text, or the beginning of it, if it is read at all.
    text: Option<String>,
    /// How many characters it has.
    characters: usize,
    /// Whether the file has more text than is kept.
    is_truncated: bool,
}

/// The files of a chat for a model, the newest of them first, each with as much of its text as `chars` have room for:
/// of the selected file, then of the shortest.
pub async fn for_model(
    db: &mut Db,
    chat: &str,
    selected: Option<&str>,
    chars: usize,
) -> Result<Vec<FileText>> {
    let chars = i64::try_from(chars).unwrap_or(i64::MAX);
    let asked = params![chat, FILES_FOR_MODEL, chars, selected];
    let rows: Vec<Readable> = db.query_as(READABLE, asked).await?;
    let files = rows.into_iter().map(|file| FileText {
        name: file.name,
        content: match file.state {
            TextState::Ready => Content::Text {
                text: file.text.unwrap_or_default(),
                characters: file.characters,
                has_more: file.is_truncated,
            },
            TextState::Pending => Content::Missing(STILL_READ.to_owned()),
            TextState::Failed => Content::Missing(file.reason.unwrap_or_default()),
        },
    });
    Ok(files.collect())
}
