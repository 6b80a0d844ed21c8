//! What a change of a conversation does about the running reply: it is refused as busy, but ends a reply whose writer is
//! gone.

use kafka_common::api::events::GenerationEnded;
use kafka_common::db::{self, Db, Row, Transaction, Value};
use kafka_common::reply::ending::{self, RunningReply, Silent};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::refused::Refused;

/// A transaction, and what a statement found in it.
pub struct Look<'db, T> {
    pub tx: Transaction<'db>,
    pub found: T,
    running: Option<RunningReply>,
    silent: Option<Silent>,
}

/// The chat's running reply, in the columns `running.id` and `running.heartbeat`.
#[derive(Deserialize)]
struct Met {
    running: Option<RunningReply>,
}

impl<'db, T: DeserializeOwned> Look<'db, T> {
    /// Begins a transaction and runs `sql` in it, which finds the chat. If its reply is silent, both happen again after
    /// the wait before a second look, which is outside of any transaction.
    pub async fn at(
        db: &'db mut Db,
        sql: &str,
        asked: impl Fn() -> Vec<Value>,
    ) -> Result<Self, Refused> {
        let mut tx = db.begin().await?;
        let mut found = find(&mut tx, sql, asked()).await?;
        let silent = found.0.as_ref().and_then(Silent::met);
        if let Some(silent) = &silent {
            let db = tx.abandon();
            silent.wait().await;
            tx = db.begin().await?;
            found = find(&mut tx, sql, asked()).await?;
        }
        let (running, found) = found;
        Ok(Self {
            tx,
            found,
            running,
            silent,
        })
    }

    /// Ends the reply if it is silent still. Returns its end, which clients are to be sent after the commit.
    pub async fn end_silent(&mut self, chat: &str) -> Result<Option<GenerationEnded>, Refused> {
        match (&self.running, &self.silent) {
            (None, _) => Ok(None),
            (Some(reply), Some(silent)) if silent.is(reply) => {
                Ok(ending::interrupt_in(&mut self.tx, chat, silent).await?)
            }
            (Some(_), _) => Err(Refused::busy()),
        }
    }
}

/// Runs `sql`, which finds the chat, outside of a transaction: the chat's running reply, and what else there is.
pub async fn look<T: DeserializeOwned>(
    db: &mut Db,
    sql: &str,
    asked: Vec<Value>,
) -> Result<(Option<RunningReply>, T), Refused> {
    read(db.query_one(sql, asked).await?)
}

async fn find<T: DeserializeOwned>(
    tx: &mut Transaction<'_>,
    sql: &str,
    asked: Vec<Value>,
) -> Result<(Option<RunningReply>, T), Refused> {
    read(tx.query_one(sql, asked).await?)
}

fn read<T: DeserializeOwned>(row: Option<Row>) -> Result<(Option<RunningReply>, T), Refused> {
    let mut row = row.ok_or_else(Refused::chat_not_found)?;
    let met: db::Result<Met> = row.read();
    Ok((met?.running, row.read()?))
}
