//! Deleting a workspace, a user, a chat or a file, however much there is of it.
//!
//! No other request can write while a transaction is open, and one that takes too long is rolled back. So all goes in parts,
//! each in a transaction of its own, until so little is left that it goes with what holds it. A request that stops in between
//! has deleted some of it, and goes on from there the next time. Little goes all at once.

mod chat;

use serde::Deserialize;
use serde_json::json;

pub use self::chat::{delete_chat, thin_chat, thin_file};
use crate::db::{Result, Transaction};
use crate::params;

/// How much goes in one transaction, in messages (see `removal.sql`): about a tenth of a second. A single file that is
/// larger goes alone.
pub const PART: i64 = 5_000;

/// The least that a chat or a file counts for.
const LEAST: i64 = 50;

/// What each file of a chat counts for, and each version.
pub const FILE: i64 = 25;

const NEXT: &str = include_str!("removal.sql");

/// What is to be deleted with all that it holds.
#[derive(Debug, Clone, Copy)]
pub enum Holder<'a> {
    /// The workspace of this id, if it is the caller's. `None`: any caller who knows the id.
    Workspace(&'a str, Option<&'a str>),
    /// The user of this id.
    User(&'a str),
}

/// A part of what a holder holds.
#[derive(Deserialize)]
struct Held {
    kind: Kind,
    id: String,
    amount: i64,
}

#[derive(PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Session,
    Chat,
    File,
    Workspace,
    Model,
}

/// What is deleted next, or with its holder.
#[derive(Debug, Default)]
pub struct Part {
    /// The ids of the chats, whose clients must be told after the commit.
    pub chats: Vec<String>,
    /// The ids of the user's sessions, which go with the last part.
    pub sessions: Vec<String>,
    /// A chat that is too large to go at once. Then there is nothing else in this part, which is a part of that chat.
    large: Option<String>,
    files: Vec<String>,
    workspaces: Vec<String>,
    models: Vec<String>,
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
        let asked = params![workspace, user, most, PART];
        let mut part = Self {
            is_last: true,
            ..Self::default()
        };
        let mut amount = 0;
        for held in tx.query_as::<Held>(NEXT, asked).await? {
            let is_first = amount == 0;
            amount += held.amount;
            if amount > PART && (!is_first || held.kind == Kind::Chat) {
                part.is_last = false;
                part.large = Some(held.id).filter(|_| is_first);
                break;
            }
            let list = match held.kind {
                Kind::Session => &mut part.sessions,
                Kind::Chat => &mut part.chats,
                Kind::File => &mut part.files,
                Kind::Workspace => &mut part.workspaces,
                Kind::Model => &mut part.models,
            };
            list.push(held.id);
        }
        Ok(part)
    }

    /// Deletes this part, and leaves its holder and the sessions.
    pub async fn delete(&self, tx: &mut Transaction<'_>) -> Result<()> {
        if let Some(chat) = &self.large {
            return thin_chat(tx, chat).await;
        }
        let lists = [
            ("chat", &self.chats),
            ("file", &self.files),
            ("workspace", &self.workspaces),
            ("model", &self.models),
        ];
        for (table, ids) in lists {
            if !ids.is_empty() {
                let delete =
                    format!("DELETE FROM {table} WHERE id IN (SELECT value FROM json_each(?1))");
                tx.execute(&delete, params![json!(ids).to_string()]).await?;
            }
        }
        Ok(())
    }
}
