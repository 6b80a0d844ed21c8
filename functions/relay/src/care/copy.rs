//! `POST /chat/{chat_id}/copy`: a chat of the branch that ends at a message, with the files and their versions.
//!
//! What is copied is written in parts, oldest first: where the server stops in between, there is a chat with a part of the
//! branch. What fails otherwise leaves no chat. Whether there is room is asked before anything is made, and again by each part,
//! since several copies may be made at a time.

use std::collections::HashMap;

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::{Access, Caller};
use kafka_common::api::MAX_NAME_CHARS;
use kafka_common::api::id::MessageId;
use kafka_common::api::relay::{CopiedChat, MAX_COPIED};
use kafka_common::db::{Db, Transaction};
use kafka_common::error::{FieldError, Result};
use kafka_common::id::new_id;
use kafka_common::json::JsonBody;
use kafka_common::limits::Limit;
use kafka_common::removal::{self, FILE, PART};
use kafka_common::room::Thing;
use kafka_common::{clock, feed, files, owner, params};
use serde::Deserialize;
use serde_json::json;

use super::respond;
use crate::refused::Refused;

const FIELDS: &[&str] = &["message_id", "name", "user_id"];

/// How much text of versions is copied at once, in bytes.
const BYTES: i64 = 8_000_000;

/// The body.
#[derive(Deserialize)]
struct Asked {
    message_id: MessageId,
    name: Option<String>,
}

/// What is to be copied, and what its owner has.
#[derive(Deserialize)]
struct Found {
    name: String,
    user_id: String,
    num_files: i64,
    num_messages: usize,
    bytes: i64,
    is_running: bool,
    stored_bytes: i64,
    owned_chats: i64,
    owned_files: i64,
}

#[derive(Deserialize)]
struct Message {
    id: MessageId,
    amount: i64,
    /// A list in JSON.
    file_ids: Option<String>,
}

/// A row of a list that is copied.
#[derive(Deserialize)]
struct Placed {
    place: i64,
    id: String,
}

/// Makes the chat.
pub async fn copy(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    let body = JsonBody::read(request, FIELDS).await?;
    let asked: Asked = body.get()?;
    if let Some(name) = asked
        .name
        .as_ref()
        .filter(|name| name.chars().count() > MAX_NAME_CHARS)
    {
        let shown: String = name.chars().take(MAX_NAME_CHARS).collect();
        return Err(FieldError::too_long("name", MAX_NAME_CHARS, shown.into()).into());
    }
    let caller = super::caller(&access, &body)?;
    caller.count(Limit::Create).await?;
    let mut db = Db::open().await?;
    let outcome = copy_all(&mut db, &chat, &caller, asked).await;
    respond(&mut db, &caller, outcome).await
}

async fn copy_all(
    db: &mut Db,
    chat: &str,
    caller: &Caller,
    asked: Asked,
) -> Result<CopiedChat, Refused> {
    let limits = params![chat, caller.user_id(), &asked.message_id, MAX_COPIED as i64];
    let found: Option<Found> = db.query_one_as(include_str!("copied.sql"), limits).await?;
    let found = found.ok_or_else(Refused::chat_not_found)?;
    match found.num_messages {
        0 => return Err(Refused::not_found("Message not found.")),
        1..=MAX_COPIED => {}
        _ => {
            let error = format!("A branch of more than {MAX_COPIED} messages can't be copied.");
            return Err(Refused::too_large(error));
        }
    }
    if found.is_running {
        return Err(Refused::busy());
    }
    caller.check_bytes(
        found.stored_bytes,
        usize::try_from(found.bytes).unwrap_or(0),
    )?;
    caller.check_another(Thing::Chats, found.owned_chats)?;
    if found.num_files > 0 {
        caller.check_another(Thing::Files, found.owned_files + found.num_files - 1)?;
    }
    let name = asked
        .name
        .filter(|name| !name.is_empty())
        .unwrap_or(found.name);
    let new = new_id();
    let most = caller.most(Thing::Chats);
    let made = params![new.as_str(), name.as_str(), clock::now(), chat, most];
    if db
        .query_one(include_str!("copy_chat.sql"), made)
        .await?
        .is_none()
    {
        let missing = kafka_common::error::Error::chat_not_found();
        return Err(owner::why_no_other(db, caller, Thing::Chats, missing)
            .await
            .into());
    }
    let filled = async {
        let settings = params![new.as_str(), chat];
        db.execute(include_str!("copy_settings.sql"), settings)
            .await?;
        // First the files, which messages name.
        let files = copy_files(db, chat, &new, &found.user_id, caller).await?;
        copy_messages(db, &new, &asked.message_id, &files, caller).await
    };
    let filled: Result<MessageId, Refused> = filled.await;
    if filled.is_err() {
        // What is left of it can be deleted like any other chat.
        let _ = removal::delete_chat(db, &new, caller).await;
        feed::tell_gone([], [new.as_str()]).await;
    }
    Ok(CopiedChat {
        message_id: filled?,
        chat_id: new.into(),
        name,
    })
}

/// Copies the messages of the branch; the id of the last one's copy.
async fn copy_messages(
    db: &mut Db,
    new: &str,
    last: &MessageId,
    files: &HashMap<String, String>,
    caller: &Caller,
) -> Result<MessageId, Refused> {
    let asked = params![last, MAX_COPIED as i64];
    let branch: Vec<Message> = db
        .query_as(include_str!("copied_messages.sql"), asked)
        .await?;
    let mut parent: Option<MessageId> = None;
    let (mut part, mut amount) = (Vec::new(), 0);
    let count = branch.len();
    for (number, message) in branch.into_iter().enumerate() {
        let copy = MessageId::from(new_id());
        let file_ids = message.file_ids.map(|ids| copied_files(&ids, files));
        part.push(json!([
            message.id,
            copy,
            parent,
            number + 1,
            new_id(),
            file_ids
        ]));
        parent = Some(copy);
        amount += message.amount;
        if amount >= PART / 2 || number + 1 == count {
            let list = json!(std::mem::take(&mut part)).to_string();
            amount = 0;
            let mut tx = db.begin().await?;
            for sql in [
                include_str!("copy_messages.sql"),
                include_str!("copy_replies.sql"),
                include_str!("copy_reasoning.sql"),
            ] {
                tx.execute(sql, params![new, list.as_str()]).await?;
            }
            commit(tx, caller).await?;
            feed::tell([new]).await;
        }
    }
    // It was deleted meanwhile.
    parent.ok_or_else(|| Refused::not_found("Message not found."))
}

/// The ids of copies of files, as a list in JSON, like those of the files.
fn copied_files(ids: &str, files: &HashMap<String, String>) -> String {
    let ids: Vec<String> = serde_json::from_str(ids).unwrap_or_default();
    let copies: Vec<&String> = ids.iter().filter_map(|id| files.get(id)).collect();
    json!(copies).to_string()
}

/// Copies the files of the chat with their versions. Returns the id of each file's copy.
async fn copy_files(
    db: &mut Db,
    chat: &str,
    new: &str,
    user: &str,
    caller: &Caller,
) -> Result<HashMap<String, String>, Refused> {
    let mut all = HashMap::new();
    let mut place = 0;
    loop {
        let asked = params![chat, place, PART / FILE];
        let files: Vec<Placed> = db.query_as(include_str!("copied_files.sql"), asked).await?;
        let Some(last) = files.last() else {
            return Ok(all);
        };
        place = last.place;
        let copies: Vec<(String, String)> =
            files.into_iter().map(|file| (file.id, new_id())).collect();
        let list = json!(copies).to_string();
        let mut tx = db.begin().await?;
        tx.execute(include_str!("copy_files.sql"), params![new, list])
            .await?;
        commit(tx, caller).await?;
        for (file, copy) in &copies {
            copy_versions(db, file, copy, user, caller).await?;
        }
        all.extend(copies);
    }
}

async fn copy_versions(
    db: &mut Db,
    file: &str,
    copy: &str,
    user: &str,
    caller: &Caller,
) -> Result<(), Refused> {
    let mut place = 0;
    loop {
        let asked = params![file, place, PART / FILE, BYTES];
        let versions: Vec<Placed> = db
            .query_as(include_str!("copied_versions.sql"), asked)
            .await?;
        let Some(last) = versions.last() else {
            return Ok(());
        };
        place = last.place;
        let copies: Vec<(String, String)> = versions
            .into_iter()
            .map(|version| (version.id, new_id()))
            .collect();
        let list = json!(copies).to_string();
        let mut tx = db.begin().await?;
        tx.execute(include_str!("copy_versions.sql"), params![copy, list, user])
            .await?;
        commit(tx, caller).await?;
    }
}

/// Commits a part, if the caller has room for it.
async fn commit(mut tx: Transaction<'_>, caller: &Caller) -> Result<(), Refused> {
    files::check_room_for_files(&mut tx, caller).await?;
    Ok(tx.commit().await?)
}
