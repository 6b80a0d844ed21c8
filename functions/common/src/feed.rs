//! The feed of a user: what has changed of all that is theirs (docs/decisions.md#feeds).
//!
//! Triggers write its entries, in the transaction of each change. Here they are read: for clients that ask what they
//! missed ([`since`]), and after a change for those that are connected ([`tell`]).

use std::collections::{BTreeSet, HashMap, HashSet};
use std::mem;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

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
use crate::burst::Burst;
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

/// Of how many users an instance remembers what it has published.
const REMEMBERED_USERS: usize = 1000;

/// How many entries of each.
const REMEMBERED: usize = 200;

static WAITING: LazyLock<Mutex<Waiting>> = LazyLock::new(Mutex::default);

/// What this instance has still to publish, and has published.
#[derive(Default)]
struct Waiting {
    changes: Changes,
    burst: Burst,
    /// Whether a task is at it.
    is_read: bool,
    /// By user, the newest revs.
    published: HashMap<String, BTreeSet<i64>>,
}

/// What has changed.
#[derive(Default)]
struct Changes {
    /// Things that are there, and users who have changed any, by their ids; how many changes that were.
    changed: HashMap<String, u32>,
    /// Things that are gone.
    gone: HashSet<String>,
}

impl Changes {
    fn count(&self) -> u32 {
        self.changed.values().sum::<u32>() + self.gone.len() as u32
    }
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

/// What is to be published of these changes.
async fn told(changes: &Changes) -> db::Result<Vec<Entry>> {
    let (changed, gone) = (json!(changes.changed), json!(changes.gone));
    let now = clock::unix_millis();
    let asked = params![now, ABANDONED_AFTER, changed.to_string(), gone.to_string()];
    Db::open().await?.query_as(TOLD, asked).await
}

/// Sends those who follow the feeds of the owners of these things (chats, files, models, workspaces), or of these users, what is
/// new there. All are named by their ids, and each thing that a change has noted is to be named. To be called after the commit.
/// It goes out in the background, and changes of a moment together; without a gateway it costs nothing.
pub async fn tell<S: Into<String>>(things: impl IntoIterator<Item = S>) {
    tell_with([], things).await;
}

/// The same, with items that tell others of these changes.
pub async fn tell_with<S: Into<String>>(
    items: impl IntoIterator<Item = Item>,
    things: impl IntoIterator<Item = S>,
) {
    let changed = |changes: &mut Changes| {
        for thing in things {
            *changes.changed.entry(thing.into()).or_default() += 1;
        }
    };
    tell_of(items, changed).await;
}

/// The same of things that are gone.
pub async fn tell_gone<S: Into<String>>(
    items: impl IntoIterator<Item = Item>,
    things: impl IntoIterator<Item = S>,
) {
    let gone = |changes: &mut Changes| changes.gone.extend(things.into_iter().map(Into::into));
    tell_of(items, gone).await;
}

async fn tell_of(items: impl IntoIterator<Item = Item>, change: impl FnOnce(&mut Changes)) {
    let Some(grip) = Grip::get().await.ok().flatten() else {
        return;
    };
    let mut waiting = waiting();
    change(&mut waiting.changes);
    if waiting.changes.count() == 0 {
        return;
    }
    waiting.burst.grows();
    grip.publish_later(items);
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
        grip.publish([
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
    while let Some(changes) = next().await {
        let begun = Instant::now();
        let entries = told(&changes).await.unwrap_or_else(|error| {
            // Who follows finds out by the next `rev`, and asks.
            tracing::error!("a feed: {error}");
            Vec::new()
        });
        grip.publish_named(items(entries));
        waiting().burst.is_dealt_with(begun.elapsed());
    }
}

/// What waits, if anything does; in a burst, when more has come to it.
async fn next() -> Option<Changes> {
    let wait = {
        let waiting = waiting();
        if waiting.changes.count() == 0 {
            return None;
        }
        waiting.burst.wait()
    };
    if let Some(wait) = wait {
        sleep(wait).await;
    }
    Some(mem::take(&mut waiting().changes))
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
