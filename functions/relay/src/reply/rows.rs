//! The rows of a reply that is being written: the row is the log (DESIGN.md, D2).
//!
//! Whatever a window is told is in the rows already, so a window that missed it can read it there; and whoever may
//! write here asks for the row to be `running` still, so that a reply which somebody else ended stays as it ended.

use kafka_common::db::{Db, Result};
use kafka_common::{clock, params};

use super::ending;

/// What the row said when it was written to.
#[derive(Debug, Clone, Copy)]
pub struct Beat {
    /// How many pieces there are.
    pub seq: i64,
    /// Whether somebody wants the reply to end.
    pub stop: bool,
}

/// Appends a piece to the reply's message. `None`: the reply is not running any more.
pub async fn append(db: &mut Db, reply: &str, piece: &str) -> Result<Option<Beat>> {
    let row = db
        .query_one(
            "UPDATE generation SET seq = seq + 1, heartbeat = ?2, piece = ?3
             WHERE id = ?1 AND status = 'running' RETURNING seq, stop_requested",
            params![reply, clock::unix_millis(), piece],
        )
        .await?;
    Ok(row.map(|row| Beat {
        seq: row.int(0),
        stop: row.int(1) != 0,
    }))
}

/// Says that the reply is still being written, although nothing is to be told.
pub async fn beat(db: &mut Db, reply: &str) -> Result<Option<Beat>> {
    let row = db
        .query_one(
            "UPDATE generation SET heartbeat = ?2 WHERE id = ?1 AND status = 'running'
             RETURNING seq, stop_requested",
            params![reply, clock::unix_millis()],
        )
        .await?;
    Ok(row.map(|row| Beat {
        seq: row.int(0),
        stop: row.int(1) != 0,
    }))
}

/// Asks the reply's writer, wherever it runs, to stop. `reply` is `None` for whichever is running. Returns its id, if
/// there is one; asking again is harmless. A reply whose writer is gone is ended, and so not stopped.
pub async fn request_stop(
    db: &mut Db,
    chat: &str,
    caller: Option<&str>,
    reply: Option<&str>,
) -> Result<Option<String>> {
    let row = db
        .query_one(
            "UPDATE generation SET stop_requested = 1
             WHERE chat_id = ?1 AND status = 'running' AND (?3 IS NULL OR id = ?3)
             AND EXISTS (SELECT 1 FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2))
             RETURNING id, heartbeat",
            params![chat, caller, reply],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    if ending::is_silent(row.int(1)) && ending::interrupt_abandoned(db, chat).await? {
        return Ok(None);
    }
    Ok(Some(row.text(0)))
}
