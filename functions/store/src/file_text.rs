//! The texts of files: of each content the text is read once, by component `extract`, and kept (`file_text`); of a picture
//! its image instead (`file_image`).
//!
//! Here are the rows: who begins to read, what came of it, and what is known. Who reads them is the edge's
//! (`kafka_common::texts`).

mod plain;

use kafka_grip::encoding::from_base64;
pub use plain::plain_text;
use serde::Deserialize;
use serde_json::json;

use crate::api::extraction::{Extraction, Image};
use crate::api::words::TextState;
use crate::clock;
use crate::db::{self, Db, Transaction, rows_of};
use crate::params;

const CLAIM: &str = include_str!("file_text/claim.sql");
const FINISH: &str = include_str!("file_text/finish.sql");
const IMAGE: &str = include_str!("file_text/image.sql");
const KNOWN: &str = include_str!("file_text/known.sql");
const PENDING: &str = include_str!("file_text/pending.sql");

/// How many files are read at a time, of all users together: each may take all memory that an instance may have.
const AT_A_TIME: i64 = 4;

/// How many of one user, so that one whose files take long does not stop the others.
const OF_ONE_USER: i64 = 2;

/// After so many milliseconds without [`beat`] a reader is taken for dead, and another one may begin.
const DEAD_AFTER: i64 = 6_000;

/// A content whose text is to be read.
#[derive(Debug, Deserialize)]
pub struct Unread {
    /// How many bytes it has.
    pub size: u64,
    /// The type that its uploader declared.
    pub media_type: Option<String>,
    /// What a file with it is called.
    pub name: Option<String>,
    /// Its first chunk.
    pub first_chunk: Option<bytes::Bytes>,
}

/// What is known of the text of a content.
#[derive(Debug, Clone, Deserialize)]
pub struct Known {
    /// The id of the content.
    pub content_id: String,
    /// How far it is.
    pub state: TextState,
    /// Why there is no text.
    pub reason: Option<String>,
    /// Its beginning.
    pub text: Option<String>,
}

/// Begins to read the text of a content. `None`: it has been read, another one is reading it, too many are being read,
/// or it is gone; [`known`] tells.
pub async fn claim(db: &mut Db, content_id: &str) -> db::Result<Option<Unread>> {
    let now = clock::unix_millis();
    let limits = params![content_id, now, DEAD_AFTER, AT_A_TIME, OF_ONE_USER];
    db.query_one_as(CLAIM, limits).await
}

/// Says that the reader of a content is at it: to be called every second.
pub async fn beat(db: &mut Db, content_id: &str) -> db::Result<()> {
    let sql = "UPDATE file_text SET alive_at = ?2 WHERE content_id = ?1 AND state = 'pending'";
    db.execute(sql, params![content_id, clock::unix_millis()])
        .await
}

/// Keeps the texts of contents that need no reading, inside the transaction that stores these: `(content, text)`.
pub async fn keep_plain(tx: &mut Transaction<'_>, texts: Vec<(String, String)>) -> db::Result<()> {
    if texts.is_empty() {
        return Ok(());
    }
    let rows = rows_of(texts.len(), 3);
    let mut parameters = Vec::new();
    for (content, text) in texts {
        let characters = i64::try_from(text.chars().count()).unwrap_or(i64::MAX);
        parameters.extend(params![content, characters, text]);
    }
    let sql = format!(
        "WITH new (content_id, characters, text) AS (VALUES {rows})
         INSERT INTO file_text (content_id, state, kind, characters, text)
         SELECT content_id, 'ready', 'plain', characters, text FROM new"
    );
    tx.execute(&sql, parameters).await
}

/// Keeps what came of reading. Returns the ids of the files that have the content. `db` waits for flushes: clients hear of
/// this as a numbered change of theirs, which must not be taken back.
pub async fn finish(
    db: &mut Db,
    content_id: &str,
    extraction: Extraction,
) -> db::Result<Vec<String>> {
    let parameters = match extraction {
        Extraction::Text(text) => params![
            content_id,
            TextState::Ready.as_str(),
            None::<&str>,
            text.kind,
            i64::try_from(text.characters).unwrap_or(i64::MAX),
            i64::from(text.is_truncated),
            text.text
        ],
        Extraction::Image(image) => {
            // Before the end of reading: a reply that has waited for that finds it.
            keep_image(db, content_id, &image).await?;
            without_text(content_id, image.reason)
        }
        Extraction::Failure(reason) => without_text(content_id, reason),
    };
    let file: Option<Option<String>> = db.query_one_as(FINISH, parameters).await?;
    Ok(file.flatten().into_iter().collect())
}

/// The parameters of [`FINISH`] for a content that has no text, for this reason.
fn without_text(content_id: &str, reason: String) -> Vec<db::Value> {
    params![
        content_id,
        TextState::Failed.as_str(),
        reason,
        None::<&str>,
        0_i64,
        0_i64,
        None::<&str>
    ]
}

async fn keep_image(db: &mut Db, content_id: &str, image: &Image) -> db::Result<()> {
    let bytes = from_base64(&image.base64)
        .ok_or_else(|| db::Error::Other("the image is no Base64".to_owned()))?;
    let (width, height) = (i64::from(image.width), i64::from(image.height));
    let kept = params![content_id, image.media_type.as_str(), width, height, bytes];
    db.execute(IMAGE, kept).await
}

/// What is known of the texts of contents, with at most `chars` characters of each. What is gone is left out.
pub async fn known(db: &mut Db, content_ids: &[&str], chars: usize) -> db::Result<Vec<Known>> {
    let chars = i64::try_from(chars).unwrap_or(i64::MAX);
    let asked = params![json!(content_ids).to_string(), chars];
    db.query_as(KNOWN, asked).await
}

/// The contents of the newest `files` files of a chat whose texts are pending; files with versions need none.
pub async fn pending(db: &mut Db, chat: &str, files: i64) -> db::Result<Vec<String>> {
    db.query_as(PENDING, params![chat, files]).await
}
