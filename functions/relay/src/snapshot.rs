//! A chat at one moment: what a client receives first, and what it receives after it missed events.

use kafka_common::api::events::{ChatMessage, Generation};
use kafka_common::api::id::{FileId, MessageId, WorkspaceId};
use kafka_common::api::relay;
use kafka_common::db::{self, Db, Transaction};
use kafka_common::params;
use kafka_common::reply::ending;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::refused::Refused;
use crate::size::{self, Budget};

const SNAPSHOT: &str = include_str!("snapshot.sql");

/// How many messages a client receives at once.
const MESSAGES: i64 = 200;

/// How many files may be in a chat for a client to receive the ids of all of them.
const FILE_IDS: i64 = 2500;

/// A chat and some of its messages.
#[derive(Debug)]
pub struct Snapshot {
    pub name: String,
    pub workspace_id: WorkspaceId,
    /// The message that the active branch ends with.
    pub head_id: Option<MessageId>,
    /// That of the chat; or, if there is more after a rev than fits, what is reached with these messages.
    pub rev: i64,
    /// The names of the owner's models.
    pub models: Vec<String>,
    pub running: Option<SnapshotReply>,
    /// Oldest first.
    pub messages: Vec<ChatMessage>,
    /// Whether there are messages before these, or after them if those after a rev were asked for.
    pub has_more: bool,
    /// After a rev: whether messages were deleted since, so that these are the end of the active branch, and all other
    /// messages that a client knows may be gone.
    pub has_forgotten: bool,
    /// Whether it has files, or any that changed after the rev.
    pub has_files: bool,
    /// After a rev, the ids of all of its files in their order; `None`: they are more than fit.
    pub file_ids: Option<Vec<FileId>>,
}

/// The reply that is being written.
#[derive(Debug, Deserialize)]
pub struct SnapshotReply {
    /// With the text so far.
    pub generation: Generation,
    heartbeat: i64,
}

/// A row: the chat, which is the first, or a message.
#[derive(Deserialize)]
struct Row {
    chat: Option<Chat>,
    message: Option<relay::Message>,
    /// The message's.
    rev: Option<i64>,
}

#[derive(Deserialize)]
struct Chat {
    name: String,
    workspace_id: WorkspaceId,
    head_id: Option<MessageId>,
    rev: i64,
    /// A list in JSON.
    models: String,
    num_messages: usize,
    has_forgotten: bool,
    has_files: bool,
    /// A list in JSON.
    file_ids: Option<String>,
    running: Option<SnapshotReply>,
}

/// The chat with the end of its active branch (`since` is `None`), or with what is newer than a rev.
/// A reply whose writer is gone is marked first. `None`: no such chat of the caller's.
pub async fn load(
    chat: &str,
    caller: Option<&str>,
    since: Option<i64>,
) -> Result<Option<Snapshot>, Refused> {
    let mut db = Db::open().await?;
    let snapshot = read(&mut db, chat, caller, since).await?;
    let running = snapshot
        .as_ref()
        .and_then(|snapshot| snapshot.running.as_ref());
    if !running.is_some_and(|running| ending::is_silent(running.heartbeat)) {
        return Ok(snapshot);
    }
    ending::interrupt_abandoned(&mut db, chat).await?;
    Ok(read(&mut db, chat, caller, since).await?)
}

/// The end of the active branch as a transaction leaves it.
pub async fn branch(tx: &mut Transaction<'_>, chat: &str) -> db::Result<Option<Snapshot>> {
    let rows = tx.query_as(SNAPSHOT, parameters(chat, None, None)).await?;
    from_rows(rows, None)
}

async fn read(
    db: &mut Db,
    chat: &str,
    caller: Option<&str>,
    since: Option<i64>,
) -> db::Result<Option<Snapshot>> {
    let asked = parameters(chat, caller, since);
    from_rows(db.query_as(SNAPSHOT, asked).await?, since)
}

fn parameters(chat: &str, caller: Option<&str>, since: Option<i64>) -> Vec<db::Value> {
    params![
        chat,
        caller,
        since,
        MESSAGES,
        size::CONVERSATION as i64,
        FILE_IDS
    ]
}

fn from_rows(rows: Vec<Row>, since: Option<i64>) -> db::Result<Option<Snapshot>> {
    let mut rows = rows.into_iter();
    let Some(chat) = rows.next().and_then(|row| row.chat) else {
        return Ok(None);
    };
    let since = since.filter(|_| !chat.has_forgotten);
    let mut reached = 0;
    let messages = rows.filter_map(|row| {
        reached = row.rev.unwrap_or(0).max(reached);
        row.message.map(ChatMessage::from)
    });
    let mut messages: Vec<ChatMessage> = messages.collect();
    let mut has_more = chat.num_messages > messages.len();
    if since.is_none() {
        has_more |= cut_to_frame(&mut messages);
    }
    let file_ids = chat.file_ids.as_deref().map(list).transpose()?;
    Ok(Some(Snapshot {
        running: chat.running,
        name: chat.name,
        workspace_id: chat.workspace_id,
        head_id: chat.head_id,
        models: list(&chat.models)?,
        rev: match since {
            Some(_) if has_more => reached,
            _ => chat.rev,
        },
        messages,
        has_more,
        has_forgotten: chat.has_forgotten,
        has_files: chat.has_files,
        file_ids,
    }))
}

/// A list that SQL has made.
fn list<T: DeserializeOwned>(json: &str) -> db::Result<Vec<T>> {
    serde_json::from_str(json).map_err(|error| db::Error::Other(error.to_string()))
}

/// Leaves a message's text out.
pub fn cut(message: &mut ChatMessage) {
    message.content = None;
    message.reasoning = None;
    message.truncated = true;
}

/// Takes away the oldest messages for which a frame has no room; the newest stays, if need be without its text. Returns
/// whether any was taken away.
fn cut_to_frame(messages: &mut Vec<ChatMessage>) -> bool {
    let mut budget = Budget::new(size::CONVERSATION);
    let newest = messages.len().saturating_sub(1);
    let first_out = messages.iter().rposition(|message| !budget.take(message));
    match first_out {
        Some(at) if at == newest => {
            messages.drain(..newest);
            for message in messages {
                // Its text is worth more than what was thought before.
                message.reasoning = None;
                if !Budget::new(size::CONVERSATION).take(message) {
                    cut(message);
                }
            }
            newest > 0
        }
        Some(at) => {
            messages.drain(..=at);
            true
        }
        None => false,
    }
}
