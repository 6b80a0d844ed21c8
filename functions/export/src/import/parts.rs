//! The rows of a chat that has not come to its end, in parts. A few wait in memory; of more, the parts are staged as a
//! content that nothing refers to (`kafka_common::content`), so that one that is given up is swept like any other.

use axum::body::Bytes;
use kafka_common::api::words::{MessageKind, Rating, Role, Status};
use kafka_common::db::{Db, Transaction, Value, rows_of};
use kafka_common::error::{Error, Result};
use kafka_common::id::new_id;
use kafka_common::room::Room;
use kafka_common::{clock, content, params};
use serde::{Deserialize, Serialize};

use super::work::Work;

/// How many rows a part has at most.
const ROWS: usize = 200;

/// How many bytes a part has about.
const PART_BYTES: usize = 256 << 10;

/// How many bytes wait in memory.
const HELD_BYTES: usize = 1 << 20;

const FILES: &str = include_str!("chat_files.sql");

/// A message.
#[derive(Serialize, Deserialize)]
pub struct MessageRow {
    pub id: String,
    pub parent: Option<String>,
    pub position: i64,
    pub role: Role,
    pub kind: MessageKind,
    pub content: String,
    pub created_at: String,
    pub status: Status,
    pub model: Option<String>,
    pub selected: i64,
    pub reasoning: String,
    pub rating: Option<Rating>,
    pub note: Option<String>,
    /// The new ids of its files, as JSON.
    pub file_ids: Option<String>,
    pub finish_reason: Option<String>,
    pub usage: Option<String>,
    pub error: Option<String>,
}

/// A file of the chat.
#[derive(Serialize, Deserialize)]
pub struct FileRow {
    pub id: String,
    pub filename: String,
    /// The file that was attached: its id in the archive.
    pub source: Option<String>,
}

/// A text of a file.
#[derive(Serialize, Deserialize)]
pub struct VersionRow {
    pub id: String,
    pub file: String,
    pub timestamp: String,
    pub content: String,
}

/// Rows that are inserted together.
#[derive(Default, Serialize, Deserialize)]
struct Part {
    messages: Vec<MessageRow>,
    files: Vec<FileRow>,
    versions: Vec<VersionRow>,
}

/// The rows of a chat.
#[derive(Default)]
pub struct Parts {
    part: Part,
    part_bytes: usize,
    /// Parts that wait in memory, as JSON.
    held: Vec<Vec<u8>>,
    held_bytes: usize,
    /// The content that has the parts before those.
    staged: Option<Staged>,
    /// For whom they are staged; `None`: they may store as much as they like.
    room: Option<Room>,
    /// How many rows there are.
    pub rows: usize,
    /// How many of them are files.
    pub files: usize,
    /// How many bytes they have.
    pub bytes: usize,
    /// How many of them are texts of messages and versions, which count as stored.
    pub texts: usize,
    /// How many messages have beside their texts: models, errors, notes and so on.
    pub beside: usize,
}

/// The parts that are staged.
struct Staged {
    /// The content's id.
    content: String,
    /// How many parts there are, each a chunk.
    count: i64,
    bytes: usize,
}

impl Parts {
    /// Has none yet. What is staged counts as the user's who has the room.
    pub fn within(room: Option<Room>) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    /// How many bytes are staged, and so are counted as stored.
    pub fn staged_bytes(&self) -> usize {
        self.staged.as_ref().map_or(0, |staged| staged.bytes)
    }

    /// One more message.
    pub async fn message(&mut self, row: MessageRow) -> Result<()> {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let texts = row.content.len() + row.reasoning.len();
        let beside = [
            &row.model,
            &row.note,
            &row.file_ids,
            &row.finish_reason,
            &row.usage,
            &row.error,
        ];
        let beside = beside.map(length).iter().sum::<usize>();
        let ids = row.id.len() + length(&row.parent) + row.created_at.len();
        self.texts += texts;
        self.beside += beside;
        self.part.messages.push(row);
        self.grow(texts + beside + ids).await
    }

    /// One more file.
    pub async fn file(&mut self, row: FileRow) -> Result<()> {
        let source = row.source.as_ref().map_or(0, String::len);
        // Its place has the name, too.
        let bytes = row.id.len() + 2 * row.filename.len() + 2 * source;
        self.files += 1;
        self.part.files.push(row);
        self.grow(bytes).await
    }

    /// One more text of a file that came before.
    pub async fn version(&mut self, row: VersionRow) -> Result<()> {
        let bytes = row.content.len() + row.id.len() + row.file.len() + row.timestamp.len();
        self.texts += row.content.len();
        self.part.versions.push(row);
        self.grow(bytes).await
    }

    async fn grow(&mut self, bytes: usize) -> Result<()> {
        self.rows += 1;
        self.bytes += bytes;
        self.part_bytes += bytes;
        let part = &self.part;
        let rows = part.messages.len() + part.files.len() + part.versions.len();
        match rows >= ROWS || self.part_bytes >= PART_BYTES {
            true => self.close().await,
            false => Ok(()),
        }
    }

    /// Ends the part.
    async fn close(&mut self) -> Result<()> {
        let part = serde_json::to_vec(&std::mem::take(&mut self.part)).map_err(Error::internal)?;
        self.part_bytes = 0;
        self.held_bytes += part.len();
        self.held.push(part);
        match self.held_bytes >= HELD_BYTES {
            true => self.stage().await,
            false => Ok(()),
        }
    }

    async fn stage(&mut self) -> Result<()> {
        let mut db = Db::open().await?;
        let room = self.room.as_ref();
        if self.staged.is_none() {
            let content = new_id();
            content::begin(&mut db, &content, None, room).await?;
            self.staged = Some(Staged {
                content,
                count: 0,
                bytes: 0,
            });
        }
        if let Some(staged) = &mut self.staged {
            for part in std::mem::take(&mut self.held) {
                let (seq, bytes) = (staged.count, part.len());
                content::append(&mut db, &staged.content, seq, part, room).await?;
                staged.count += 1;
                staged.bytes += bytes;
            }
        }
        self.held_bytes = 0;
        Ok(())
    }

    /// Inserts all rows into a chat. Where the transaction fails later, what is staged is to be given up all the same.
    pub async fn insert(
        &mut self,
        tx: &mut Transaction<'_>,
        work: &Work,
        chat: &str,
    ) -> Result<()> {
        if let Some(Staged { content, count, .. }) = &self.staged {
            for seq in 0..*count {
                let sql = "SELECT bytes FROM content_chunk WHERE content_id = ?1 AND seq = ?2";
                let asked = params![content.as_str(), seq];
                let part: Option<Bytes> = tx.query_one_as(sql, asked).await?;
                let part = part.ok_or_else(|| {
                    Error::unavailable("The chat took longer than an hour and was given up.")
                })?;
                read(&part)?.insert(tx, work, chat).await?;
            }
            let sql = "DELETE FROM content WHERE id = ?1 AND staged_at IS NOT NULL";
            tx.execute(sql, params![content.as_str()]).await?;
        }
        for part in std::mem::take(&mut self.held) {
            read(&part)?.insert(tx, work, chat).await?;
        }
        std::mem::take(&mut self.part).insert(tx, work, chat).await
    }

    /// Removes what is staged. A failure is only logged: the sweep does the same later.
    pub async fn give_up(self) {
        let staged = self.staged.map(|staged| staged.content);
        content::discard(staged.as_slice()).await;
    }
}

fn read(part: &[u8]) -> Result<Part> {
    serde_json::from_slice(part).map_err(Error::internal)
}

impl Part {
    async fn insert(self, tx: &mut Transaction<'_>, work: &Work, chat: &str) -> Result<()> {
        messages(tx, work, chat, self.messages).await?;
        files(tx, work, chat, self.files).await?;
        versions(tx, work, self.versions).await
    }
}

async fn messages(
    tx: &mut Transaction<'_>,
    work: &Work,
    chat: &str,
    rows: Vec<MessageRow>,
) -> Result<()> {
    let (mut messages, mut replies) = (Vec::new(), Vec::new());
    for row in rows {
        if row.finish_reason.is_some() || row.usage.is_some() || row.error.is_some() {
            replies.extend(params![
                new_id(),
                chat,
                row.id.as_str(),
                row.model.clone().unwrap_or_default(),
                row.status.as_str(),
                0_i64,
                clock::unix_millis(),
                row.finish_reason,
                row.usage,
                row.error,
                work.user.as_str()
            ]);
        }
        messages.extend(params![
            row.id,
            chat,
            row.role.as_str(),
            row.kind.as_str(),
            row.content,
            row.parent,
            row.position,
            row.created_at,
            row.status.as_str(),
            row.model,
            row.selected,
            row.selected,
            row.reasoning,
            row.rating.map(Rating::as_str),
            row.note,
            row.file_ids
        ]);
    }
    let into = "INSERT INTO chat_conversation (id, chat_id, role, type, content, parent_id, position, created_at,
        status, model, rev, selected, reasoning, rating, note, file_ids)";
    insert(tx, into, 16, messages).await?;
    let into = "INSERT INTO generation (id, chat_id, message_id, model, status, seq, heartbeat, finish_reason, usage,
        error, owner_id)";
    insert(tx, into, 11, replies).await
}

async fn files(
    tx: &mut Transaction<'_>,
    work: &Work,
    chat: &str,
    rows: Vec<FileRow>,
) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut values = params![chat, work.user.as_str()];
    for row in &rows {
        let made = row.source.as_ref().map(|source| work.id("file", source));
        let path = format!("uploads/files/{}_{}", row.id, row.filename);
        values.extend(params![
            row.id.as_str(),
            row.filename.as_str(),
            path,
            row.source.clone(),
            made
        ]);
    }
    let sql = FILES.replace("(?3, ?4, ?5, ?6, ?7)", &rows_of(rows.len(), 5));
    tx.execute(&sql, values).await?;
    if rows.iter().all(|row| row.source.is_none()) {
        return Ok(());
    }
    let sql = "SELECT id FROM chat_file WHERE chat_id = ?1 AND file_id IS NULL";
    let waiting: Vec<String> = tx.query_as(sql, params![chat]).await?;
    for row in rows {
        if let Some(source) = row.source.filter(|_| waiting.contains(&row.id)) {
            work.link(tx, "chat_file", &source, &row.id).await?;
        }
    }
    Ok(())
}

async fn versions(tx: &mut Transaction<'_>, work: &Work, rows: Vec<VersionRow>) -> Result<()> {
    let mut values = Vec::new();
    for row in rows {
        let user = work.user.as_str();
        values.extend(params![row.id, row.file, row.timestamp, row.content, user]);
    }
    let into = "INSERT INTO chat_file_version (id, chat_file_id, timestamp, content, owner_id)";
    insert(tx, into, 5, values).await
}

async fn insert(
    tx: &mut Transaction<'_>,
    into: &str,
    columns: usize,
    values: Vec<Value>,
) -> Result<()> {
    if values.is_empty() {
        return Ok(());
    }
    let rows = rows_of(values.len() / columns, columns);
    Ok(tx.execute(&format!("{into} VALUES {rows}"), values).await?)
}
