//! What files hold, taken in and served in chunks: memory is bounded (docs/decisions.md#file-contents-in-chunks).
//!
//! [`Staging`] takes the files of a form in. A large file goes into the database as it arrives, one short statement
//! per chunk, under a fresh id that nothing refers to; small ones wait in memory. [`store`] makes them permanent
//! inside the transaction that inserts whatever refers to them. Until then no caller can see them, and what is abandoned
//! is swept.
//!
//! Callers know contents by id only, and never how they are kept.

pub mod kind;
mod staging;

use std::ops::Range;

use bytes::Bytes;
use futures::stream::{self, Stream};

pub use self::staging::{MAX_MEDIA_TYPE_BYTES, Staging, Upload, append, begin, discard, store};
use crate::db::{self, Db};
use crate::params;

/// The size of every chunk of a content but the last, in bytes.
pub const CHUNK: usize = 256 * 1024;

/// Bytes of a content, read chunk by chunk as they are taken. `first` is chunk 0, if the caller has it already.
///
/// Each chunk is a statement of its own: no read transaction waits for a slow client. A content is never changed, only
/// removed as a whole; when that happens meanwhile, the stream breaks off with an error.
pub fn read(
    content_id: String,
    range: Range<u64>,
    first: Option<Bytes>,
) -> impl Stream<Item = db::Result<Bytes>> + Send + 'static {
    let state = (content_id, range, first);
    stream::try_unfold(state, |(id, range, first)| async move {
        if range.is_empty() {
            return Ok::<_, db::Error>(None);
        }
        let size = CHUNK as u64;
        let (seq, skip) = (range.start / size, range.start % size);
        let chunk = match first {
            Some(chunk) if seq == 0 => chunk,
            _ => chunk(&id, seq).await?,
        };
        let left = range.end - range.start;
        let end = (skip + left).min(chunk.len() as u64);
        if end <= skip {
            return Err(db::Error::Other(format!(
                "chunk {seq} of content {id} is short"
            )));
        }
        // Both lie within the chunk, whose length is a usize.
        let bytes = chunk.slice(skip as usize..end as usize);
        let rest = range.start + (end - skip)..range.end;
        Ok(Some((bytes, (id, rest, None))))
    })
}

async fn chunk(content_id: &str, seq: u64) -> db::Result<Bytes> {
    let asked = params![content_id, i64::try_from(seq).unwrap_or(i64::MAX)];
    let sql = "SELECT bytes FROM content_chunk WHERE content_id = ?1 AND seq = ?2";
    let bytes = Db::open().await?.query_one_as(sql, asked).await?;
    bytes.ok_or_else(|| db::Error::Other(format!("chunk {seq} of content {content_id} is gone")))
}
