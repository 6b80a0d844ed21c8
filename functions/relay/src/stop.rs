//! Stopping a reply: its row says that it should, and its writer, in whichever instance, reads that with its next piece.

use kafka_common::db::{Db, Result};
use kafka_common::params;
use kafka_common::reply::ending;

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
