//! The files of a chat and their texts: for windows and for models.

use std::collections::HashMap;

use kafka_common::content::kind::{self, Kind};
use kafka_common::content::{CHUNK, pdf};
use kafka_common::db::{Db, Result};
use kafka_common::params;
use serde_json::json;

use crate::size::INLINE;

/// How many files of a chat are looked at, the newest.
const FILES: i64 = 500;

/// A file of a chat.
#[derive(Debug)]
pub struct ChatFile {
    pub id: String,
    pub name: String,
    pub kind: Kind,
    /// Whether it has versions.
    pub versioned: bool,
    /// The length of its text, or of the file that it was uploaded as, in bytes.
    pub size: usize,
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

    fn is_pdf(&self) -> bool {
        self.kind.name == "pdf" && !self.versioned
    }

    /// Where it can be downloaded.
    pub fn url(&self) -> String {
        kafka_common::files::url(&self.id)
    }
}

/// The files of a chat in their order; only those that changed after `since`.
pub async fn list(db: &mut Db, chat: &str, since: Option<i64>) -> Result<Vec<ChatFile>> {
    let rows = db
        .query(
            "SELECT file.id, file.filename, version.rowid IS NOT NULL,
                 coalesce(length(CAST(version.content AS BLOB)), content.size, 0)
             FROM (
                 SELECT rowid AS place, * FROM chat_file WHERE chat_id = ?1 AND (?2 IS NULL OR rev > ?2)
                 ORDER BY rowid DESC LIMIT ?3
             ) AS file
             LEFT JOIN chat_file_version AS version ON version.rowid =
                 (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = file.id)
             LEFT JOIN content ON content.id = file.content_id
             ORDER BY file.place",
            params![chat, since, FILES],
        )
        .await?;
    let file = |mut row: kafka_common::db::Row| {
        let (id, name) = (row.text(0), row.text(1));
        ChatFile {
            kind: Kind::of(&name),
            versioned: row.int(2) != 0,
            size: usize::try_from(row.int(3)).unwrap_or(usize::MAX),
            id,
            name,
        }
    };
    Ok(rows.into_iter().map(file).collect())
}

/// The ids of all files of a chat.
pub async fn ids(db: &mut Db, chat: &str) -> Result<Vec<String>> {
    let rows = db
        .query(
            "SELECT id FROM chat_file WHERE chat_id = ?1 ORDER BY rowid",
            params![chat],
        )
        .await?;
    Ok(rows.into_iter().map(|mut row| row.text(0)).collect())
}

/// The newest texts of files, by id: their newest versions, else what they were uploaded as, of which only the first
/// 256 KiB are looked at. What is no text is left out.
pub async fn texts(db: &mut Db, files: &[&ChatFile]) -> Result<HashMap<String, String>> {
    if files.is_empty() {
        return Ok(HashMap::new());
    }
    let ids: Vec<&str> = files.iter().map(|file| file.id.as_str()).collect();
    let rows = db
        .query(
            "SELECT file.id, file.filename, version.content, chunk.bytes, content.size
             FROM json_each(?1) AS asked
             JOIN chat_file AS file ON file.id = asked.value
             LEFT JOIN chat_file_version AS version ON version.rowid =
                 (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = file.id)
             LEFT JOIN content ON version.rowid IS NULL AND content.id = file.content_id
             LEFT JOIN content_chunk AS chunk ON chunk.content_id = content.id AND chunk.seq = 0",
            params![json!(ids).to_string()],
        )
        .await?;
    let mut texts = HashMap::new();
    for mut row in rows {
        let (id, name) = (row.text(0), row.text(1));
        let text = match row.opt_text(2) {
            Some(version) => Some(version),
            None => uploaded(&name, row.blob(3), row.int(4)),
        };
        if let Some(text) = text {
            texts.insert(id, text);
        }
    }
    Ok(texts)
}

fn uploaded(name: &str, bytes: Vec<u8>, size: i64) -> Option<String> {
    let kind = Kind::of(name);
    if kind.name == "pdf" {
        // A part of a PDF is none, and only the first chunk is here.
        let whole = size <= CHUNK as i64;
        return whole
            .then(|| pdf::text(&bytes, INLINE).unwrap_or_else(|| pdf::UNREADABLE.to_owned()));
    }
    let binary = matches!(kind.name, "image" | "computer") || bytes.contains(&0);
    (!binary).then(|| String::from_utf8_lossy(&bytes).into_owned())
}

/// Names and texts for a model: the selected file, then the newest, in all not much more than `chars`.
pub async fn for_model(
    db: &mut Db,
    chat: &str,
    selected: Option<&str>,
    chars: usize,
) -> Result<Vec<(String, String)>> {
    let mut files = list(db, chat, None).await?;
    files.reverse();
    if let Some(at) = files
        .iter()
        .position(|file| Some(file.name.as_str()) == selected)
    {
        files[..=at].rotate_right(1);
    }
    let (mut chosen, mut sum) = (Vec::new(), 0);
    for file in &files {
        if matches!(file.kind.name, "image" | "computer") && !file.versioned {
            continue;
        }
        if sum > chars {
            break;
        }
        sum += file.size.min(CHUNK);
        chosen.push(file);
    }
    let mut texts = texts(db, &chosen).await?;
    let named = chosen
        .into_iter()
        .filter_map(|file| Some((file.name.clone(), texts.remove(&file.id)?)));
    Ok(named.collect())
}
