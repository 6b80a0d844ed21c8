//! How much somebody may have in token mode: bytes (variable `storage_quota_bytes`) and rows (variable `row_limits`).
//!
//! How much they have is kept in their row by triggers (`migrations/0007_bounds.sql`), so that to ask costs the same
//! whatever it is.

use crate::config::table;
use crate::db::{self, Db, Transaction};
use crate::error::{Error, Result};
use crate::{clock, content, params};

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
    pub(crate) fn parse(list: &str) -> Result<Self, String> {
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

/// What somebody has.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stored {
    /// Bytes.
    pub bytes: u64,
    counts: [i64; 3],
}

impl Stored {
    /// How many there are.
    pub fn count(&self, thing: Thing) -> i64 {
        self.counts[thing as usize]
    }

    /// What the user has; nothing if there is no such user.
    async fn read(db: &mut impl Query, user: &str) -> db::Result<Self> {
        let sql = r#"SELECT stored_bytes, num_workspaces, num_chats, num_files FROM "user" WHERE id = ?1"#;
        let row = db.first(sql, params![user]).await?;
        Ok(row.map_or_else(Self::default, |row| Self {
            bytes: u64::try_from(row.int(0)).unwrap_or(0),
            counts: [row.int(1), row.int(2), row.int(3)],
        }))
    }

    /// What the user has, as the open transaction leaves it.
    pub async fn after(tx: &mut Transaction<'_>, user: &str) -> db::Result<Self> {
        Self::read(tx, user).await
    }

    /// What the user has, without uploads that were abandoned: some of those are removed here.
    pub(crate) async fn without_abandoned(user: &str) -> db::Result<Self> {
        let mut db = Db::open().await?;
        let oldest = clock::unix_millis() - content::ABANDONED_AFTER;
        let abandoned = "SELECT 1 FROM content WHERE staged_at < ?1 AND owner_id = ?2 LIMIT 1";
        if db
            .query_one(abandoned, params![oldest, user])
            .await?
            .is_some()
        {
            let sweep = "DELETE FROM content WHERE id IN (
                SELECT id FROM content WHERE staged_at < ?1 AND owner_id = ?2 ORDER BY staged_at LIMIT 2
            )";
            db.execute(sweep, params![oldest, user]).await?;
        }
        Self::read(&mut db, user).await
    }

    /// What the user has now.
    pub(crate) async fn now(db: &mut Db, user: &str) -> db::Result<Self> {
        Self::read(db, user).await
    }
}

/// What can be asked for a row: the database, or a transaction.
trait Query {
    async fn first(&mut self, sql: &str, parameters: Vec<db::Value>)
    -> db::Result<Option<db::Row>>;
}

impl Query for Db {
    async fn first(
        &mut self,
        sql: &str,
        parameters: Vec<db::Value>,
    ) -> db::Result<Option<db::Row>> {
        self.query_one(sql, parameters).await
    }
}

impl Query for Transaction<'_> {
    async fn first(
        &mut self,
        sql: &str,
        parameters: Vec<db::Value>,
    ) -> db::Result<Option<db::Row>> {
        self.query_one(sql, parameters).await
    }
}

/// 413 for somebody who has `most` of a thing already, which is as many as they may have.
pub(crate) fn too_many(thing: Thing, most: i64) -> Error {
    let things = thing.name();
    Error::NoRoom(
        format!("You have as many {things} as you may have ({most}). Delete some to make room.")
            .into(),
    )
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
