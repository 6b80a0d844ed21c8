//! What a client receives first, and what it receives after it missed events.

use kafka_common::api::chat::RunningGeneration;
use kafka_common::api::events::{
    ChatMessage, ChatState, Event, EventV1, Initial, InitialV1, MessageV1, Sync, SyncedChat,
};
use kafka_common::api::words::{MessageKind, Role, Status};
use kafka_common::attachments;
use kafka_common::db::{Db, Result};
use kafka_common::links::{Called, Links};
use serde::Serialize;

use crate::refused::Refused;
use crate::shown::{Protocol, Shown};
use crate::size::{Budget, CONVERSATION};
use crate::snapshot::{Snapshot, cut};

/// v1's first frame.
pub async fn v1(chat: &str, mut snapshot: Snapshot, links: Links) -> Result<EventV1, Refused> {
    let mut messages = std::mem::take(&mut snapshot.messages);
    // A reply that is being written comes when it is whole.
    messages.retain(|message| message.status != Status::Running);
    leave_out_composed(&mut messages);
    let conversation = messages.into_iter().map(MessageV1::from).collect();
    let mut frame = InitialV1 {
        chat: state(chat, &snapshot, conversation),
        chat_files_text: Vec::new(),
    };
    if let Some(mut shown) = files(chat, &snapshot, Protocol::V1, links, &frame).await? {
        frame.chat_files_text = shown.take_texts();
        (frame.chat.chat_files_based, frame.chat.chat_files) = shown.into_lists();
    }
    Ok(EventV1::Initial(Box::new(frame)))
}

/// Leaves out the texts of replies that made or changed files: v1 has the messages about those instead, as its clients
/// received them.
fn leave_out_composed(messages: &mut Vec<ChatMessage>) {
    // Going back, whether the next text of a model is one of a reply with files.
    let mut composed = false;
    let mut kept = Vec::with_capacity(messages.len());
    for message in std::mem::take(messages).into_iter().rev() {
        if message.role == Role::Assistant {
            match message.kind {
                // The message about a version that was restored names no model.
                MessageKind::File => composed |= message.model.is_some(),
                MessageKind::Text if std::mem::take(&mut composed) => continue,
                MessageKind::Text => {}
            }
        }
        kept.push(message);
    }
    kept.reverse();
    *messages = kept;
}

/// v2's first frame.
pub async fn v2(chat: &str, mut snapshot: Snapshot, links: Links) -> Result<Event, Refused> {
    let messages = std::mem::take(&mut snapshot.messages);
    let mut frame = Event::Initial(Box::new(Initial {
        protocol: 2,
        rev: snapshot.rev,
        chat: state(chat, &snapshot, messages),
        head_id: snapshot.head_id.clone(),
        // Its text is in the conversation.
        generation: snapshot.running.take().map(|running| RunningGeneration {
            id: running.generation.id,
            message_id: running.generation.message_id,
            model: running.generation.model.unwrap_or_default(),
            seq: running.generation.seq.unsigned_abs(),
        }),
        has_more: snapshot.has_more,
        truncated: false,
    }));
    if let Some(shown) = files(chat, &snapshot, Protocol::V2, links, &frame).await?
        && let Event::Initial(frame) = &mut frame
    {
        frame.truncated = shown.has_more;
        (frame.chat.chat_files_based, frame.chat.chat_files) = shown.into_lists();
    }
    Ok(frame)
}

/// v2's answer to `sync`: what is newer than `since`, or with `has_more` the first of it, up to the `rev` that it names.
/// Files that are not in `file_ids` are gone.
pub async fn sync(
    chat: &str,
    mut snapshot: Snapshot,
    since: i64,
    called: &Called,
) -> Result<Sync, Refused> {
    let mut budget = Budget::new(CONVERSATION);
    let mut generation = snapshot.running.map(|running| running.generation);
    if let Some(whole) = &mut generation
        && !budget.take(whole)
    {
        whole.truncated = true;
        whole.reasoning = None;
        if !budget.take(whole) {
            whole.content = None;
        }
    }
    let running = generation.as_ref().map(|whole| &whole.message_id);
    for message in &mut snapshot.messages {
        // The running reply's text is in `generation`.
        if Some(&message.id) == running {
            message.content = Some(String::new());
            message.reasoning = None;
        } else if !budget.take(message) {
            cut(message);
        }
    }
    let mut frame = Sync::new(snapshot.rev, generation);
    frame.messages = snapshot.messages;
    frame.chat = Some(SyncedChat {
        head_id: snapshot.head_id,
        file_ids: snapshot.file_ids,
        chat_name: snapshot.name,
        has_more: snapshot.has_more && !snapshot.has_forgotten,
        has_forgotten: snapshot.has_forgotten,
    });
    if !snapshot.has_files {
        return Ok(frame);
    }
    let mut db = Db::open().await?;
    let mut files = attachments::list(&mut db, chat, Some(since)).await?;
    if snapshot.has_more && !snapshot.has_forgotten {
        // The others come with the messages that are as new.
        files.retain(|file| file.rev <= snapshot.rev);
    }
    let mut shown = Shown::changed(files, Links::of(called).await?, Budget::after(&frame));
    shown.fill(&mut db).await?;
    let reached = shown.reached().filter(|_| shown.has_more);
    if let Some(reached) = reached.filter(|reached| *reached < snapshot.rev) {
        frame.rev = reached;
        frame.chat = frame.chat.map(|chat| SyncedChat {
            has_more: true,
            ..chat
        });
    }
    frame.files = shown.into_lists().1;
    Ok(frame)
}

/// What both first frames say, still without files.
fn state<M>(chat: &str, snapshot: &Snapshot, conversation: Vec<M>) -> ChatState<M> {
    ChatState {
        chat_id: chat.into(),
        chat_name: snapshot.name.clone(),
        conversation,
        chat_files_based: Vec::new(),
        chat_files: Vec::new(),
        workspace_id: snapshot.workspace_id.clone(),
        models: snapshot.models.clone(),
        initial: true,
    }
}

/// The chat's files for a first frame, which has all else.
async fn files(
    chat: &str,
    snapshot: &Snapshot,
    protocol: Protocol,
    links: Links,
    frame: &impl Serialize,
) -> Result<Option<Shown>> {
    if !snapshot.has_files {
        return Ok(None);
    }
    let mut db = Db::open().await?;
    let files = attachments::list(&mut db, chat, None).await?;
    let mut shown = Shown::first(protocol, files, links, Budget::after(frame));
    shown.fill(&mut db).await?;
    Ok(Some(shown))
}
