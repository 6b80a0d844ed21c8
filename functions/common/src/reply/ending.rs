//! How a reply ends: in one transaction, whatever else the ending does.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::audience;
use crate::announce::fitted;
use crate::conversation;
use crate::db::{Db, Error, Result, Transaction};
use crate::message::{COLUMNS, Message};
use crate::object;
use crate::{clock, params};

/// How and why a reply ended.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Ending {
    /// `complete`, `stopped`, `interrupted` or `error`.
    pub status: Cow<'static, str>,
    /// As the model said it.
    pub finish_reason: Option<String>,
    /// As the model said it.
    pub usage: Option<Value>,
    /// What went wrong, for a person.
    pub error: Option<String>,
}

impl Ending {
    /// An ending of which nothing more is known.
    pub fn new(status: &'static str) -> Self {
        Self {
            status: Cow::Borrowed(status),
            finish_reason: None,
            usage: None,
            error: None,
        }
    }

    /// An ending for a reason that a person can read.
    pub fn error(why: impl Into<String>) -> Self {
        Self {
            error: Some(why.into()),
            ..Self::new("error")
        }
    }

    /// The same where something went wrong at last.
    pub fn failing(self, why: impl Into<String>) -> Self {
        Self {
            usage: self.usage,
            ..Self::error(why)
        }
    }

    /// What happened to a reply whose writer is gone.
    fn interrupted() -> Self {
        Self {
            error: Some("The server stopped while this was being written.".to_owned()),
            ..Self::new("interrupted")
        }
    }
}

/// A reply that has ended.
#[derive(Debug, Serialize, Deserialize)]
pub struct Ended {
    /// Its id.
    pub reply: String,
    /// The message that it filled.
    pub message: Message,
    /// How it ended.
    pub ending: Ending,
    /// The chat's rev with it.
    pub rev: i64,
}

impl Ended {
    /// v2's event.
    pub fn event(&self) -> Value {
        object!({
            "action": "generation_ended", "rev": self.rev, "generation_id": self.reply, "message_id": self.message.id,
            "status": self.ending.status.as_ref(), "finish_reason": self.ending.finish_reason, "usage": self.ending.usage,
            "error": self.ending.error, "message": self.message.v2(),
        })
    }
}

/// Marks the reply as no longer running. False: it was not, and the transaction has nothing to do.
pub async fn mark(tx: &mut Transaction<'_>, reply: &str, ending: &Ending) -> Result<bool> {
    let row = tx
        .query_one(
            "UPDATE generation SET status = ?2, finish_reason = ?3, usage = ?4, error = ?5, piece = NULL
             WHERE id = ?1 AND status = 'running' RETURNING id",
            params![
                reply,
                ending.status.as_ref(),
                ending.finish_reason.as_deref(),
                ending.usage.as_ref().map(Value::to_string),
                ending.error.as_deref()
            ],
        )
        .await?;
    Ok(row.is_some())
}

/// Gives a reply's message its last status, under the given rev of the chat.
pub async fn close(
    tx: &mut Transaction<'_>,
    reply: &str,
    ending: Ending,
    rev: i64,
) -> Result<Ended> {
    let row = tx
        .query_one(
            &format!(
                "UPDATE chat_conversation AS message SET status = ?2, rev = ?3
                 WHERE id = (SELECT message_id FROM generation WHERE id = ?1) RETURNING {}",
                // An UPDATE's RETURNING knows its table by no alias.
                COLUMNS.replace("message.", "")
            ),
            params![reply, ending.status.as_ref(), rev],
        )
        .await?;
    Ok(Ended {
        reply: reply.to_owned(),
        message: row
            .map(|mut row| Message::from_row(&mut row, 0))
            .unwrap_or_default(),
        ending,
        rev,
    })
}

/// Ends a reply that nothing writes, and tells the clients of its chat. False: it was not running any more.
pub async fn end(chat: &str, reply: &str, ending: Ending) -> Result<bool> {
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let Some(ended) = end_in(&mut tx, chat, reply, ending).await? else {
        return Ok(false);
    };
    tx.commit().await?;
    tell(chat, &ended).await;
    Ok(true)
}

async fn end_in(
    tx: &mut Transaction<'_>,
    chat: &str,
    reply: &str,
    ending: Ending,
) -> Result<Option<Ended>> {
    if !mark(tx, reply, &ending).await? {
        return Ok(None);
    }
    let rev = conversation::raise(tx, chat, 1).await?;
    close(tx, reply, ending, rev).await.map(Some)
}

/// A running reply whose writer may be gone: its heartbeat is some seconds old, or as far ahead. Since clocks are set, and
/// those of two machines differ, that alone says nothing of a writer that beats. So it is gone if the heartbeat is still
/// the same after [`Self::wait`].
#[derive(Debug)]
pub struct Silent {
    reply: String,
    heartbeat: i64,
}

/// From one look to the other, by a clock that nobody sets. A writer beats every 750 ms.
const SECOND_LOOK: Duration = Duration::from_secs(2);

impl Silent {
    /// `None`: the heartbeat is one of now.
    pub fn met(reply: Option<&str>, heartbeat: i64) -> Option<Self> {
        let reply = reply.filter(|_| is_silent(heartbeat))?.to_owned();
        Some(Self { reply, heartbeat })
    }

    /// Waits until the second look, which must not be inside a transaction.
    pub async fn wait(&self) {
        spin_sdk::time::sleep(SECOND_LOOK).await;
    }

    /// Whether a reply is this one, and no heartbeat came since.
    pub fn is(&self, reply: &str, heartbeat: i64) -> bool {
        (self.reply.as_str(), self.heartbeat) == (reply, heartbeat)
    }
}

/// Whether a second look at a running reply with this heartbeat is due, so that both together have seen as much silence as
/// an abandoned reply's.
pub fn is_silent(heartbeat: i64) -> bool {
    let age = clock::unix_millis().saturating_sub(heartbeat);
    let after = conversation::ABANDONED_AFTER - SECOND_LOOK.as_millis() as i64;
    age.saturating_abs() > after
}

/// Marks the chat's running reply as interrupted if its writer is gone, and tells the windows. Whoever meets a reply that
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
    let row = db
        .query_one(
            "SELECT id, heartbeat FROM generation WHERE chat_id = ?1 AND status = 'running'",
            params![chat],
        )
        .await?;
    let silent = row.and_then(|mut row| Silent::met(row.opt_text(0).as_deref(), row.int(1)));
    let Some(silent) = silent else {
        return Ok(false);
    };
    silent.wait().await;
    let mut tx = db.begin().await?;
    let Some(ended) = interrupt_in(&mut tx, chat, &silent).await? else {
        return Ok(false);
    };
    tx.commit().await?;
    tell(chat, &ended).await;
    Ok(true)
}

/// The second look, inside a transaction, which tells nobody.
pub async fn interrupt_in(
    tx: &mut Transaction<'_>,
    chat: &str,
    silent: &Silent,
) -> Result<Option<Ended>> {
    let row = tx
        .query_one(
            "SELECT id FROM generation WHERE id = ?1 AND status = 'running' AND heartbeat = ?2",
            params![silent.reply.as_str(), silent.heartbeat],
        )
        .await?;
    let Some(mut row) = row else { return Ok(None) };
    end_in(tx, chat, &row.text(0), Ending::interrupted()).await
}

/// Tells all windows that a reply was ended by another than its writer.
pub async fn tell(chat: &str, ended: &Ended) {
    let mut v1 = Vec::new();
    if !ended.message.content.is_empty() {
        v1.push(ended.message.content.clone());
    }
    audience::tell(chat, vec![fitted(ended.event())], v1).await;
}
