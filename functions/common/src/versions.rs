//! The versions of a chat's files: every text a file ever had, oldest first.
//!
//! A file that was uploaded has none until its text is changed; that first change keeps the original as version 1.
//! Saving what a file says already makes no version. All writers run inside a transaction, which begins with the write
//! lock (see [`crate::db`]), so of many who save at once each sees what the one before it saved.

use crate::db::{Db, Result, Transaction};
use crate::{clock, id, params};

/// The longest text that is edited here, in bytes (docs/websocket.md#what-both-have-in-common).
pub const MAX_TEXT_BYTES: usize = 256 * 1024;

/// What a file that was made in a chat has for a path, as in the original.
const IN_MEMORY: &str = "(in-memory)";

/// What a save did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saved {
    /// The version that the file has now; `None` if nothing was saved and it has none.
    pub version: Option<(String, String)>,
    /// What the file said before; `None` for a file that was made by this save.
    pub before: Option<String>,
    /// Whether there is a new version.
    pub changed: bool,
}

/// The file as a save finds it: its newest version, and its original where it has none.
const CURRENT: &str = "
    SELECT version.id, version.timestamp, version.content, content.size, chunk.bytes
    FROM chat_file
    LEFT JOIN chat_file_version AS version ON version.rowid =
        (SELECT max(rowid) FROM chat_file_version WHERE chat_file_id = chat_file.id)
    LEFT JOIN content ON version.rowid IS NULL AND content.id = chat_file.content_id
    LEFT JOIN content_chunk AS chunk ON chunk.content_id = content.id AND chunk.seq = 0
    WHERE chat_file.id = ?1";

/// What a chat file says now: its newest version, or what it was uploaded as if that is a text that can be edited.
pub async fn text(db: &mut Db, chat_file: &str) -> Result<Option<String>> {
    let Some(mut row) = db.query_one(CURRENT, params![chat_file]).await? else {
        return Ok(None);
    };
    let version = row.opt_text(0).map(|_| row.text(2));
    Ok(version.or_else(|| original_text(row.int(3), row.opt_blob(4))))
}

/// Saves a text as the newest version of a chat file, unless it is what the file says already. `None`: no such file, or
/// none that can be edited here. One that has versions can, and one that was uploaded as a text of at most
/// [`MAX_TEXT_BYTES`].
///
/// The caller has checked whose file it is, and raises the chat's `rev` if [`Saved::changed`].
pub async fn save(tx: &mut Transaction<'_>, chat_file: &str, text: &str) -> Result<Option<Saved>> {
    let Some(mut row) = tx.query_one(CURRENT, params![chat_file]).await? else {
        return Ok(None);
    };
    let newest = row.opt_text(0).map(|id| (id, row.text(1), row.text(2)));
    if let Some((id, timestamp, content)) = newest {
        if content == text {
            return Ok(Some(Saved {
                version: Some((id, timestamp)),
                before: Some(content),
                changed: false,
            }));
        }
        let version = insert(tx, chat_file, &[text]).await?;
        return Ok(Some(Saved {
            version: Some(version),
            before: Some(content),
            changed: true,
        }));
    }
    let Some(original) = original_text(row.int(3), row.opt_blob(4)) else {
        return Ok(None);
    };
    let changed = original != text;
    let version = match changed {
        true => Some(insert(tx, chat_file, &[&original, text]).await?),
        false => None,
    };
    Ok(Some(Saved {
        version,
        before: Some(original),
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
    pub saved: Saved,
}

/// Saves the text of an older version again. `None`: the file has no such version.
pub async fn revert(
    tx: &mut Transaction<'_>,
    chat_file: &str,
    version: &str,
) -> Result<Option<Reverted>> {
    let row = tx
        .query_one(
            "SELECT timestamp, content FROM chat_file_version WHERE id = ?1 AND chat_file_id = ?2",
            params![version, chat_file],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    let (from, content) = (row.text(0), row.text(1));
    let saved = save(tx, chat_file, &content).await?;
    Ok(saved.map(|saved| Reverted {
        from,
        content,
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

/// The text of an uploaded file, if it is one and short enough to be edited: then its first chunk is all of it.
fn original_text(size: i64, first_chunk: Option<Vec<u8>>) -> Option<String> {
    let bytes = match size {
        // An empty file has no chunk.
        0 => Vec::new(),
        _ => first_chunk?,
    };
    let whole = usize::try_from(size) == Ok(bytes.len());
    if !whole || bytes.len() > MAX_TEXT_BYTES {
        return None;
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::original_text;

    #[test]
    fn an_original_is_a_whole_short_text() {
        assert_eq!(original_text(3, Some(b"abc".to_vec())), Some("abc".into()));
        assert_eq!(original_text(0, None), Some(String::new()));
        assert_eq!(original_text(3, None), None);
        assert_eq!(original_text(4, Some(b"abc".to_vec())), None);
        assert_eq!(original_text(2, Some(vec![0xff, 0xfe])), None);
    }
}
