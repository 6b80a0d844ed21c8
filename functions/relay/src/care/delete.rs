//! `DELETE /chat/{chat_id}/messages/{message_id}`: a message with all that follow it.
//!
//! Many go in parts, the newest first, so that each goes before the one it follows: after each part the conversation is a
//! smaller one, in which the way down ends at the head.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::{Access, Caller};
use kafka_common::api::events::Event;
use kafka_common::api::id::MessageId;
use kafka_common::api::relay::DeletedMessages;
use kafka_common::db::Db;
use kafka_common::error::Result;
use kafka_common::query::Query;
use kafka_common::removal::PART;
use kafka_common::reply::{audience, ending};
use kafka_common::{clock, params};
use serde::Deserialize;
use serde_json::json;

use super::respond;
use crate::refused::Refused;
use crate::running::Look;
use crate::snapshot;

/// What there is in the chat.
#[derive(Deserialize)]
struct Found {
    head_id: Option<MessageId>,
    message_id: Option<MessageId>,
    parent_id: Option<MessageId>,
    num_messages: i64,
    /// Whether there is more to be deleted than was read.
    has_more: bool,
}

/// What a part left.
struct Left {
    num_deleted: usize,
    head_id: Option<MessageId>,
    rev: i64,
    is_done: bool,
}

/// Deletes the messages, and tells the clients.
pub async fn delete(
    access: Access,
    Path((chat, message)): Path<(String, MessageId)>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let outcome = delete_all(&mut db, &chat, &caller, &message).await;
    respond(&mut db, &caller, outcome).await
}

async fn delete_all(
    db: &mut Db,
    chat: &str,
    caller: &Caller,
    message: &MessageId,
) -> Result<DeletedMessages, Refused> {
    let mut deleted = DeletedMessages {
        num_deleted: 0,
        head_id: None,
        rev: 0,
    };
    loop {
        let asked = params![chat, caller.user_id(), message, PART];
        let part: Vec<MessageId> = db.query_as(include_str!("subtree.sql"), asked).await?;
        let Some(left) = delete_part(db, chat, caller, message, &part).await? else {
            match deleted.num_deleted {
                0 => return Err(Refused::not_found("Message not found.")),
                // Another request has deleted the rest.
                _ => return Ok(deleted),
            }
        };
        deleted.num_deleted += left.num_deleted;
        if left.num_deleted > 0 {
            (deleted.head_id, deleted.rev) = (left.head_id, left.rev);
        }
        if left.is_done {
            return Ok(deleted);
        }
    }
}

/// Deletes a part, unless something follows it that was not there when it was read. `None`: there is no such message.
async fn delete_part(
    db: &mut Db,
    chat: &str,
    caller: &Caller,
    message: &MessageId,
    part: &[MessageId],
) -> Result<Option<Left>, Refused> {
    let list = json!(part).to_string();
    let asked = || params![chat, caller.user_id(), message, list.as_str()];
    let mut look: Look<'_, Found> = Look::at(db, include_str!("find.sql"), asked).await?;
    let interrupted = look.end_silent(chat).await?;
    let Look { mut tx, found, .. } = look;
    if found.message_id.is_none() {
        return Ok(None);
    }
    if found.has_more || part.is_empty() {
        return Ok(Some(Left {
            num_deleted: 0,
            head_id: None,
            rev: 0,
            is_done: false,
        }));
    }
    let deleted = params![chat, list.as_str()];
    let bytes: Vec<i64> = tx.query_as(include_str!("delete.sql"), deleted).await?;
    let is_done = part.contains(message);
    if is_done {
        let noted = params![chat, message, caller.address()];
        tx.execute(include_str!("note.sql"), noted).await?;
    }
    let mut head_id = found.head_id;
    if head_id.as_ref().is_some_and(|head| part.contains(head)) {
        let from = if is_done {
            found.parent_id.as_ref()
        } else {
            Some(message)
        };
        head_id = tx
            .query_one_as(include_str!("end.sql"), params![chat, from])
            .await?;
    }
    let left = params![
        chat,
        bytes.iter().sum::<i64>(),
        found.num_messages - bytes.len() as i64,
        head_id.as_ref(),
        clock::now()
    ];
    let rev: Option<i64> = tx.query_one_as(include_str!("left.sql"), left).await?;
    let rev = rev.ok_or_else(Refused::chat_not_found)?;
    let snapshot = snapshot::branch(&mut tx, chat).await?;
    tx.commit().await?;
    if let Some(interrupted) = interrupted {
        ending::tell(chat, interrupted).await;
    }
    if let Some(snapshot) = snapshot {
        let event = Event::MessagesDeleted {
            rev,
            message_ids: part.to_vec(),
            head_id: head_id.clone(),
            messages: snapshot.messages,
            has_more: snapshot.has_more,
        };
        audience::tell(chat, &[event], Vec::new()).await;
    }
    Ok(Some(Left {
        num_deleted: bytes.len(),
        head_id,
        rev,
        is_done,
    }))
}
