//! Taking files in.

use bytes::Bytes;
use serde_json::json;

use super::CHUNK;
use crate::db::{self, Db, Transaction, rows_of};
use crate::error::{Error, Result};
use crate::file_text::plain_text;
use crate::room::{ABANDONED_AFTER, Room};
use crate::{clock, id, params};

/// How many bytes of small files one form keeps in memory. Beyond it, they are staged like large ones.
const HELD_BYTES: usize = 1024 * 1024;

/// How long a declared type may be, in bytes. A longer one is none that could be served.
pub const MAX_MEDIA_TYPE_BYTES: usize = 255;

/// A file that was taken in and waits for [`store`].
#[derive(Debug)]
pub struct Upload {
    /// The id of the file to be.
    pub file_id: String,
    /// The id of its content.
    pub content_id: String,
    /// The name as sent; any text.
    pub filename: String,
    media_type: Option<String>,
    size: i64,
    /// The whole file, if it is small and is not staged yet.
    held: Option<Vec<u8>>,
}

impl Upload {
    /// All bytes of the file, if it is small: of one form at most 1 MiB altogether.
    pub fn held(&self) -> Option<&[u8]> {
        self.held.as_deref()
    }

    /// Its text, if that needs no reading.
    pub(crate) fn plain_text(&self) -> Option<String> {
        plain_text(self.held()?, self.media_type.as_deref(), &self.filename)
    }

    /// The logical place of the file, the original's path on disk (docs/http-compatibility.md#files).
    pub fn path(&self) -> String {
        format!("uploads/files/{}_{}", self.file_id, self.filename)
    }
}

/// Takes in the files of one form. Read the form with `&mut staging`, do the rest of the request, and [`Self::settle`]
/// its answer. A staging that is dropped without it leaves content that is swept an hour later.
#[derive(Default)]
pub struct Staging {
    incoming: Option<Incoming>,
    held_bytes: usize,
    /// For whom, and how many bytes may still come; `None`: as many as like.
    room: Option<Room>,
    /// The contents that are in the database.
    staged: Vec<String>,
}

/// The file that is arriving.
struct Incoming {
    upload: Upload,
    buffer: Vec<u8>,
    /// The chunks written so far.
    chunks: i64,
}

const CHUNK_WITHIN: &str = include_str!("chunk.sql");
const KEEP: &str = include_str!("keep.sql");
const SWEEP: &str = include_str!("sweep.sql");

impl Staging {
    /// Takes in no more than there is room for, so that no user fills the disk with files that they may not keep. What is
    /// in the database is the user's from its first chunk: of many uploads at once, all together have that room.
    pub fn within(room: Option<Room>) -> Self {
        Self {
            room,
            ..Self::default()
        }
    }

    /// Ends the request that the files came with: if it failed, what was staged is removed.
    pub async fn settle<T, E>(
        self,
        answer: std::result::Result<T, E>,
    ) -> std::result::Result<T, E> {
        if answer.is_err() {
            discard(&self.staged).await;
        }
        answer
    }

    /// Writes the buffer as the next chunk of its content.
    async fn flush(&mut self) -> Result<()> {
        let Some(incoming) = &mut self.incoming else {
            return Ok(());
        };
        let content_id = &incoming.upload.content_id;
        let mut db = Db::open().await?;
        let room = self.room.as_ref();
        if incoming.chunks == 0 {
            self.staged.push(content_id.clone());
            let media_type = incoming.upload.media_type.as_deref();
            begin(&mut db, content_id, media_type, room).await?;
        }
        let bytes = std::mem::take(&mut incoming.buffer);
        let seq = incoming.chunks;
        incoming.chunks += 1;
        append(&mut db, content_id, seq, bytes, room).await
    }
}

/// Begins a content that nothing refers to, of the user who has the room: what is appended to it is theirs from its first chunk,
/// and swept an hour later unless it is kept or discarded before.
pub async fn begin(
    db: &mut Db,
    content_id: &str,
    media_type: Option<&str>,
    room: Option<&Room>,
) -> Result<()> {
    sweep(db).await?;
    let begun = params![
        content_id,
        media_type,
        clock::unix_millis(),
        room.map(|room| room.user.as_str())
    ];
    let sql = "INSERT INTO content (id, size, media_type, staged_at, owner_id) VALUES (?1, 0, ?2, ?3, ?4)";
    Ok(db.execute(sql, begun).await?)
}

/// Appends the chunk `seq` to a content that was begun. An error where there is no room for it, or the content was swept.
pub async fn append(
    db: &mut Db,
    content_id: &str,
    seq: i64,
    bytes: Vec<u8>,
    room: Option<&Room>,
) -> Result<()> {
    let chunk = params![
        content_id,
        seq,
        bytes,
        room.map(|room| i64::try_from(room.quota).unwrap_or(i64::MAX)),
        room.map(|room| room.user.as_str())
    ];
    match db.query_one_as::<i64>(CHUNK_WITHIN, chunk).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(Error::StorageFull),
        Err(db::Error::ForeignKey(_)) => Err(swept()),
        Err(error) => Err(error.into()),
    }
}

/// Removes contents that nothing refers to. A failure is only logged: the sweep does the same later.
pub async fn discard(content_ids: &[String]) {
    if content_ids.is_empty() {
        return;
    }
    let ids = json!(content_ids).to_string();
    let discarded = async {
        Db::open()
            .await?
            .execute(
                "DELETE FROM content WHERE staged_at IS NOT NULL
                 AND id IN (SELECT value FROM json_each(?1))",
                params![ids],
            )
            .await
    };
    if let Err(error) = discarded.await {
        tracing::warn!("staged contents are left to the sweep: {error}");
    }
}

/// Taking in one file after the other.
impl Staging {
    /// A file begins. `content_type` is what its uploader declared.
    pub fn begin(&mut self, filename: &str, content_type: Option<&str>) {
        self.incoming = Some(Incoming {
            upload: Upload {
                file_id: id::new_id(),
                content_id: id::new_id(),
                filename: filename.to_owned(),
                media_type: content_type
                    .filter(|media_type| media_type.len() <= MAX_MEDIA_TYPE_BYTES)
                    .map(str::to_owned),
                size: 0,
                held: None,
            },
            buffer: Vec::new(),
            chunks: 0,
        });
    }

    /// More of the file's bytes.
    pub async fn chunk(&mut self, mut bytes: Bytes) -> Result<()> {
        if let Some(room) = &mut self.room {
            let left = room.left.checked_sub(bytes.len() as u64);
            room.left = left.ok_or(Error::StorageFull)?;
        }
        while let Some(incoming) = &mut self.incoming
            && !bytes.is_empty()
        {
            let room = CHUNK - incoming.buffer.len();
            if room == 0 {
                // Only now, since the last chunk of a small file is not to be written yet.
                self.flush().await?;
                continue;
            }
            let part = bytes.split_to(room.min(bytes.len()));
            if incoming.chunks > 0 && incoming.buffer.capacity() == 0 {
                incoming.buffer.reserve_exact(CHUNK);
            }
            incoming.buffer.extend_from_slice(&part);
            incoming.upload.size += part.len() as i64;
        }
        Ok(())
    }

    /// The file is complete.
    pub async fn end(&mut self) -> Result<Upload> {
        let Some(incoming) = &mut self.incoming else {
            return Err(Error::Internal(anyhow::anyhow!(
                "a file ended that never began"
            )));
        };
        if incoming.chunks == 0 && self.held_bytes + incoming.buffer.len() <= HELD_BYTES {
            self.held_bytes += incoming.buffer.len();
            incoming.upload.held = Some(std::mem::take(&mut incoming.buffer));
        } else {
            self.flush().await?;
        }
        let complete = self.incoming.take().map(|incoming| incoming.upload);
        complete.ok_or_else(|| Error::Internal(anyhow::anyhow!("a file ended twice")))
    }
}

/// Makes uploads permanent, inside the transaction that inserts what refers to them, and before that: at most three
/// statements, however many files. A content that nothing refers to at the end of the transaction would stay forever.
pub async fn store(tx: &mut Transaction<'_>, uploads: &mut [Upload]) -> Result<()> {
    let (mut contents, mut chunks) = (Vec::new(), Vec::new());
    let mut staged = Vec::new();
    for upload in uploads {
        let id = upload.content_id.as_str();
        match upload.held.take() {
            Some(bytes) => {
                contents.extend(params![id, upload.size, upload.media_type.take()]);
                if !bytes.is_empty() {
                    chunks.extend(params![id, bytes]);
                }
            }
            None => staged.push(json!([id, upload.size])),
        }
    }
    if !contents.is_empty() {
        let rows = rows_of(contents.len() / 3, 3);
        let sql = format!("INSERT INTO content (id, size, media_type) VALUES {rows}");
        tx.execute(&sql, contents).await?;
    }
    if !chunks.is_empty() {
        let rows = rows_of(chunks.len() / 2, 2);
        let sql = format!(
            "WITH new (content_id, bytes) AS (VALUES {rows})
             INSERT INTO content_chunk (content_id, seq, bytes) SELECT content_id, 0, bytes FROM new"
        );
        tx.execute(&sql, chunks).await?;
    }
    if !staged.is_empty() {
        let kept = tx.query(KEEP, params![json!(staged).to_string()]).await?;
        if kept.len() != staged.len() {
            return Err(swept());
        }
    }
    Ok(())
}

/// Removes abandoned contents: two for each upload that is staged, so that leftovers shrink while uploads come, and no
/// upload pays for many.
async fn sweep(db: &mut Db) -> db::Result<()> {
    let asked = params![clock::unix_millis(), ABANDONED_AFTER];
    db.execute(SWEEP, asked).await
}

fn swept() -> Error {
    Error::Unavailable("The upload took longer than an hour and was given up.")
}
