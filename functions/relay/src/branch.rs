//! Which branch of the conversation is the active one: the one that clients are shown, and that goes on.

use kafka_common::access::Caller;
use kafka_common::announce::fitted;
use kafka_common::conversation;
use kafka_common::db::{Db, Result, Transaction};
use kafka_common::message::Message;
use kafka_common::object;
use kafka_common::reply::audience;
use kafka_common::reply::ending::{self, Silent};
use kafka_common::{params, sql_file};
use serde_json::Value;

use crate::refused::Refused;
use crate::snapshot;

const LIFT: &str = sql_file!("branch.sql");

/// The chat ?1 of the caller ?2 (NULL: whoever knows the id), its running reply, and the message ?3 of this chat.
const FIND: &str = "
    SELECT chat.rev, chat.head_id, running.id, running.heartbeat, message.id
    FROM chat
    LEFT JOIN generation AS running ON running.chat_id = chat.id AND running.status = 'running'
    LEFT JOIN chat_conversation AS message ON message.id = ?3 AND message.chat_id = chat.id
    WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)";

/// The end of the branch that comes down from the message ?1.
const END: &str = "
    WITH RECURSIVE down (id, turn) AS (
        SELECT ?1, 0
        UNION ALL
        SELECT (
            SELECT id FROM chat_conversation WHERE parent_id = down.id ORDER BY selected DESC, rowid DESC LIMIT 1
        ), turn + 1
        FROM down WHERE down.id IS NOT NULL
    )
    SELECT id FROM down WHERE id IS NOT NULL ORDER BY turn DESC LIMIT 1";

/// Puts a message, and all before it, on the active branch. Returns whether it was not on it.
pub async fn lift(tx: &mut Transaction<'_>, chat: &str, message: &str, rev: i64) -> Result<bool> {
    let lifted = tx.query(LIFT, params![chat, message, rev]).await?;
    Ok(!lifted.is_empty())
}

/// The active branch, as it is now.
#[derive(Debug)]
pub struct Selected {
    pub head_id: String,
    pub rev: i64,
}

impl Selected {
    /// As clients are told of it.
    pub fn named(&self) -> Value {
        object!({ "head_id": self.head_id, "rev": self.rev })
    }
}

/// Makes the branch through a message the active one, and tells the windows. Choosing the active one changes nothing.
pub async fn select(
    db: &mut Db,
    chat: &str,
    caller: &Caller,
    message: &str,
) -> Result<Selected, Refused> {
    let asked = || params![chat, caller.user_id(), message];
    let mut tx = db.begin().await?;
    let found = tx.query_one(FIND, asked()).await?;
    let mut found = found.ok_or_else(Refused::chat_not_found)?;
    let mut running = found.opt_text(2);
    let silent = Silent::met(running.as_deref(), found.int(3));
    if let Some(silent) = &silent {
        drop(tx);
        silent.wait().await;
        tx = db.begin().await?;
        let again = tx.query_one(FIND, asked()).await?;
        found = again.ok_or_else(Refused::chat_not_found)?;
        running = found.opt_text(2);
    }
    let (mut rev, head) = (found.int(0), found.opt_text(1));
    let interrupted = match running {
        None => None,
        Some(reply) => match silent.filter(|silent| silent.is(&reply, found.int(3))) {
            Some(silent) => ending::interrupt_in(&mut tx, chat, &silent).await?,
            None => return Err(Refused::busy()),
        },
    };
    if found.opt_text(4).is_none() {
        return Err(Refused::not_found("Message not found."));
    }
    if let Some(interrupted) = &interrupted {
        rev = interrupted.rev;
    }
    let lifted = lift(&mut tx, chat, message, rev + 1).await?;
    let end = tx.query_one(END, params![message]).await?;
    let head_id = end.map_or_else(|| message.to_owned(), |mut end| end.text(0));
    let is_other = lifted || head.as_deref() != Some(head_id.as_str());
    let mut told = Vec::new();
    if is_other {
        rev = conversation::raise(&mut tx, chat, 1).await?;
        tx.execute(
            "UPDATE chat SET head_id = ?2 WHERE id = ?1",
            params![chat, head_id.as_str()],
        )
        .await?;
        told = snapshot::branch(&mut tx, chat).await?;
    }
    tx.commit().await?;
    if let Some(interrupted) = interrupted {
        ending::tell(chat, &interrupted).await;
    }
    if let Some(snapshot) = snapshot::of_branch(told) {
        let messages: Vec<Value> = snapshot.messages.iter().map(Message::v2).collect();
        let event = object!({
            "action": "branch_selected", "rev": rev, "head_id": head_id, "messages": messages,
            "has_more": snapshot.has_more,
        });
        audience::tell(chat, vec![fitted(event)], Vec::new()).await;
    }
    Ok(Selected { head_id, rev })
}
