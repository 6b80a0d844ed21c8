//! Writes to the index, each time in one short transaction.

use kafka_common::db::{Db, Result, Transaction};
use kafka_common::{clock, params};
use serde_json::json;

use crate::index::BUSY;

/// How much a part of the index takes: a query reads parts one after the other, and ends when it has found enough.
const OF_A_PART: i64 = 32_768;

/// What is written at once.
pub(crate) struct Part {
    /// What was noted.
    pub(crate) kind: String,
    /// What is indexed of it.
    pub(crate) doc_kind: &'static str,
    pub(crate) docs: Vec<Doc>,
    pub(crate) done: Vec<Done>,
    pub(crate) replaced: Replaced,
}

/// What is indexed anew.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Replaced {
    /// What is indexed stays.
    Nothing,
    /// The names of all that is done.
    Names,
    /// The texts of all that is done.
    Texts,
}

/// A row of the index.
pub(crate) struct Doc {
    pub(crate) source_id: String,
    /// -1: a name.
    pub(crate) start: i64,
    /// Each with `_` before it.
    pub(crate) words: String,
}

/// How far something is that was noted.
pub(crate) struct Done {
    pub(crate) source_id: String,
    pub(crate) from: i64,
    pub(crate) to: i64,
    /// Whether that is the end.
    pub(crate) is_all: bool,
}

impl Part {
    pub(crate) fn nothing(kind: &str, doc_kind: &'static str, replaced: Replaced) -> Self {
        Self {
            kind: kind.to_owned(),
            doc_kind,
            docs: Vec::new(),
            done: Vec::new(),
            replaced,
        }
    }
}

/// Notes what is to be indexed, and that the user is at another stage and place. False: another request was faster, or the
/// user is gone.
pub(crate) async fn note(
    db: &mut Db,
    user: &str,
    from: (&str, i64),
    to: (&str, i64),
    noted: &str,
) -> Result<bool> {
    let mut tx = db.begin().await?;
    let advance = params![
        user,
        from.0,
        from.1,
        to.0,
        to.1,
        clock::unix_millis() + BUSY
    ];
    let advance = tx.query_one(include_str!("index/advance.sql"), advance);
    if advance.await?.is_none() {
        return Ok(false);
    }
    tx.execute(include_str!("index/note.sql"), params![user, noted])
        .await?;
    tx.commit().await?;
    Ok(true)
}

/// Writes a part, unless something of it has changed since it was read; then it stays noted. False: the user is gone.
pub(crate) async fn write(db: &mut Db, user: &str, part: Part) -> Result<bool> {
    let kind = part.kind.as_str();
    let list = |all: fn(&Done) -> serde_json::Value| {
        json!(part.done.iter().map(all).collect::<Vec<_>>()).to_string()
    };
    let mut tx = db.begin().await?;
    let sql = "UPDATE search_user SET busy_until = ?2 WHERE user_id = ?1 RETURNING user_id";
    let is_there = tx
        .query_one(sql, params![user, clock::unix_millis() + BUSY])
        .await?;
    if is_there.is_none() {
        return Ok(false);
    }
    let read = params![user, kind, list(|done| json!([done.source_id, done.from]))];
    let unchanged: Option<i64> = tx
        .query_one_as(include_str!("index/unchanged.sql"), read)
        .await?;
    if unchanged != i64::try_from(part.done.len()).ok() {
        tx.commit().await?;
        return Ok(true);
    }
    if part.replaced != Replaced::Nothing {
        let ids = list(|done| json!(done.source_id));
        let forgotten = params![ids, i64::from(part.replaced == Replaced::Names)];
        tx.execute(include_str!("index/forget.sql"), forgotten)
            .await?;
    }
    if !part.docs.is_empty() {
        add(&mut tx, user, &part).await?;
    }
    let done = params![user, kind, list(|done| json!([done.source_id, done.to]))];
    tx.execute(include_str!("index/done.sql"), done).await?;
    let all = part.done.iter().filter(|done| done.is_all);
    let all: Vec<&str> = all.map(|done| done.source_id.as_str()).collect();
    if !all.is_empty() {
        let finished = params![user, kind, json!(all).to_string()];
        tx.execute(include_str!("index/finish.sql"), finished)
            .await?;
    }
    tx.commit().await?;
    Ok(true)
}

async fn add(tx: &mut Transaction<'_>, user: &str, part: &Part) -> Result<()> {
    let count = i64::try_from(part.docs.len()).unwrap_or(i64::MAX);
    let docs = part.docs.iter();
    let docs = docs.map(|doc| json!([doc.source_id, doc.start, doc.words]));
    let docs = json!(docs.collect::<Vec<_>>()).to_string();
    let sql = "SELECT coalesce(max(id), 0) FROM search_doc";
    let before: Option<i64> = tx.query_one_as(sql, Vec::new()).await?;
    let added = params![docs.as_str(), part.doc_kind];
    tx.execute(include_str!("index/docs.sql"), added).await?;
    let room = params![user, part.doc_kind, count, OF_A_PART];
    let number: Option<i64> = tx
        .query_one_as(include_str!("index/part.sql"), room)
        .await?;
    let number = match number {
        Some(number) => number,
        None => {
            let sql = "INSERT INTO search_part (user_id, kind) VALUES (?1, ?2) RETURNING id";
            let made = tx.query_one_as(sql, params![user, part.doc_kind]);
            made.await?.unwrap_or_default()
        }
    };
    let words = params![docs, number, before.unwrap_or(0)];
    tx.execute(include_str!("index/words.sql"), words).await?;
    let sql = "UPDATE search_part SET num_docs = num_docs + ?2 WHERE id = ?1";
    tx.execute(sql, params![number, count]).await
}
