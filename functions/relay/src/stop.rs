//! Stopping a reply: its row says that it should, and its writer, in whichever instance, reads that with its next piece.

use kafka_common::api::id::GenerationId;
use kafka_common::db::{Db, Result};
use kafka_common::params;
use kafka_common::reply::ending::{self, RunningReply};

/// Asks the reply's writer, wherever it runs, to stop. `reply` is `None` for whichever is running. Returns its id, if
/// there is one; asking again is harmless. A reply whose writer is gone is ended, and so not stopped.
pub async fn request_stop(
    db: &mut Db,
    chat: &str,
    caller: Option<&str>,
    reply: Option<&GenerationId>,
) -> Result<Option<GenerationId>> {
    let asked = params![chat, caller, reply];
    let reply: Option<RunningReply> = db.query_one_as(include_str!("stop.sql"), asked).await?;
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
