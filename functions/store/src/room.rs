//! How much a user may have in token mode: bytes (variable `storage_quota_bytes`, unless the operator has
//! set another quota for the user) and rows (variable `row_limits`).
//!
//! How much they have is kept in their row by triggers (`migrations/0007_bounds.sql`), so that to ask costs the same
//! whatever it is.

use serde::Deserialize;

use crate::db::{self, Db, Transaction};
use crate::error::{Error, Result};
use crate::variable::table;
use crate::{clock, params};

/// After how long staged content counts as abandoned, in milliseconds.
pub(crate) const ABANDONED_AFTER: i64 = 60 * 60 * 1000;

/// What a user may have only so many of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Thing {
    /// Workspaces.
    Workspaces,
    /// Chats.
    Chats,
    /// Files of workspaces and of chats; an attachment is one more.
    Files,
}

impl Thing {
    const ALL: [Self; 3] = [Self::Workspaces, Self::Chats, Self::Files];

    /// As the variable `row_limits` calls it.
    const fn name(self) -> &'static str {
        match self {
            Self::Workspaces => "workspaces",
            Self::Chats => "chats",
            Self::Files => "files",
        }
    }
}

/// The variable `row_limits`: entries such as `chats=100000`. What has no entry has no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowLimits([Option<i64>; 3]);

impl RowLimits {
    /// Reads the entries of the variable; the error names the one that is wrong.
    pub fn parse(list: &str) -> Result<Self, String> {
        let names = Thing::ALL.map(Thing::name);
        let most = |[most]: [i64; 1]| u32::try_from(most).ok().map(i64::from);
        table("row_limits", "chats=100000", list, names, most).map(Self)
    }

    /// How many there may be; `None`: as many as one likes.
    pub fn most(&self, thing: Thing) -> Option<i64> {
        self.0[thing as usize]
    }
}

/// What may still be taken in for a user.
#[derive(Debug, Clone)]
pub struct Room {
    /// The user.
    pub user: String,
    /// All bytes that they may store.
    pub quota: u64,
    /// How many of them were free.
    pub left: u64,
}

/// What a user has; nothing if there is no such user.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub struct Stored {
    /// Bytes.
    #[serde(rename = "stored_bytes")]
    pub bytes: u64,
    num_workspaces: i64,
    num_chats: i64,
    num_files: i64,
}

impl Stored {
    const READ: &str = r#"SELECT max(0, stored_bytes) AS stored_bytes, num_workspaces, num_chats, num_files
        FROM "user" WHERE id = ?1"#;

    /// How many there are.
    pub fn count(&self, thing: Thing) -> i64 {
        match thing {
            Thing::Workspaces => self.num_workspaces,
            Thing::Chats => self.num_chats,
            Thing::Files => self.num_files,
        }
    }

    /// What the user has, as the open transaction leaves it.
    pub async fn after(tx: &mut Transaction<'_>, user: &str) -> db::Result<Self> {
        let found = tx.query_one_as(Self::READ, params![user]).await?;
        Ok(found.unwrap_or_default())
    }

    /// What the user has, without uploads that were abandoned: some of those are removed here.
    pub(crate) async fn without_abandoned(user: &str) -> db::Result<Self> {
        let mut db = Db::open().await?;
        let oldest = clock::unix_millis() - ABANDONED_AFTER;
        let abandoned = "SELECT id FROM content WHERE staged_at < ?1 AND owner_id = ?2 LIMIT 1";
        let found: Option<String> = db.query_one_as(abandoned, params![oldest, user]).await?;
        if found.is_some() {
            db.execute(SWEEP, params![oldest, user]).await?;
        }
        Self::now(&mut db, user).await
    }

    /// What the user has now.
    pub async fn now(db: &mut Db, user: &str) -> db::Result<Self> {
        let found = db.query_one_as(Self::READ, params![user]).await?;
        Ok(found.unwrap_or_default())
    }
}

const SWEEP: &str = "DELETE FROM content
    WHERE id IN (SELECT id FROM content WHERE staged_at < ?1 AND owner_id = ?2 ORDER BY staged_at LIMIT 2)";

/// The error for a user who has `most` of a thing already, which is as many as they may have.
pub(crate) fn too_many(thing: Thing, most: i64) -> Error {
    let things = thing.name();
    Error::NoRoom(format!(
        "You have as many {things} as you may have ({most}). Delete some to make room."
    ))
}

#[cfg(test)]
mod tests {
    use super::{RowLimits, Thing};

    #[test]
    fn limits_are_read() {
        let limits = RowLimits::parse("workspaces=5, chats=0").unwrap();
        assert_eq!(limits.most(Thing::Workspaces), Some(5));
        assert_eq!(limits.most(Thing::Chats), Some(0));
        assert_eq!(limits.most(Thing::Files), None);
        for wrong in ["chats", "chats=", "chats=-1", "chats=many", "naps=1"] {
            let error = RowLimits::parse(wrong).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
