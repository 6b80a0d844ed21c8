//! Stopping a reply: its row says that it should, and its writer, in whichever instance, reads that with its next piece.

use kafka_common::api::id::GenerationId;
use kafka_common::db::{Db, Result};
use kafka_common::params;
use kafka_common::reply::ending::{self, Running};

/// Asks the reply's writer, wherever it runs, to stop. `reply` is `None` for whichever is running. Returns its id, if
/// there is one; asking again is harmless. A reply whose writer is gone is ended, and so not stopped.
pub async fn request_stop(
    db: &mut Db,
    chat: &str,
    caller: Option<&str>,
    reply: Option<&GenerationId>,
) -> Result<Option<GenerationId>> {
    let reply: Option<Running> = db
        .query_one_as(
            "UPDATE generation SET stop_requested = 1
             WHERE chat_id = ?1 AND status = 'running' AND (?3 IS NULL OR id = ?3)
             AND EXISTS (SELECT 1 FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2))
             RETURNING id, heartbeat",
            params![chat, caller, reply],
        )
        .await?;
    match reply {
        Some(reply)
            if ending::is_silent(reply.heartbeat)
                && ending::interrupt_abandoned(db, chat).await? =>
        {
            Ok(None)
        }
        reply => Ok(reply.map(|reply| reply.id.into())),
    }
}
