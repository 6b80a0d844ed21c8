//! The files of a chat and their texts: for clients and for models.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::api::words::FileKind;
use crate::content::kind::{self, FileFormat};
use crate::content::{CHUNK, pdf};
use crate::db::{Db, Result};
use crate::files::MAX_SHOWN_BYTES;
use crate::params;

const LIST: &str = include_str!("attachments.sql");
const TEXTS: &str = include_str!("texts.sql");

/// How many files of a chat are looked at: a frame has no room for the names of as many.
const FILES: i64 = 4000;

/// How many files of a chat are looked at for a model, the newest.
const FILES_FOR_MODEL: i64 = 500;

/// A file of a chat.
#[derive(Debug, Deserialize)]
pub struct ChatFile {
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

impl ChatFile {
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
pub async fn list(db: &mut Db, chat: &str, since: Option<i64>) -> Result<Vec<ChatFile>> {
    db.query_as(LIST, params![chat, since, FILES]).await
}

/// A file, and what it was uploaded as if it has no version.
#[derive(Deserialize)]
struct Text {
    name: String,
    version: Option<String>,
    bytes: Bytes,
    size: i64,
}

/// The names and newest texts of files, in their order: their newest versions, else what they were uploaded as, of
/// which only the first 256 KiB are looked at. What is no text is left out.
async fn texts(db: &mut Db, files: &[&ChatFile]) -> Result<Vec<(String, String)>> {
    let ids: Vec<&str> = files.iter().map(|file| file.id.as_str()).collect();
    let rows: Vec<Text> = db.query_as(TEXTS, params![json!(ids).to_string()]).await?;
    let texts = rows.into_iter().filter_map(|file| {
        let (name, bytes) = (file.name, file.bytes.into());
        let text = file.version.or_else(|| uploaded(&name, bytes, file.size));
        text.map(|text| (name, text))
    });
    Ok(texts.collect())
}

/// The text of a file as it was uploaded: of a longer one, what its first chunk has. `None`: it is none.
pub fn uploaded(name: &str, bytes: Vec<u8>, size: i64) -> Option<String> {
    let kind = FileFormat::of(name);
    if kind.name == FileKind::Pdf {
        // A part of a PDF is none, and only the first chunk is here.
        let whole = size <= CHUNK as i64;
        return whole.then(|| {
            pdf::text(&bytes, MAX_SHOWN_BYTES).unwrap_or_else(|| pdf::UNREADABLE.to_owned())
        });
    }
    let binary = matches!(kind.name, FileKind::Image | FileKind::Computer) || bytes.contains(&0);
    (!binary).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Names and texts for a model: the selected file, then the newest, in all not much more than `chars`.
pub async fn for_model(
    db: &mut Db,
    chat: &str,
    selected: Option<&str>,
    chars: usize,
) -> Result<Vec<(String, String)>> {
    let asked = params![chat, None::<i64>, FILES_FOR_MODEL];
    let mut files: Vec<ChatFile> = db.query_as(LIST, asked).await?;
    files.reverse();
    if let Some(at) = files
        .iter()
        .position(|file| Some(file.name.as_str()) == selected)
    {
        files[..=at].rotate_right(1);
    }
    let (mut chosen, mut sum) = (Vec::new(), 0);
    for file in &files {
        if matches!(file.kind.name, FileKind::Image | FileKind::Computer) && !file.versioned {
            continue;
        }
        if sum > chars {
            break;
        }
        sum += file.size.min(CHUNK);
        chosen.push(file);
    }
    match chosen.is_empty() {
        true => Ok(Vec::new()),
        false => texts(db, &chosen).await,
    }
}
