//! What an import knows while it goes on, and what it has done.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use kafka_common::access::Caller;
use kafka_common::api::MAX_ID_CHARS;
use kafka_common::api::export::{Imported, LeftOut, MAX_LEFT_OUT};
use kafka_common::db::{Db, Transaction};
use kafka_common::error::{Error, Result};
use kafka_common::id::id_for;
use kafka_common::room::{Room, Thing};
use kafka_common::{owner, params};
use serde::de::DeserializeOwned;

use super::files::AllDescribed;
use super::refused;

const WORKSPACE: &str = include_str!("workspace.sql");
const MAKE_WORKSPACE: &str = include_str!("make_workspace.sql");
const MODEL: &str = include_str!("model.sql");
const LINK: &str = include_str!("link.sql");

/// The name of a workspace whose own has not come yet.
const UNNAMED: &str = "Imported";

/// How many links a user may have. They are few: each waits for an entry that another archive brings.
const MAX_LINKS: i64 = 100_000;

const TOO_MANY_LINKS: &str = "Too much of what was imported refers to files and models that have not come. Please import \
    those first, or delete chats.";

/// How much of why a value can't be read is answered, in bytes.
const MAX_REASON_BYTES: usize = 300;

/// How many texts are read after an import; those of further files when somebody looks at them.
const MAX_UNREAD: usize = 1_000;

/// An import.
pub struct Work {
    /// Who asked for it.
    pub caller: Caller,
    /// For whom it is.
    pub user: String,
    /// How much may be stored.
    pub room: Option<Room>,
    /// The longest file, in bytes.
    pub max_file: u64,
    /// The origins under which this application was called.
    pub own: Vec<String>,
    /// What it did.
    pub done: Imported,
    /// What the lists of workspaces say of files that have not come yet.
    pub described: AllDescribed,
    seen: HashSet<u64>,
    workspaces: HashMap<String, String>,
    unread: Vec<String>,
}

impl Work {
    /// One that begins.
    pub fn new(
        caller: Caller,
        user: String,
        room: Option<Room>,
        max_file: u64,
        own: Vec<String>,
    ) -> Self {
        Self {
            caller,
            user,
            room,
            max_file,
            own,
            done: Imported::default(),
            described: AllDescribed::default(),
            seen: HashSet::new(),
            workspaces: HashMap::new(),
            unread: Vec::new(),
        }
    }

    /// What it did.
    pub fn finish(self) -> Imported {
        self.done
    }

    /// Whether the archive had no entry of this path before.
    pub fn is_new(&mut self, path: &str) -> bool {
        let mut hash = DefaultHasher::new();
        path.hash(&mut hash);
        self.seen.insert(hash.finish())
    }

    /// Notes that something was left out.
    pub fn leave_out(&mut self, what: &str, reason: impl Into<String>) {
        self.done.num_left_out += 1;
        if self.done.left_out.len() < MAX_LEFT_OUT {
            self.done.left_out.push(LeftOut {
                what: what.chars().take(300).collect(),
                reason: reason.into(),
            });
        }
    }

    /// Notes contents whose texts are to be read.
    pub fn will_read(&mut self, contents: Vec<String>) {
        let left = MAX_UNREAD - self.unread.len().min(MAX_UNREAD);
        self.unread.extend(contents.into_iter().take(left));
    }

    /// The contents whose texts are to be read.
    pub fn take_unread(&mut self) -> Vec<String> {
        std::mem::take(&mut self.unread)
    }

    /// The id that a thing of the archive gets here, unless it is here under its own.
    pub fn id(&self, kind: &str, source: &str) -> String {
        id_for(&self.user, kind, source)
    }

    /// The workspace that stands for that of the archive. One that has not come yet is made without a name.
    pub async fn workspace(&mut self, source: &str) -> Result<String> {
        if let Some(id) = self.workspaces.get(source) {
            return Ok(id.clone());
        }
        let mut db = Db::open().await?;
        let id = match self.find_workspace(&mut db, source).await? {
            Some(id) => id,
            None => {
                let id = self.id("workspace", source);
                let mut tx = db.begin().await?;
                if self.make_workspace(&mut tx, &id, UNNAMED).await? {
                    self.link(&mut tx, "workspace_name", source, &id).await?;
                    tx.commit().await?;
                } else {
                    drop(tx);
                    return Err(self.no_workspace(&mut db).await);
                }
                self.done.made.workspaces += 1;
                id
            }
        };
        self.workspaces.insert(source.to_owned(), id.clone());
        Ok(id)
    }

    /// The workspace that stands for that of the archive, if there is one.
    pub async fn find_workspace(&self, db: &mut Db, source: &str) -> Result<Option<String>> {
        let made = self.id("workspace", source);
        let asked = params![self.user.as_str(), source, made];
        Ok(db.query_one_as(WORKSPACE, asked).await?)
    }

    /// Makes a workspace. False: the user has as many as they may have, or is gone.
    pub async fn make_workspace(
        &self,
        tx: &mut Transaction<'_>,
        id: &str,
        name: &str,
    ) -> Result<bool> {
        let most = self.caller.most(Thing::Workspaces);
        let made = params![id, name, self.user.as_str(), most];
        Ok(tx.query_one(MAKE_WORKSPACE, made).await?.is_some())
    }

    /// Why no workspace was made.
    pub async fn no_workspace(&self, db: &mut Db) -> Error {
        let missing = Error::user_not_found();
        owner::why_no_other(db, &self.caller, Thing::Workspaces, missing).await
    }

    /// The model that stands for that of the archive, if there is one.
    pub async fn model(&self, tx: &mut Transaction<'_>, source: &str) -> Result<Option<String>> {
        let asked = params![self.user.as_str(), source, self.id("model", source)];
        Ok(tx.query_one_as(MODEL, asked).await?)
    }

    /// Notes that `id` has to do with a thing of the archive. 413: there is too much of that already.
    pub async fn link(
        &self,
        tx: &mut Transaction<'_>,
        kind: &str,
        source: &str,
        id: &str,
    ) -> Result<()> {
        let link = params![self.user.as_str(), kind, source, id, MAX_LINKS];
        if tx.query_one(LINK, link).await?.is_some() {
            return Ok(());
        }
        let sql = "SELECT num_import_links FROM \"user\" WHERE id = ?1";
        let count: Option<i64> = tx.query_one_as(sql, params![self.user.as_str()]).await?;
        match count.is_some_and(|count| count >= MAX_LINKS) {
            true => Err(Error::NoRoom(TOO_MANY_LINKS.into())),
            // It was noted before.
            false => Ok(()),
        }
    }

    /// What such a link says, which is used up by that.
    pub async fn unlink(
        &self,
        tx: &mut Transaction<'_>,
        kind: &str,
        source: &str,
    ) -> Result<Vec<String>> {
        let sql = "DELETE FROM import_link WHERE user_id = ?1 AND kind = ?2 AND source_id = ?3 RETURNING id";
        let link = params![self.user.as_str(), kind, source];
        Ok(tx.query_as(sql, link).await?)
    }
}

/// Reads a value of the archive; 400 where it has another shape.
pub fn parse<T: DeserializeOwned>(path: &str, what: &str, json: &[u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| {
        // It quotes what is wrong.
        let mut error = error.to_string();
        error.truncate(error.floor_char_boundary(MAX_REASON_BYTES));
        refused(path, format_args!("{what}: {error}"))
    })
}

/// 400 for an id that is longer than ids may be.
pub fn check_id(path: &str, id: &str) -> Result<()> {
    check_length(path, "an id", id, MAX_ID_CHARS)
}

/// 400 for a text that is longer than such a text may be.
pub fn check_length(path: &str, what: &str, text: &str, most: usize) -> Result<()> {
    match text.len() > most && text.chars().count() > most {
        true => Err(refused(
            path,
            format_args!("{what} has more than {most} characters"),
        )),
        false => Ok(()),
    }
}
