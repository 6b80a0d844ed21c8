//! The versions of a chat's files: every text a file ever had, oldest first.
//!
//! A file that was uploaded has none until its text is changed; that first change keeps the original as version 1.
//! Saving what a file says already makes no version, and a change keeps the file's line ends ([`line_ends`]). A text
//! that was uploaded in another encoding than UTF-8 says what was read of it ([`crate::file_text`]); its versions, the
//! first one, too, are in UTF-8. All writers run inside a transaction, which begins with the write lock (see
//! [`crate::db`]), so of many who save at once each sees what the one before it saved.

use bytes::Bytes;
pub use kafka_llm::MAX_TEXT_BYTES;
use kafka_llm::line_ends;
use serde::Deserialize;

use crate::db::{Db, Result, Transaction, Value};
use crate::{clock, id, params};

/// What a file that was made in a chat has for a path, as in the original.
const IN_MEMORY: &str = "(in-memory)";

/// What a save did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SavedText {
    /// The version that the file has now; `None` if nothing was saved and it has none.
    pub version: Option<(String, String)>,
    /// What the file said before; `None` for a file that was made by this save.
    pub before: Option<String>,
    /// What it says now.
    pub text: String,
    /// Whether there is a new version.
    pub changed: bool,
}

const CURRENT: &str = include_str!("versions.sql");

/// The file as a save finds it: its newest version, and its original where it has none.
#[derive(Deserialize)]
struct Current {
    version: Option<Version>,
    size: u64,
    first_chunk: Option<Bytes>,
    read_text: Option<String>,
}

impl Current {
    /// Reads what a chat file is.
    fn of(chat_file: &str) -> (&'static str, Vec<Value>) {
        let most = i64::try_from(MAX_TEXT_BYTES).unwrap_or(i64::MAX);
        (CURRENT, params![chat_file, most])
    }
}

#[derive(Deserialize)]
struct Version {
    id: String,
    timestamp: String,
    content: String,
}

/// What a chat file says now: its newest version, or what it was uploaded as if that is a text that can be edited.
pub async fn text(db: &mut Db, chat_file: &str) -> Result<Option<String>> {
    let (sql, asked) = Current::of(chat_file);
    let found: Option<Current> = db.query_one_as(sql, asked).await?;
    Ok(found.and_then(|current| match current.version {
        Some(version) => Some(version.content),
        None => original_text(current.size, current.first_chunk, current.read_text),
    }))
}

/// Saves a text, with the line ends of the file, as the newest version of a chat file, unless it is what the file says
/// already. `None`: no such file, or none that can be edited here. One that has versions can, and one that was uploaded as a text of at most
/// [`MAX_TEXT_BYTES`].
///
/// The caller has checked whose file it is, and raises the chat's `rev` if [`SavedText::changed`].
pub async fn save(
    tx: &mut Transaction<'_>,
    chat_file: &str,
    text: &str,
) -> Result<Option<SavedText>> {
    keep(tx, chat_file, |before| line_ends::like(before, text)).await
}

/// Saves the text that `change` makes of the one that the file has now, if that is another one.
async fn keep(
    tx: &mut Transaction<'_>,
    chat_file: &str,
    change: impl FnOnce(&str) -> String,
) -> Result<Option<SavedText>> {
    let (sql, asked) = Current::of(chat_file);
    let Some(current) = tx.query_one_as::<Current>(sql, asked).await? else {
        return Ok(None);
    };
    let (newest, before) = match current.version {
        Some(newest) => (Some((newest.id, newest.timestamp)), newest.content),
        None => match original_text(current.size, current.first_chunk, current.read_text) {
            Some(original) => (None, original),
            None => return Ok(None),
        },
    };
    let text = change(&before);
    let changed = before != text;
    let version = match newest {
        newest if !changed => newest,
        Some(_) => Some(insert(tx, chat_file, &[&text]).await?),
        None => Some(insert(tx, chat_file, &[&before, &text]).await?),
    };
    Ok(Some(SavedText {
        version,
        before: Some(before),
        text,
        changed,
    }))
}

/// Makes a file in a chat, with its text as version 1. Returns the ids of the file and of the version, and the
/// version's time.
pub async fn create(
    tx: &mut Transaction<'_>,
    chat: &str,
    filename: &str,
    text: &str,
) -> Result<(String, String, String)> {
    let chat_file = id::new_id();
    tx.execute(
        "INSERT INTO chat_file (id, filename, path, chat_id) VALUES (?1, ?2, ?3, ?4)",
        params![chat_file.as_str(), filename, IN_MEMORY, chat],
    )
    .await?;
    let (version, timestamp) = insert(tx, &chat_file, &[text]).await?;
    Ok((chat_file, version, timestamp))
}

/// What a revert found and did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reverted {
    /// When the version that is the file's text again was saved first.
    pub from: String,
    /// The text.
    pub content: String,
    /// What was saved; going back to what the file says anyhow makes no version.
    pub saved: SavedText,
}

/// Saves the text of an older version again. `None`: the file has no such version.
pub async fn revert(
    tx: &mut Transaction<'_>,
    chat_file: &str,
    version: &str,
) -> Result<Option<Reverted>> {
    let sql =
        "SELECT id, timestamp, content FROM chat_file_version WHERE id = ?1 AND chat_file_id = ?2";
    let asked = params![version, chat_file];
    let Some(old) = tx.query_one_as::<Version>(sql, asked).await? else {
        return Ok(None);
    };
    // As it was, line ends and all.
    let again = |before: &str| match line_ends::is_same(before, &old.content) {
        true => before.to_owned(),
        false => old.content.clone(),
    };
    let saved = keep(tx, chat_file, again).await?;
    Ok(saved.map(|saved| Reverted {
        from: old.timestamp,
        content: old.content,
        saved,
    }))
}

/// Inserts one or two versions, oldest first; returns the id and time of the last.
async fn insert(
    tx: &mut Transaction<'_>,
    chat_file: &str,
    texts: &[&str],
) -> Result<(String, String)> {
    let timestamp = clock::now();
    let mut last = String::new();
    let mut parameters = Vec::new();
    for text in texts {
        last = id::new_id();
        parameters.extend(params![last.as_str(), chat_file, timestamp.as_str(), *text]);
    }
    let rows = crate::db::rows_of(texts.len(), 4);
    let sql = format!(
        "WITH new (id, chat_file_id, timestamp, content) AS (VALUES {rows})
         INSERT INTO chat_file_version (id, chat_file_id, timestamp, content, owner_id)
         SELECT id, chat_file_id, timestamp, content,
             (SELECT user_id FROM chat_file JOIN chat ON chat.id = chat_id WHERE chat_file.id = new.chat_file_id)
         FROM new"
    );
    tx.execute(&sql, parameters).await?;
    Ok((last, timestamp))
}

/// The text of an uploaded file, if it is one and short enough to be edited: in UTF-8 its first chunk is all of it, in
/// another encoding `read` is what was read of it, to which the line ends and the mark of its bytes are given back.
fn original_text(size: u64, first_chunk: Option<Bytes>, read: Option<String>) -> Option<String> {
    // An empty file has no chunk.
    let bytes = first_chunk.unwrap_or_default();
    let is_whole = bytes.len() as u64 == size;
    if is_whole
        && bytes.len() <= MAX_TEXT_BYTES
        && let Ok(text) = str::from_utf8(&bytes)
        && !text.contains('\0')
    {
        return Some(text.to_owned());
    }
    let text = read?;
    // In encodings of one or more bytes for a character, line ends are those of ASCII; in UTF-16 zeros are between.
    let ends: Vec<u8> = bytes.iter().copied().filter(|byte| *byte != 0).collect();
    let count = |end: &[u8]| {
        ends.windows(end.len())
            .filter(|bytes| *bytes == end)
            .count()
    };
    let (all, with_cr, cr) = (count(b"\n"), count(b"\r\n"), count(b"\r"));
    let text = match all {
        0 if cr > 0 => text.replace('\n', "\r"),
        _ if all > 0 && all == with_cr => text.replace('\n', "\r\n"),
        _ => text,
    };
    let has_mark = bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff");
    let text = match has_mark {
        true => format!("\u{feff}{text}"),
        false => text,
    };
    (text.len() <= MAX_TEXT_BYTES).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::original_text;

    #[test]
    fn an_original_is_a_whole_short_text() {
        let text = |size, bytes: &'static [u8]| original_text(size, Some(bytes.into()), None);
        assert_eq!(text(3, b"abc"), Some("abc".into()));
        assert_eq!(original_text(0, None, None), Some(String::new()));
        assert_eq!(original_text(3, None, None), None);
        assert_eq!(text(4, b"abc"), None);
        assert_eq!(text(2, &[0xff, 0xfe]), None);
    }

    #[test]
    fn an_original_in_another_encoding_is_what_was_read_of_it() {
        let text = |bytes: &'static [u8], read: &str| {
            original_text(bytes.len() as u64, Some(bytes.into()), Some(read.into()))
        };
        assert_eq!(text(b"\xfc\r\nb\r\n", "ü\nb\n"), Some("ü\r\nb\r\n".into()));
        assert_eq!(text(b"\xfc\nb\r\n", "ü\nb\n"), Some("ü\nb\n".into()));
        assert_eq!(text(b"\x9f\rb\r", "ü\nb\n"), Some("ü\rb\r".into()));
        assert_eq!(
            text(b"\xff\xfe\xfc\0\r\0\n\0", "ü\n"),
            Some("\u{feff}ü\r\n".into())
        );
        assert_eq!(text(b"a\0\n\0", "a\n"), Some("a\n".into()));
    }
}
