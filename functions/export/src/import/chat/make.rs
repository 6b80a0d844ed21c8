//! The transaction that makes a chat.

use kafka_common::db::{self, Db};
use kafka_common::error::{Error, Result};
use kafka_common::room::{Stored, Thing};
use kafka_common::{files, owner, params};

use super::super::parts::Parts;
use super::super::refused;
use super::super::work::Work;
use super::Open;

/// How many bytes a message may have beside its texts before they count as stored, as those of replies that are written here
/// never do.
const FREE_BYTES: usize = 256;

const MAKE: &str = include_str!("../make_chat.sql");
const SET_CHAT: &str = include_str!("../set_chat.sql");
const SETTLE: &str = include_str!("../settle.sql");

impl Open {
    /// Makes the chat, whole or not at all. From its commit on it is there like any other: this is the place for what
    /// other clients of the user are sent about it.
    pub async fn make(mut self: Box<Self>, path: &str, work: &mut Work) -> Result<()> {
        let mut parts = std::mem::take(&mut self.parts);
        let made = self.make_with(&mut parts, path, work).await;
        match made {
            Ok(true) => work.done.made.chats += 1,
            Ok(false) => work.done.there_already.chats += 1,
            Err(_) => {}
        }
        if !matches!(made, Ok(true)) {
            parts.give_up().await;
        }
        made.map(drop)
    }

    /// False: another request has made it meanwhile.
    async fn make_with(
        mut self: Box<Self>,
        parts: &mut Parts,
        path: &str,
        work: &mut Work,
    ) -> Result<bool> {
        let workspace = work.workspace(&self.workspace).await?;
        let last_updated = self.head.last_updated.take();
        let active_at = self.head.active_at.take();
        // Archives from before lists were ordered so have none.
        let active_at = active_at
            .map(|(_, millis)| millis)
            .or(self.last)
            .or(last_updated.as_ref().map(|(_, millis)| *millis));
        let mut db = Db::open().await?;
        // Before the write lock is taken for all its rows, which could be in vain.
        let settings_bytes = usize::try_from(self.settings.bytes).unwrap_or(0);
        let beside = parts.beside.saturating_sub(FREE_BYTES * parts.rows);
        let bytes = parts.texts + beside + settings_bytes;
        check_room(&mut db, work, parts, bytes).await?;
        let mut tx = db.begin().await?;
        let made = params![
            self.id.as_str(),
            self.name.as_str(),
            last_updated.map(|(text, _)| text),
            workspace,
            work.user.as_str(),
            work.caller.most(Thing::Chats),
            i64::from(self.head.is_pinned),
            i64::from(self.head.is_archived)
        ];
        match tx.query_one(MAKE, made).await {
            Ok(Some(_)) => {}
            Err(db::Error::Unique(_)) => return Ok(false),
            Ok(None) => {
                drop(tx);
                let missing = Error::workspace_not_found();
                return Err(
                    owner::why_no_other(&mut db, &work.caller, Thing::Chats, missing).await,
                );
            }
            Err(error) => return Err(error.into()),
        }
        let head = self
            .head
            .head_id
            .as_deref()
            .map(|head| work.id(&self.id, head));
        let bytes = self.reasoning_bytes + self.settings.bytes + beside as i64;
        let filled = async {
            self.settings
                .set(&mut tx, work, SET_CHAT, "chat_model", &self.id)
                .await?;
            parts.insert(&mut tx, work, &self.id).await?;
            let settled = params![
                self.id.as_str(),
                head,
                self.rev,
                active_at.unwrap_or_default(),
                bytes
            ];
            tx.execute(SETTLE, settled).await?;
            files::check_room_for_files(&mut tx, &work.caller).await?;
            tx.commit().await?;
            Ok(())
        };
        let filled: Result<()> = filled.await;
        filled.map_err(|error| match error {
            Error::Internal(cause)
                if matches!(
                    cause.downcast_ref(),
                    Some(db::Error::Unique(_) | db::Error::ForeignKey(_))
                ) =>
            {
                refused(path, "an id is in it twice")
            }
            error => error,
        })?;
        Ok(true)
    }
}

/// An error where the user has no room for `bytes` of texts, or for the files.
async fn check_room(db: &mut Db, work: &Work, parts: &Parts, bytes: usize) -> Result<()> {
    let caller = &work.caller;
    if caller.quota().is_none() && caller.most(Thing::Files).is_none() {
        return Ok(());
    }
    let stored = Stored::now(db, &work.user).await?;
    // What is staged goes when its rows come.
    let others = stored.bytes.saturating_sub(parts.staged_bytes() as u64);
    caller.check_bytes(i64::try_from(others).unwrap_or(i64::MAX), bytes)?;
    if parts.files > 0 {
        let files = stored.count(Thing::Files) + parts.files as i64 - 1;
        caller.check_another(Thing::Files, files)?;
    }
    Ok(())
}
