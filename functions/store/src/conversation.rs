//! Writing to conversations inside a transaction: raising a chat's `rev`, and adding messages that are not prompts to a
//! model, such as that a file is gone.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::json;

use crate::api::id::MessageId;
use crate::api::relay::Message;
use crate::db::{Result, Transaction};
use crate::{clock, id, params};

const ADD: &str = include_str!("conversation.sql");

/// A running reply without a heartbeat for so many milliseconds has lost its writer.
pub const ABANDONED_AFTER: i64 = 10_000;

/// A chat, and the `rev` that a change of it has.
pub type ChatRev = (String, i64);

/// Raises the chat's rev by `by`. Returns what it is then; 0 where the chat is gone.
pub async fn raise(tx: &mut Transaction<'_>, chat: &str, by: i64) -> Result<i64> {
    let rev = tx
        .query_one_as(
            "UPDATE chat SET rev = rev + ?2, last_updated = ?3 WHERE id = ?1 RETURNING rev",
            params![chat, by, clock::now()],
        )
        .await?;
    Ok(rev.unwrap_or(0))
}

/// Raises the rev of several chats, each by `by`. Returns what they are then.
pub async fn raise_each(tx: &mut Transaction<'_>, chats: &[&str], by: i64) -> Result<Vec<ChatRev>> {
    let rows: Vec<Raised> = tx
        .query_as(
            "UPDATE chat SET rev = rev + ?2, last_updated = ?3
             WHERE id IN (SELECT value FROM json_each(?1)) RETURNING id, rev",
            params![json!(chats).to_string(), by, clock::now()],
        )
        .await?;
    Ok(rows.into_iter().map(|row| (row.id, row.rev)).collect())
}

#[derive(Deserialize)]
struct Raised {
    id: String,
    rev: i64,
}

/// Adds a message at the end of the active branch, and fills in what that makes of it.
pub async fn add(
    tx: &mut Transaction<'_>,
    chat: &str,
    message: &mut Message,
    rev: i64,
) -> Result<()> {
    let added = add_to_each(tx, &[(chat.to_owned(), rev)], message).await?;
    if let Some(added) = added.into_iter().next() {
        *message = added;
    }
    Ok(())
}

/// Adds the same message to several chats, each under a rev of its own; the messages as they are there.
pub async fn add_to_each(
    tx: &mut Transaction<'_>,
    chats: &[ChatRev],
    message: &Message,
) -> Result<Vec<Message>> {
    let added = chats.iter().map(|_| Message {
        id: id::new_id().into(),
        created_at: clock::now().into(),
        ..message.clone()
    });
    let mut added: Vec<Message> = added.collect();
    let new = added.iter().zip(chats);
    let new: Vec<_> = new
        .map(|(added, (chat, rev))| json!([added.id, chat, rev, added.created_at]))
        .collect();
    let rows: Vec<Added> = tx
        .query_as(
            ADD,
            params![
                json!(new).to_string(),
                message.role.as_str(),
                message.kind.as_str(),
                message.content.as_str(),
                message.model.as_deref()
            ],
        )
        .await?;
    let parents = rows.into_iter().map(|row| (row.id, row.parent_id));
    let mut parents: HashMap<MessageId, Option<MessageId>> = parents.collect();
    for added in &mut added {
        added.parent_id = parents.remove(&added.id).flatten();
    }
    Ok(added)
}

#[derive(Deserialize)]
struct Added {
    id: MessageId,
    parent_id: Option<MessageId>,
}
