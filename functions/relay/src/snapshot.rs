//! A chat at one moment: what a window gets first, and what it gets when it missed something.

use kafka_common::db::{self, Db, Row, Transaction};
use kafka_common::message::Message;
use kafka_common::object;
use kafka_common::{params, sql_file};
use serde_json::{Value, json};

use crate::refused::Refused;
use crate::size::{self, Budget};
use kafka_common::reply::ending;

const SNAPSHOT: &str = sql_file!("snapshot.sql");

/// How many messages a window gets at once.
const MESSAGES: i64 = 200;

/// How many files may be in a chat for a window to get the ids of all of them.
const FILE_IDS: i64 = 2500;

/// A chat and some of its messages.
#[derive(Debug)]
pub struct Snapshot {
    pub name: String,
    pub workspace_id: String,
    /// The message that the active branch ends with.
    pub head_id: Option<String>,
    /// That of the chat; or, if there is more after a rev than fits, what is reached with these messages.
    pub rev: i64,
    /// The names of the owner's models.
    pub models: Value,
    pub running: Option<Running>,
    /// Oldest first.
    pub messages: Vec<Message>,
    /// Whether there are messages before these, or after them if those after a rev were asked for.
    pub has_more: bool,
    /// Whether it has files, or any that changed after the rev.
    pub has_files: bool,
    /// After a rev, the ids of all of its files in their order; null: they are more than fit.
    pub file_ids: Value,
}

/// The reply that is being written.
#[derive(Debug)]
pub struct Running {
    pub id: String,
    pub message_id: String,
    pub model: String,
    pub seq: i64,
    /// The text so far.
    pub content: String,
    heartbeat: i64,
}

impl Running {
    /// As `initial` names it: its text is in the conversation.
    pub fn named(&self) -> Value {
        object!({ "id": self.id, "message_id": self.message_id, "model": self.model, "seq": self.seq })
    }

    /// As `sync` shows it, whole.
    pub fn whole(&self) -> Value {
        object!({
            "id": self.id, "message_id": self.message_id, "seq": self.seq, "content": self.content,
            "status": "running", "model": self.model,
        })
    }
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

/// The end of the active branch as a transaction leaves it, for [`of_branch`] after the commit.
pub async fn branch(tx: &mut Transaction<'_>, chat: &str) -> db::Result<Vec<Row>> {
    tx.query(SNAPSHOT, parameters(chat, None, None)).await
}

/// What there is to tell of it.
pub fn of_branch(rows: Vec<Row>) -> Option<Snapshot> {
    from_rows(rows, None)
}

async fn read(
    db: &mut Db,
    chat: &str,
    caller: Option<&str>,
    since: Option<i64>,
) -> db::Result<Option<Snapshot>> {
    let rows = db.query(SNAPSHOT, parameters(chat, caller, since)).await?;
    Ok(from_rows(rows, since))
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

fn from_rows(rows: Vec<Row>, since: Option<i64>) -> Option<Snapshot> {
    let mut rows = rows.into_iter();
    let mut head = rows.next()?;
    let mut reached = 0;
    let messages = rows.map(|mut row| {
        reached = row.int(9).max(reached);
        Message::from_row(&mut row, 1)
    });
    let mut messages: Vec<Message> = messages.collect();
    let mut has_more = head.int(12) > messages.len() as i64;
    let running = running(&mut head);
    if since.is_none() {
        has_more |= cut_to_frame(&mut messages);
    }
    let rev = match since {
        Some(_) if has_more => reached,
        _ => head.int(10),
    };
    let file_ids = head.opt_text(14);
    Some(Snapshot {
        running,
        name: head.text(1),
        workspace_id: head.text(2),
        head_id: head.opt_text(3),
        models: serde_json::from_str(&head.text(4)).unwrap_or_else(|_| json!([])),
        rev,
        messages,
        has_more,
        has_files: head.int(13) != 0,
        file_ids: file_ids
            .and_then(|ids| serde_json::from_str(&ids).ok())
            .unwrap_or_default(),
    })
}

fn running(head: &mut Row) -> Option<Running> {
    Some(Running {
        id: head.opt_text(5)?,
        message_id: head.text(6),
        model: head.text(7),
        content: head.text(8),
        seq: head.int(9),
        heartbeat: head.int(11),
    })
}

/// Takes away the oldest messages for which a frame has no room; the newest stays, if need be without its text. Returns
/// whether any was taken away.
fn cut_to_frame(messages: &mut Vec<Message>) -> bool {
    let mut budget = Budget::new(size::CONVERSATION);
    let newest = messages.len().saturating_sub(1);
    let cut = messages
        .iter()
        .rposition(|message| !budget.take(&message.v2()));
    match cut {
        Some(at) if at == newest => {
            messages.drain(..newest);
            messages.iter_mut().for_each(Message::cut);
            newest > 0
        }
        Some(at) => {
            messages.drain(..=at);
            true
        }
        None => false,
    }
}
