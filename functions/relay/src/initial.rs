//! What a window gets first, and what it gets when it missed something.

use kafka_common::db::{Db, Result};
use kafka_common::object;
use serde_json::{Value, json};

use crate::refused::Refused;
use crate::shown::{List, Protocol, Shown};
use crate::size::{Budget, CONVERSATION};
use crate::snapshot::Snapshot;
use kafka_common::attachments;

/// v1's first frame.
pub async fn v1(chat: &str, snapshot: &Snapshot) -> Result<Value, Refused> {
    // A reply that is being written comes when it is whole.
    let whole = snapshot
        .messages
        .iter()
        .filter(|message| message.status != "running");
    let messages = whole.map(|message| message.v1());
    let mut frame = payload(chat, snapshot, messages.collect());
    show_files(&mut frame, chat, snapshot, Protocol::V1).await?;
    Ok(frame)
}

/// v2's first frame.
pub async fn v2(chat: &str, snapshot: &Snapshot) -> Result<Value, Refused> {
    let messages = snapshot.messages.iter().map(|message| message.v2());
    let mut frame = object!({ "action": "initial", "protocol": 2, "rev": snapshot.rev });
    let running = snapshot.running.as_ref().map(|running| running.named());
    extend(&mut frame, payload(chat, snapshot, messages.collect()));
    extend(
        &mut frame,
        object!({ "head_id": snapshot.head_id, "generation": running, "has_more": snapshot.has_more }),
    );
    show_files(&mut frame, chat, snapshot, Protocol::V2).await?;
    Ok(frame)
}

/// v2's answer to `sync`: what is newer than `since`, or with `has_more` the first of it, up to the `rev` that it names.
/// Files that are not in `file_ids` are gone.
pub async fn sync(chat: &str, mut snapshot: Snapshot, since: i64) -> Result<Value, Refused> {
    let mut budget = Budget::new(CONVERSATION);
    let generation = snapshot.running.as_ref().map(|running| {
        let mut whole = running.whole();
        if !budget.take(&whole) {
            whole["content"] = Value::Null;
            whole["truncated"] = true.into();
        }
        whole
    });
    let running = snapshot.running.as_ref().map(|running| &running.message_id);
    for message in &mut snapshot.messages {
        // The running reply's text is in `generation`.
        if Some(&message.id) == running {
            message.content = String::new();
        } else if !budget.take(&message.v2()) {
            message.cut();
        }
    }
    let messages = snapshot.messages.iter().map(|message| message.v2());
    let messages: Vec<Value> = messages.collect();
    let mut frame = object!({
        "action": "sync", "rev": snapshot.rev, "head_id": snapshot.head_id, "messages": messages, "files": json!([]),
        "generation": generation, "file_ids": snapshot.file_ids, "chat_name": snapshot.name,
        "has_more": snapshot.has_more,
    });
    if !snapshot.has_files {
        return Ok(frame);
    }
    let mut db = Db::open().await?;
    let mut files = attachments::list(&mut db, chat, Some(since)).await?;
    if snapshot.has_more {
        // The others come with the messages that are as new.
        files.retain(|file| file.rev <= snapshot.rev);
    }
    let mut shown = Shown::changed(files, Budget::after(&frame));
    shown.fill(&mut db).await?;
    frame["files"] = shown.take(List::Changed);
    let reached = shown.reached().filter(|_| shown.has_more);
    if let Some(reached) = reached.filter(|reached| *reached < snapshot.rev) {
        frame["rev"] = reached.into();
        frame["has_more"] = true.into();
    }
    Ok(frame)
}

/// What both first frames say, still without files.
fn payload(chat: &str, snapshot: &Snapshot, conversation: Vec<Value>) -> Value {
    object!({
        "chat_id": chat, "chat_name": snapshot.name, "conversation": conversation, "chat_files_based": json!([]),
        "chat_files": json!([]), "workspace_id": snapshot.workspace_id, "models": snapshot.models, "initial": true,
    })
}

/// Puts the chat's files into a first frame, which has all else.
async fn show_files(
    frame: &mut Value,
    chat: &str,
    snapshot: &Snapshot,
    protocol: Protocol,
) -> Result<()> {
    if !snapshot.has_files {
        return Ok(());
    }
    let mut db = Db::open().await?;
    let files = attachments::list(&mut db, chat, None).await?;
    let mut shown = Shown::first(protocol, files, Budget::after(frame));
    shown.fill(&mut db).await?;
    frame["chat_files_based"] = shown.take(List::Based);
    frame["chat_files"] = shown.take(List::All);
    if shown.has_more && protocol == Protocol::V2 {
        frame["truncated"] = true.into();
    }
    Ok(())
}

fn extend(frame: &mut Value, more: Value) {
    if let (Some(frame), Value::Object(more)) = (frame.as_object_mut(), more) {
        frame.extend(more);
    }
}
