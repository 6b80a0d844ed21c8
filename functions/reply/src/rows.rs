//! The rows of a reply that is being written: the row is the log
//! (docs/decisions.md#the-row-is-the-log).
//!
//! All that is sent to clients is in the rows before, so a client that missed a message can read it there. Each statement
//! here asks for a row that is still `running`, so a reply that another request ended stays as it ended.

use kafka_common::db::{Db, Result};
use kafka_common::reply::Model;
use kafka_common::{clock, params};
use kafka_llm::Learnt;
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

/// Appends a piece to the text of the reply's message. `None`: the reply is not running any more.
pub async fn append(db: &mut Db, reply: &str, piece: &str) -> Result<Option<Beat>> {
    db.query_one_as(
        "UPDATE generation SET seq = seq + 1, heartbeat = ?2, piece = ?3, thought = NULL
             WHERE id = ?1 AND status = 'running' RETURNING seq, stop_requested",
        params![reply, clock::unix_millis(), piece],
    )
    .await
}

/// Appends a piece to the reasoning of the reply's message, as [`append`] does to its text.
pub async fn append_reasoning(db: &mut Db, reply: &str, piece: &str) -> Result<Option<Beat>> {
    db.query_one_as(
        "UPDATE generation SET seq = seq + 1, heartbeat = ?2, piece = NULL, thought = ?3
             WHERE id = ?1 AND status = 'running' RETURNING seq, stop_requested",
        params![reply, clock::unix_millis(), piece],
    )
    .await
}

/// Keeps what a model's refusals have taught, unless it has another name or address meanwhile.
pub async fn learn(db: &mut Db, model: &Model, learnt: &Learnt) -> Result<()> {
    let learnt = serde_json::to_string(learnt).unwrap_or_default();
    db.execute(
        "UPDATE model SET learnt = ?2 WHERE id = ?1 AND name = ?3 AND base_url = ?4",
        params![
            model.id.as_str(),
            learnt,
            model.name.as_str(),
            model.base_url.as_str()
        ],
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
