//! How a reply ends: in one transaction, whatever else the ending does.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::audience;
use crate::api::events::GenerationEnded;
use crate::api::relay::Message;
use crate::api::usage::Tokens;
use crate::api::words::Status;
use crate::conversation;
use crate::db::{Db, Error, Result, Transaction};
use crate::{clock, log, params};

const MARK: &str = include_str!("mark.sql");

const CLOSE: &str = include_str!("close.sql");

/// How and why a reply ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ending {
    /// Not `running`.
    pub status: Status,
    /// As the model said it.
    pub finish_reason: Option<String>,
    /// As the model said it, or an estimate.
    pub usage: Option<Value>,
    /// The same in numbers. `None`: its writer does not end it, so they are estimated from its text.
    pub tokens: Option<Tokens>,
    /// What went wrong, for a person.
    pub error: Option<String>,
}

impl Ending {
    /// An ending of which nothing more is known.
    pub fn new(status: Status) -> Self {
        Self {
            status,
            finish_reason: None,
            usage: None,
            tokens: None,
            error: None,
        }
    }

    /// An ending for a reason that a person can read.
    pub fn error(why: impl Into<String>) -> Self {
        Self {
            error: Some(why.into()),
            ..Self::new(Status::Error)
        }
    }

    /// The same where something went wrong at last.
    pub fn failing(self, why: impl Into<String>) -> Self {
        Self {
            finish_reason: self.finish_reason,
            usage: self.usage,
            tokens: self.tokens,
            ..Self::error(why)
        }
    }

    /// The end of a reply with this message, under the given rev of the chat.
    pub fn of(self, reply: &str, mut message: Message, rev: i64) -> GenerationEnded {
        // As the conversation will have it.
        message.finish_reason.clone_from(&self.finish_reason);
        message.usage.clone_from(&self.usage);
        message.error.clone_from(&self.error);
        GenerationEnded {
            rev,
            generation_id: reply.into(),
            message_id: message.id.clone(),
            status: self.status,
            finish_reason: self.finish_reason,
            usage: self.usage,
            error: self.error,
            message: message.into(),
        }
    }

    /// What happened to a reply whose writer is gone.
    fn interrupted() -> Self {
        Self {
            error: Some("The server stopped while this was being written.".to_owned()),
            ..Self::new(Status::Interrupted)
        }
    }
}

/// The text of a reply that has ended, if it has any.
pub fn text(ended: &GenerationEnded) -> Option<String> {
    let text = ended.message.content.as_ref();
    text.filter(|text| !text.is_empty()).cloned()
}

/// Marks the reply as no longer running, and fills in an estimated usage. False: it was not running, and the transaction
/// has nothing to do.
pub async fn mark(tx: &mut Transaction<'_>, reply: &str, ending: &mut Ending) -> Result<bool> {
    #[derive(Deserialize)]
    struct Marked {
        usage: Option<String>,
    }
    let tokens = ending.tokens;
    let count = |of: fn(Tokens) -> u32| tokens.map(of);
    let marked = tx
        .query(
            MARK,
            params![
                reply,
                ending.status.as_str(),
                ending.finish_reason.as_deref(),
                ending.usage.as_ref().map(Value::to_string),
                ending.error.as_deref(),
                count(|tokens| tokens.input),
                count(|tokens| tokens.output),
                count(|tokens| tokens.cached),
                count(|tokens| tokens.reasoning),
                tokens.map(|tokens| i64::from(tokens.is_estimated))
            ],
        )
        .await?;
    let Some(mut row) = marked.into_iter().next() else {
        return Ok(false);
    };
    let Marked { usage } = row.read()?;
    ending.usage = usage.and_then(|usage| serde_json::from_str(&usage).ok());
    Ok(true)
}

/// Gives a reply's message its last status, under the given rev of the chat.
pub async fn close(
    tx: &mut Transaction<'_>,
    reply: &str,
    ending: Ending,
    rev: i64,
) -> Result<GenerationEnded> {
    let message: Option<Message> = tx
        .query_one_as(CLOSE, params![reply, ending.status.as_str(), rev])
        .await?;
    let message = message.ok_or_else(|| Error::Other(format!("reply {reply} has no message")))?;
    Ok(ending.of(reply, message, rev))
}

/// Ends a reply that nothing writes, and tells the clients of its chat. False: it was not running any more.
pub async fn end(chat: &str, reply: &str, ending: Ending) -> Result<bool> {
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let Some(ended) = end_in(&mut tx, chat, reply, ending).await? else {
        return Ok(false);
    };
    tx.commit().await?;
    tell(chat, ended).await;
    Ok(true)
}

async fn end_in(
    tx: &mut Transaction<'_>,
    chat: &str,
    reply: &str,
    mut ending: Ending,
) -> Result<Option<GenerationEnded>> {
    if !mark(tx, reply, &mut ending).await? {
        return Ok(None);
    }
    let rev = conversation::raise(tx, chat, 1).await?;
    close(tx, reply, ending, rev).await.map(Some)
}

/// A running reply whose writer may be gone: its heartbeat is some seconds old, or as far ahead. Since clocks are set, and
/// those of two machines differ, that alone says nothing of a writer that beats. So it is gone if the heartbeat is still
/// the same after [`Self::wait`].
#[derive(Debug)]
pub struct Silent(RunningReply);

/// A running reply, as its row has it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RunningReply {
    /// Its id.
    pub id: String,
    /// When its writer last wrote.
    pub heartbeat: i64,
}

/// From one look to the other, by a monotonic clock. A writer beats every 750 ms.
const SECOND_LOOK: Duration = Duration::from_secs(2);

impl Silent {
    /// `None`: the heartbeat is one of now.
    pub fn met(reply: &RunningReply) -> Option<Self> {
        is_silent(reply.heartbeat).then(|| Self(reply.clone()))
    }

    /// Waits until the second look, which must not be inside a transaction.
    pub async fn wait(&self) {
        spin_sdk::time::sleep(SECOND_LOOK).await;
    }

    /// Whether a reply is this one, and no heartbeat came since.
    pub fn is(&self, reply: &RunningReply) -> bool {
        self.0 == *reply
    }
}

/// Whether a second look at a running reply with this heartbeat is due, so that both together have seen as much silence as
/// an abandoned reply's.
pub fn is_silent(heartbeat: i64) -> bool {
    let age = clock::unix_millis().saturating_sub(heartbeat);
    let after = conversation::ABANDONED_AFTER - SECOND_LOOK.as_millis() as i64;
    age.saturating_abs() > after
}

/// Marks the chat's running reply as interrupted if its writer is gone, and tells the clients. A request that meets a reply that
/// [`is_silent`] calls this, and waits for the second look. Returns whether it was: where nothing can be written, the reply
/// stays as it is, and what there is of it can be read.
pub async fn interrupt_abandoned(db: &mut Db, chat: &str) -> Result<bool> {
    match try_to_interrupt(db, chat).await {
        Err(error @ (Error::Full(_) | Error::ReadOnly(_))) => {
            tracing::warn!(chat, "a reply can't be marked as interrupted: {error}");
            Ok(false)
        }
        other => other,
    }
}

async fn try_to_interrupt(db: &mut Db, chat: &str) -> Result<bool> {
    let running: Option<RunningReply> = db
        .query_one_as(
            "SELECT id, heartbeat FROM generation WHERE chat_id = ?1 AND status = 'running'",
            params![chat],
        )
        .await?;
    let Some(silent) = running.as_ref().and_then(Silent::met) else {
        return Ok(false);
    };
    silent.wait().await;
    let mut tx = db.begin().await?;
    let Some(ended) = interrupt_in(&mut tx, chat, &silent).await? else {
        return Ok(false);
    };
    tx.commit().await?;
    tell(chat, ended).await;
    Ok(true)
}

/// The second look, inside a transaction, which publishes nothing.
pub async fn interrupt_in(
    tx: &mut Transaction<'_>,
    chat: &str,
    silent: &Silent,
) -> Result<Option<GenerationEnded>> {
    let Silent(RunningReply { id, heartbeat }) = silent;
    let still: Option<String> = tx
        .query_one_as(
            "SELECT id FROM generation WHERE id = ?1 AND status = 'running' AND heartbeat = ?2",
            params![id.as_str(), *heartbeat],
        )
        .await?;
    match still {
        Some(id) => end_in(tx, chat, &id, Ending::interrupted()).await,
        None => Ok(None),
    }
}

/// Sends all clients the end of a reply that another request than its writer ended.
pub async fn tell(chat: &str, ended: GenerationEnded) {
    log::reply_ended(ended.status, None);
    let v1 = text(&ended).into_iter().collect();
    audience::tell(chat, &[ended.into()], v1).await;
}
