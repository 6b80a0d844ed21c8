//! Deleting a workspace or a user, however much there is of it.
//!
//! Nobody else can write while a transaction is open, and one that takes too long is rolled back. So chats and files go
//! in parts, each in a transaction of its own, until so little is left that it goes with what holds it. Whoever stops
//! in between has deleted some of it, and goes on from there the next time. Little goes all at once.

use serde_json::json;

use crate::db::{Result, Transaction};
use crate::params;

/// How much goes in one transaction, in messages (see `removal.sql`): about a tenth of a second. A single thing that is
/// larger goes alone.
const PART: i64 = 5_000;

/// The least that a chat or a file counts for.
const LEAST: i64 = 50;

const NEXT: &str = include_str!("removal.sql");

/// What is to be deleted with all that it holds.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// The workspace of this id, if it is the caller's. `None`: whoever knows the id.
    Workspace(&'a str, Option<&'a str>),
    /// The user of this id.
    User(&'a str),
}

/// What is deleted next, or with its holder.
#[derive(Debug, Default)]
pub struct Part {
    /// The ids of the chats, whose windows are to be told after the commit.
    pub chats: Vec<String>,
    /// The ids of the user's sessions, which go with the last part.
    pub sessions: Vec<String>,
    files: Vec<String>,
    /// Whether this is all there is, and so goes with its holder.
    pub is_last: bool,
}

impl Part {
    /// The next part of what `holder` holds. Where there is no such holder, it is the last one, and empty.
    pub async fn next(tx: &mut Transaction<'_>, holder: Holder<'_>) -> Result<Self> {
        let (workspace, user) = match holder {
            Holder::Workspace(id, caller) => (Some(id), caller),
            Holder::User(id) => (None, Some(id)),
        };
        // One more than would fit, which tells whether there is another part.
        let most = PART / LEAST + 1;
        let rows = tx.query(NEXT, params![workspace, user, most]).await?;
        let mut part = Self {
            is_last: true,
            ..Self::default()
        };
        let mut amount = 0;
        for mut row in rows {
            let (kind, id) = (row.text(0), row.text(1));
            let is_first = amount == 0;
            amount += row.int(2);
            if amount > PART && !is_first {
                part.is_last = false;
                break;
            }
            match kind.as_str() {
                "chat" => part.chats.push(id),
                "file" => part.files.push(id),
                _ => part.sessions.push(id),
            }
        }
        Ok(part)
    }

    /// Deletes this part, and leaves its holder and the sessions.
    pub async fn delete(&self, tx: &mut Transaction<'_>) -> Result<()> {
        for (table, ids) in [("chat", &self.chats), ("file", &self.files)] {
            if !ids.is_empty() {
                let delete =
                    format!("DELETE FROM {table} WHERE id IN (SELECT value FROM json_each(?1))");
                tx.execute(&delete, params![json!(ids).to_string()]).await?;
            }
        }
        Ok(())
    }
}
