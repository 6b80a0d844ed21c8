//! The rows of a reply that is being written: the row is the log
//! (docs/decisions.md#the-row-is-the-log).
//!
//! All that is sent to clients is in the rows before, so a client that missed a message can read it there. Each statement
//! here asks for a row that is still `running`, so a reply that another request ended stays as it ended.
//!
//! Pieces and heartbeats are not waited for until they are on the disk; the end of the reply is, and all before it
//! (docs/decisions.md#pieces-of-a-reply-are-not-waited-for).

use kafka_common::db::{Db, Result};
use kafka_common::reply::Model;
use kafka_common::{clock, params};
use kafka_llm::Adaptation;
use serde::Deserialize;

/// What the row said when it was written to.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Beat {
    /// How many pieces there are.
    pub seq: i64,
    /// Whether a client asked to stop the reply.
    #[serde(rename = "stop_requested")]
    pub stop: bool,
}

/// What a piece is of.
#[derive(Debug, Clone, Copy)]
pub enum Part {
    Text,
    Reasoning,
}

/// Opens what the first piece or heartbeat is written through, so that it need not wait for that.
pub async fn make_ready() {
    // One that can't be opened is tried again by what needs it, and reported there.
    _ = Db::open_unflushed().await;
}

/// Appends a piece to the reply's message. `None`: the reply is not running any more. `asked`: an estimate of the tokens that
/// its model has read, for the case that another request ends it.
pub async fn append(
    db: &mut Db,
    reply: &str,
    part: Part,
    piece: &str,
    asked: u32,
) -> Result<Option<Beat>> {
    let (text, thought) = match part {
        Part::Text => (Some(piece), None),
        Part::Reasoning => (None, Some(piece)),
    };
    db.query_one_as(
        "UPDATE generation SET seq = seq + 1, heartbeat = ?2, piece = ?3, thought = ?4, tokens_in = ?5
             WHERE id = ?1 AND status = 'running' RETURNING seq, stop_requested",
        params![reply, clock::unix_millis(), text, thought, asked],
    )
    .await
}

/// Renews the reply's heartbeat while the model is silent.
pub async fn beat(db: &mut Db, reply: &str) -> Result<Option<Beat>> {
    db.query_one_as(
        "UPDATE generation SET heartbeat = ?2 WHERE id = ?1 AND status = 'running'
             RETURNING seq, stop_requested",
        params![reply, clock::unix_millis()],
    )
    .await
}

/// Keeps what a model's refusals have taught, unless it has another name or address meanwhile. A failure is logged: the
/// next reply learns it again.
pub async fn learn(model: &Model, adaptation: &Adaptation) {
    let Some(lesson) = adaptation.lesson() else {
        return;
    };
    let learnt = serde_json::to_string(&lesson).unwrap_or_default();
    let (id, name, base_url) = (&*model.id, &*model.name, &*model.base_url);
    let kept = async {
        let mut db = Db::open().await?;
        db.execute(
            "UPDATE model SET learnt = ?2, takes_images = ?5 WHERE id = ?1 AND name = ?3 AND base_url = ?4",
            params![id, learnt, name, base_url, lesson.images.map(i64::from)],
        )
        .await
    };
    if let Err(error) = kept.await {
        tracing::warn!("what the model has taught is not kept: {error}");
    }
}
