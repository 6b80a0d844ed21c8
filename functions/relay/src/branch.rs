//! Which branch of the conversation is the active one: the one that clients are shown, and that goes on.

use kafka_common::access::Caller;
use kafka_common::api::events::Event;
use kafka_common::api::id::MessageId;
use kafka_common::api::relay::Branch;
use kafka_common::conversation;
use kafka_common::db::{Db, Result, Transaction};
use kafka_common::params;
use kafka_common::reply::{audience, ending};
use serde::Deserialize;

use crate::refused::Refused;
use crate::running::Look;
use crate::snapshot;

const LIFT: &str = include_str!("branch.sql");
const FIND: &str = include_str!("branch_find.sql");
const END: &str = include_str!("branch_end.sql");

/// Puts a message, and all before it, on the active branch. Returns whether it was not on it.
pub async fn lift(
    tx: &mut Transaction<'_>,
    chat: &str,
    message: &MessageId,
    rev: i64,
) -> Result<bool> {
    let lifted = tx.query_as::<String>(LIFT, params![chat, message, rev]);
    Ok(!lifted.await?.is_empty())
}

/// What there is in the chat.
#[derive(Deserialize)]
struct Found {
    rev: i64,
    head_id: Option<MessageId>,
    message_id: Option<MessageId>,
}

/// Makes the branch through a message the active one, and tells the clients. Choosing the active one changes nothing.
pub async fn select(
    db: &mut Db,
    chat: &str,
    caller: &Caller,
    message: &MessageId,
) -> Result<Branch, Refused> {
    let asked = || params![chat, caller.user_id(), message];
    let mut look: Look<'_, Found> = Look::at(db, FIND, asked).await?;
    let interrupted = look.end_silent(chat).await?;
    let Look { mut tx, found, .. } = look;
    if found.message_id.is_none() {
        return Err(Refused::not_found("Message not found."));
    }
    let mut rev = found.rev;
    if let Some(interrupted) = &interrupted {
        rev = interrupted.rev;
    }
    let lifted = lift(&mut tx, chat, message, rev + 1).await?;
    let end: Option<MessageId> = tx.query_one_as(END, params![message]).await?;
    let head_id = end.unwrap_or_else(|| message.clone());
    let is_other = lifted || found.head_id.as_ref() != Some(&head_id);
    let mut snapshot = None;
    if is_other {
        rev = conversation::raise(&mut tx, chat, 1).await?;
        tx.execute(
            "UPDATE chat SET head_id = ?2 WHERE id = ?1",
            params![chat, &head_id],
        )
        .await?;
        snapshot = snapshot::branch(&mut tx, chat).await?;
    }
    tx.commit().await?;
    if let Some(interrupted) = interrupted {
        ending::tell(chat, interrupted).await;
    }
    if let Some(snapshot) = snapshot {
        let event = Event::BranchSelected {
            rev,
            head_id: head_id.clone(),
            messages: snapshot.messages,
            has_more: snapshot.has_more,
        };
        audience::tell(chat, &[event], Vec::new()).await;
    }
    Ok(Branch { head_id, rev })
}
