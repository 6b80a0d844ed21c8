//! Writing to conversations inside a transaction: raising a chat's `rev`, and adding messages that nobody has said to a
//! model, such as that a file is gone.

use std::collections::HashMap;

use serde_json::json;

use crate::db::{Result, Transaction};
use crate::message::Message;
use crate::{clock, id, params};

/// A running reply without a heartbeat for so many milliseconds has lost its writer.
pub const ABANDONED_AFTER: i64 = 10_000;

/// A chat, and the `rev` that a change of it has.
pub type ChatRev = (String, i64);

/// Raises the chat's rev by `by`. Returns what it is then; 0 where the chat is gone.
pub async fn raise(tx: &mut Transaction<'_>, chat: &str, by: i64) -> Result<i64> {
    let row = tx
        .query_one(
            "UPDATE chat SET rev = rev + ?2, last_updated = ?3 WHERE id = ?1 RETURNING rev",
            params![chat, by, clock::now()],
        )
        .await?;
    Ok(row.map_or(0, |row| row.int(0)))
}

/// Raises the rev of several chats, each by `by`. Returns what they are then.
pub async fn raise_each(tx: &mut Transaction<'_>, chats: &[&str], by: i64) -> Result<Vec<ChatRev>> {
    let rows = tx
        .query(
            "UPDATE chat SET rev = rev + ?2, last_updated = ?3
             WHERE id IN (SELECT value FROM json_each(?1)) RETURNING id, rev",
            params![json!(chats).to_string(), by, clock::now()],
        )
        .await?;
    Ok(rows
        .into_iter()
        .map(|mut row| (row.text(0), row.int(1)))
        .collect())
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
        id: id::new_id(),
        created_at: clock::now(),
        status: "complete".to_owned(),
        ..message.clone()
    });
    let mut added: Vec<Message> = added.collect();
    let new = added.iter().zip(chats);
    let new: Vec<_> = new
        .map(|(added, (chat, rev))| json!([added.id, chat, rev, added.created_at]))
        .collect();
    let rows = tx
        .query(
            "WITH new (id, chat_id, rev, created_at) AS (
                 SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each(?1)
             )
             INSERT INTO chat_conversation
                 (id, chat_id, role, type, content, parent_id, position, created_at, status, model, rev,
                  selected)
             SELECT new.id, chat.id, ?2, ?3, ?4, chat.head_id,
                 coalesce((SELECT max(position) FROM chat_conversation WHERE chat_id = chat.id), 0) + 1,
                 new.created_at, 'complete', ?5, new.rev, new.rev
             FROM new JOIN chat ON chat.id = new.chat_id
             WHERE true
             RETURNING id, parent_id",
            params![
                json!(new).to_string(),
                message.role.as_str(),
                message.kind.as_str(),
                message.content.as_str(),
                message.model.as_deref()
            ],
        )
        .await?;
    let parents = rows
        .into_iter()
        .map(|mut row| (row.text(0), row.opt_text(1)));
    let mut parents: HashMap<String, Option<String>> = parents.collect();
    for added in &mut added {
        added.parent_id = parents.remove(&added.id).flatten();
    }
    Ok(added)
}
