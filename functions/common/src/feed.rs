//! The feed of a user: what has changed of all that is theirs (docs/decisions.md#feeds).
//!
//! Triggers write its entries, in the transaction of each change. Here they are read: for clients that ask what they
//! missed ([`since`]), and after a change for those that are connected ([`tell`]).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::json;
use spin_sdk::time::sleep;
use spin_sdk::wasip3;

use crate::announce::text;
use crate::api::chat::ListedChat;
use crate::api::feed::{FeedChange, FeedEvent, FeedFile};
use crate::api::id::MessageId;
use crate::api::models::Model;
use crate::api::words::{Changed, Status};
use crate::api::workspace::Workspace;
use crate::burst::{Burst, GATHERED};
use crate::clock;
use crate::conversation::ABANDONED_AFTER;
use crate::db::{self, Db};
use crate::grip::{Grip, Item, channel_feed, close, item};
use crate::params;
use crate::reply::FIRST_PIECE_FIRST;
use crate::task::begin_spawned;

/// Those that a user missed.
const SINCE: &str = concat!(
    include_str!("feed/since.sql"),
    include_str!("feed/entries.sql")
);

/// Those that are to be published.
const TOLD: &str = concat!(
    include_str!("feed/told.sql"),
    include_str!("feed/entries.sql")
);

/// The close code of a socket whose user is gone.
const NORMAL: u16 = 1000;

/// How many changes are gathered, about, at most: a part of the entries that are read at once.
const MOST_GATHERED: u32 = 100;

/// How often it is looked meanwhile whether they are that many.
const LOOKS: u32 = 5;

/// Of how many users an instance remembers what it has published.
const REMEMBERED_USERS: usize = 1000;

/// How many entries of each: as many as are read at once.
const REMEMBERED: usize = 200;

static WAITING: LazyLock<Mutex<Waiting>> = LazyLock::new(Mutex::default);

static BURST: Burst = Burst::none();

/// What this instance has still to publish, and has published.
#[derive(Default)]
struct Waiting {
    /// The ids of things that have changed, and of users who have changed any.
    subjects: HashSet<String>,
    /// How many changes that were.
    changes: u32,
    /// Whether they are to be gathered.
    is_burst: bool,
    /// Whether a task is at it.
    is_read: bool,
    /// By user, the newest revs.
    published: HashMap<String, BTreeSet<i64>>,
}

/// An entry, and what it is about.
#[derive(Deserialize)]
struct Entry {
    user_id: String,
    rev: i64,
    kind: String,
    subject_id: String,
    reply_id: Option<String>,
    changed: String,
    chat: Option<ListedChat>,
    reply: Option<Reply>,
    file: Option<FeedFile>,
    model: Option<Model>,
    workspace: Option<Workspace>,
}

#[derive(Deserialize)]
struct Reply {
    message_id: MessageId,
    model: String,
    status: Status,
}

impl Entry {
    /// `None`: a newer program has written it.
    fn change(self) -> Option<FeedChange> {
        let rev = self.rev;
        let changed = changed(&self.changed);
        let id = self.subject_id;
        let (message_id, model, status) = match self.reply {
            Some(reply) => (
                Some(reply.message_id),
                Some(reply.model),
                Some(reply.status),
            ),
            None => (None, None, None),
        };
        let (chat, reply_id) = (self.chat, self.reply_id.unwrap_or_default());
        Some(match self.kind.as_str() {
            "chat_created" => FeedChange::ChatCreated {
                rev,
                chat_id: id.into(),
                chat,
            },
            "chat_changed" => FeedChange::ChatChanged {
                rev,
                chat_id: id.into(),
                changed,
                chat,
            },
            "chat_deleted" => FeedChange::ChatDeleted {
                rev,
                chat_id: id.into(),
            },
            "generation_started" => FeedChange::GenerationStarted {
                rev,
                generation_id: reply_id.into(),
                chat_id: id.into(),
                message_id,
                model,
                chat,
            },
            "generation_ended" => FeedChange::GenerationEnded {
                rev,
                generation_id: reply_id.into(),
                chat_id: id.into(),
                message_id,
                model,
                status,
                chat,
            },
            "file_created" => FeedChange::FileCreated {
                rev,
                file_id: id.into(),
                file: self.file,
            },
            "file_changed" => FeedChange::FileChanged {
                rev,
                file_id: id.into(),
                changed,
                file: self.file,
            },
            "file_deleted" => FeedChange::FileDeleted {
                rev,
                file_id: id.into(),
            },
            "model_created" => FeedChange::ModelCreated {
                rev,
                model_id: id.into(),
                model: self.model,
            },
            "model_changed" => FeedChange::ModelChanged {
                rev,
                model_id: id.into(),
                model: self.model,
            },
            "model_deleted" => FeedChange::ModelDeleted {
                rev,
                model_id: id.into(),
            },
            "workspace_created" => FeedChange::WorkspaceCreated {
                rev,
                workspace_id: id.into(),
                workspace: self.workspace,
            },
            "workspace_changed" => FeedChange::WorkspaceChanged {
                rev,
                workspace_id: id.into(),
                changed,
                workspace: self.workspace,
            },
            "workspace_deleted" => FeedChange::WorkspaceDeleted {
                rev,
                workspace_id: id.into(),
            },
            "user_settings_changed" => FeedChange::UserSettingsChanged { rev },
            _ => return None,
        })
    }
}

/// The words of a list with spaces between them.
fn changed(words: &str) -> Vec<Changed> {
    let known = |word: &str| Changed::ALL.iter().copied().find(|it| it.as_str() == word);
    words.split(' ').filter_map(known).collect()
}

/// The first `limit` changes of a user's feed after `rev`. Where the first of them does not have the next rev, those between
/// are not known any more.
///
/// # Errors
/// Where the database can't be read.
pub async fn since(db: &mut Db, user: &str, rev: i64, limit: usize) -> db::Result<Vec<FeedChange>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let now = clock::unix_millis();
    let asked = params![now, ABANDONED_AFTER, user, rev, limit];
    let entries: Vec<Entry> = db.query_as(SINCE, asked).await?;
    Ok(entries.into_iter().filter_map(Entry::change).collect())
}

/// What is to be published of these things and users.
async fn told(subjects: &HashSet<String>) -> db::Result<Vec<Entry>> {
    let now = clock::unix_millis();
    let asked = params![now, ABANDONED_AFTER, json!(subjects).to_string()];
    Db::open().await?.query_as(TOLD, asked).await
}

/// Sends those who follow the feeds of these users, or of the owners of these things (chats, files, models, workspaces), by
/// their ids, what is new there. To be called after the commit. It goes out in the background, and changes of a moment
/// together; without a gateway it costs nothing.
pub async fn tell<S: Into<String>>(subjects: impl IntoIterator<Item = S>) {
    let Some(grip) = Grip::get().await.ok().flatten() else {
        return;
    };
    let mut waiting = waiting();
    waiting
        .subjects
        .extend(subjects.into_iter().map(Into::into));
    if waiting.subjects.is_empty() {
        return;
    }
    waiting.changes += 1;
    waiting.is_burst = BURST.grows();
    if !waiting.is_read {
        waiting.is_read = true;
        wasip3::spawn(publish(grip));
    }
}

/// [`tell`] after a moment, for what others wait for more: the first piece of a reply that has begun.
pub fn tell_soon(subject: String) {
    wasip3::spawn(async {
        sleep(FIRST_PIECE_FIRST).await;
        tell([subject]).await;
        begin_spawned().await;
    });
}

/// This user is gone, and their sockets have nothing to wait for.
pub async fn user_deleted(user: &str) {
    if let Some(grip) = Grip::get().await.ok().flatten() {
        let channel = channel_feed(user);
        grip.publish_soon([
            item(&channel, text(&FeedEvent::UserDeleted)),
            close(&channel, NORMAL),
        ]);
    }
}

fn waiting() -> MutexGuard<'static, Waiting> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Held by the task that publishes. If the task ends early, the next change starts another one.
struct AtIt;

impl Drop for AtIt {
    fn drop(&mut self) {
        waiting().is_read = false;
    }
}

/// Publishes until nothing waits any more.
async fn publish(grip: &'static Grip) {
    let _at_it = AtIt;
    while let Some(subjects) = next().await {
        match told(&subjects).await {
            Ok(entries) => grip.publish_named(items(entries)),
            // Who follows finds out by the next `rev`, and asks.
            Err(error) => tracing::error!("a feed: {error}"),
        }
    }
}

/// What waits, if anything does; in a burst, when more has come to it.
async fn next() -> Option<HashSet<String>> {
    let is_burst = {
        let waiting = waiting();
        if waiting.subjects.is_empty() {
            return None;
        }
        waiting.is_burst
    };
    // It looks, since a task of another request can't wake this one.
    let mut looks = if is_burst { LOOKS } else { 0 };
    while looks > 0 && waiting().changes < MOST_GATHERED {
        sleep(GATHERED / LOOKS).await;
        looks -= 1;
    }
    BURST.is_dealt_with();
    let mut waiting = waiting();
    waiting.changes = 0;
    Some(std::mem::take(&mut waiting.subjects))
}

/// The entries that this instance has not published yet. Another instance may publish the same at the same time: so each
/// has an id that is made of nothing but the user and the rev, and a gateway passes on the first.
fn items(entries: Vec<Entry>) -> Vec<Item> {
    let mut waiting = waiting();
    let published = &mut waiting.published;
    if published.len() > REMEMBERED_USERS {
        published.clear();
    }
    let mut items = Vec::new();
    for entry in entries {
        let (user, rev) = (entry.user_id.clone(), entry.rev);
        let of_user = published.entry(user.clone()).or_default();
        if !of_user.insert(rev) {
            continue;
        }
        if of_user.len() > REMEMBERED {
            of_user.pop_first();
        }
        if let Some(change) = entry.change() {
            items.push(Item {
                id: Some(format!("feed-{user}-{rev}")),
                ..item(&channel_feed(&user), text(&change))
            });
        }
    }
    items
}

#[cfg(test)]
mod tests {
    use super::changed;
    use crate::api::words::Changed;

    #[test]
    fn what_has_changed_is_read_word_by_word() {
        assert_eq!(changed("name settings"), [Changed::Name, Changed::Settings]);
        assert!(changed("").is_empty());
        assert!(changed("what a newer program says").is_empty());
    }
}
