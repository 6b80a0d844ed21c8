//! A chat that is large, and a file of a chat that has many versions.

use serde::Deserialize;

use super::{FILE, PART};
use crate::api::id::ChatId;
use crate::caller::Caller;
use crate::db::{Db, Result, Transaction};
use crate::params;

const DELETE: &str = include_str!("delete_chat.sql");
const NEWEST: &str = include_str!("newest.sql");

/// Deletes a chat of the caller's (in open mode: of any caller who knows the id), in parts if it is large. False: there is none.
///
/// For readers, a large one ends with the first part: nothing is on its active branch any more. While it is
/// there, it can be deleted again.
pub async fn delete_chat(db: &mut Db, chat: &str, caller: &Caller) -> Result<bool> {
    let mut began = false;
    loop {
        let asked = params![chat, caller.user_id(), PART, caller.address()];
        let deleted: Option<ChatId> = db.query_one_as(DELETE, asked).await?;
        if deleted.is_some() {
            return Ok(true);
        }
        let there = "SELECT id FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)";
        let there: Option<ChatId> = db
            .query_one_as(there, params![chat, caller.user_id()])
            .await?;
        if there.is_none() {
            // Another request may have deleted the rest of it.
            return Ok(began);
        }
        let mut tx = db.begin().await?;
        thin_chat(&mut tx, chat).await?;
        tx.commit().await?;
        began = true;
    }
}

/// The newest messages of a chat.
#[derive(Deserialize)]
struct Newest {
    position: i64,
    bytes: i64,
}

/// Deletes a part of what is in a chat: messages first, newest first, so that each goes before the one it follows; then
/// versions, then files, and at last the chat itself.
pub async fn thin_chat(tx: &mut Transaction<'_>, chat: &str) -> Result<()> {
    let newest = tx.query_one_as(NEWEST, params![chat, PART]).await?;
    if let Some(Some(Newest { position, bytes })) = newest {
        // What was said before the sums were kept is in none.
        tx.execute(
            "UPDATE chat SET head_id = NULL, rev = rev + 1, message_bytes = max(0, message_bytes - ?2) WHERE id = ?1",
            params![chat, bytes],
        )
        .await?;
        let delete = "DELETE FROM chat_conversation WHERE chat_id = ?1 AND position >= ?2";
        return tx.execute(delete, params![chat, position]).await;
    }
    for delete in [DELETE_VERSIONS, DELETE_FILES] {
        let deleted = tx.query(delete, params![chat, PART / FILE]).await?;
        if !deleted.is_empty() {
            return Ok(());
        }
    }
    let delete = "DELETE FROM chat WHERE id = ?1";
    tx.execute(delete, params![chat]).await
}

const DELETE_VERSIONS: &str = include_str!("delete_versions.sql");

/// They have no versions any more.
const DELETE_FILES: &str = "DELETE FROM chat_file
    WHERE rowid IN (SELECT rowid FROM chat_file WHERE chat_id = ?1 LIMIT ?2) RETURNING 1";

/// Deletes the oldest versions of a chat's file, if there are so many that it can't go at once. Whether it has: then the
/// transaction is to be committed, and the next one goes on.
pub async fn thin_file(tx: &mut Transaction<'_>, chat_file: &str) -> Result<bool> {
    let thinned = params![chat_file, PART / FILE];
    let rows = tx.query(include_str!("thin_file.sql"), thinned).await?;
    Ok(!rows.is_empty())
}
