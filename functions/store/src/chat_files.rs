//! Changes of a chat's files that its clients are told of, made by an action on a socket or by a request.
//!
//! Each runs inside a transaction, after the caller's right to the file was checked, and returns what is to be told
//! after the commit. Differences between texts are worked out only then: other writers would wait for them.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::events::{self, Event, FileVersion};
use crate::api::relay::Message;
use crate::api::words::{MessageKind, Role};
use crate::conversation::{self, ChatRev};
use crate::db::{Result, Transaction};
use crate::files::{MAX_SHOWN_BYTES, url};
use crate::params;
use crate::versions::{self, Reverted, SavedText};
use kafka_llm::diff::unified_diff;

/// The events for the v2 clients of one chat.
#[derive(Debug)]
pub struct News {
    /// The chat.
    pub chat: String,
    /// Its events, in their order.
    pub events: Vec<Event>,
}

/// A version that a file has got.
pub struct NewVersion<'a> {
    /// The id of the chat's file.
    pub file: &'a str,
    /// What the file is called.
    pub name: &'a str,
    /// The version's id.
    pub id: &'a str,
    /// When it was saved.
    pub timestamp: &'a str,
    /// What the file says now.
    pub text: &'a str,
}

impl NewVersion<'_> {
    /// v2's event, with the difference to what the file said before. A text that is too long to be shown in a frame is
    /// left out, with its differences.
    pub fn event(&self, rev: i64, diff: impl FnOnce() -> String) -> Event {
        let is_shown = self.text.len() <= MAX_SHOWN_BYTES;
        Event::FileVersion(Box::new(FileVersion {
            rev,
            file_id: self.file.into(),
            name: self.name.to_owned(),
            version_id: self.id.into(),
            timestamp: self.timestamp.to_owned().into(),
            diff: is_shown.then(diff),
            content: is_shown.then(|| self.text.to_owned()),
            truncated: !is_shown,
            url: (!is_shown).then(|| url(self.file)),
        }))
    }
}

/// A file of a chat.
#[derive(Debug, Clone, Deserialize)]
pub struct Attachment {
    /// Its id in the chat.
    pub id: String,
    /// What it is called.
    pub name: String,
    /// The chat.
    pub chat: String,
}

impl Attachment {
    /// The event that it has got a version.
    fn new_version(&self, saved: &SavedText, rev: i64) -> Event {
        let (id, timestamp) = saved.version.clone().unwrap_or_default();
        let version = NewVersion {
            file: &self.id,
            name: &self.name,
            id: &id,
            timestamp: &timestamp,
            text: &saved.text,
        };
        let before = saved.before.as_deref().unwrap_or_default();
        version.event(rev, || unified_diff(before, &saved.text))
    }

    fn news(&self, events: Vec<Event>) -> News {
        News {
            chat: self.chat.clone(),
            events,
        }
    }

    /// Puts the file under the rev of its last change, for clients that catch up.
    async fn changed_at(&self, tx: &mut Transaction<'_>, rev: i64) -> Result<()> {
        tx.execute(
            "UPDATE chat_file SET rev = ?2 WHERE id = ?1",
            params![self.id.as_str(), rev],
        )
        .await
    }

    /// Saves a text as the newest version, unless the file says it already. `None`: the file can't be edited here.
    pub async fn save(&self, tx: &mut Transaction<'_>, text: &str) -> Result<Option<SavedInChat>> {
        let Some(saved) = versions::save(tx, &self.id, text).await? else {
            return Ok(None);
        };
        let mut rev = None;
        if saved.changed {
            let raised = conversation::raise(tx, &self.chat, 1).await?;
            self.changed_at(tx, raised).await?;
            rev = Some(raised);
        }
        Ok(Some(SavedInChat { saved, rev }))
    }

    /// Saves the text of an older version again, with a message about it. `None`: the file has no such version.
    pub async fn revert(
        &self,
        tx: &mut Transaction<'_>,
        version: &str,
    ) -> Result<Option<WentBack>> {
        let Some(reverted) = versions::revert(tx, &self.id, version).await? else {
            return Ok(None);
        };
        let changed = reverted.saved.changed;
        let by = if changed { 3 } else { 2 };
        let last = conversation::raise(tx, &self.chat, by).await?;
        let rev = last - by + 1;
        let said = json!({
            "based_filename": self.name, "based_content": reverted.content,
            "message": format!("Reverted to version from {}.", reverted.from),
        });
        let mut message = Message::new(Role::Assistant, MessageKind::File, said.to_string());
        conversation::add(tx, &self.chat, &mut message, rev).await?;
        self.changed_at(tx, last).await?;
        Ok(Some(WentBack {
            reverted,
            said,
            message,
            revs: (rev, last),
        }))
    }
}

/// What a save did.
#[derive(Debug)]
pub struct SavedInChat {
    /// What was saved.
    pub saved: SavedText,
    /// The chat's rev with it, if there is a new version.
    rev: Option<i64>,
}

impl SavedInChat {
    /// What clients are sent about it after the commit.
    pub fn news(&self, file: &Attachment) -> News {
        let event = self.rev.map(|rev| file.new_version(&self.saved, rev));
        file.news(event.into_iter().collect())
    }
}

/// What going back to a version did.
#[derive(Debug)]
pub struct WentBack {
    /// The text, and what was saved.
    pub reverted: Reverted,
    /// What the message says.
    pub said: Value,
    /// The message about it.
    pub message: Message,
    /// The chat's rev with the message, and with all of it.
    revs: (i64, i64),
}

impl WentBack {
    /// What clients are sent about the file after the commit.
    pub fn news(&self, file: &Attachment) -> News {
        let saved = &self.reverted.saved;
        let (rev, last) = self.revs;
        let mut events = vec![Event::added(self.message.clone(), rev)];
        if saved.changed {
            events.push(file.new_version(saved, rev + 1));
        }
        let version = saved.version.as_ref().map(|(id, _)| id.clone());
        events.push(Event::RevertComplete {
            rev: last,
            file_id: file.id.as_str().into(),
            name: file.name.clone(),
            version_id: version.unwrap_or_default().into(),
            message: self.message.clone().into(),
        });
        file.news(events)
    }
}

/// A file that has left a chat.
#[derive(Debug)]
pub struct Left {
    /// The message about it.
    pub message: Message,
    /// The events for the chat's v2 clients.
    pub news: News,
}

/// Adds the message that a file is gone to each chat it was in; `files` are its attachments, which are deleted already.
pub async fn left(tx: &mut Transaction<'_>, files: &[Attachment]) -> Result<Vec<Left>> {
    let Some(first) = files.first() else {
        return Ok(Vec::new());
    };
    let chats: Vec<&str> = files.iter().map(|file| file.chat.as_str()).collect();
    let raised = conversation::raise_each(tx, &chats, 2).await?;
    let revs: Vec<ChatRev> = raised
        .into_iter()
        .map(|(chat, rev)| (chat, rev - 1))
        .collect();
    let said = format!("{} was deleted.", first.name);
    let message = Message::new(Role::System, MessageKind::File, said);
    let messages = conversation::add_to_each(tx, &revs, &message).await?;
    let ids: HashMap<&str, &str> = files
        .iter()
        .map(|file| (file.chat.as_str(), file.id.as_str()))
        .collect();
    let told = messages
        .into_iter()
        .zip(revs)
        .map(|(message, (chat, rev))| {
            let id = ids.get(chat.as_str()).copied().unwrap_or_default();
            let mut said = events::ChatMessage::from(message.clone());
            said.deleted_file_id = Some(id.into());
            let deleted = Event::FileDeleted {
                rev: rev + 1,
                file_id: id.into(),
                name: first.name.clone(),
                message: said,
            };
            let events = vec![Event::added(message.clone(), rev), deleted];
            Left {
                message,
                news: News { chat, events },
            }
        });
    Ok(told.collect())
}

/// Puts files that have another name already under a new rev of their chats.
pub async fn renamed(tx: &mut Transaction<'_>, files: &[Attachment]) -> Result<Vec<News>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let chats: Vec<&str> = files.iter().map(|file| file.chat.as_str()).collect();
    let revs = conversation::raise_each(tx, &chats, 1).await?;
    let ids: Vec<&str> = files.iter().map(|file| file.id.as_str()).collect();
    tx.execute(
        "UPDATE chat_file SET rev = (SELECT rev FROM chat WHERE id = chat_id)
         WHERE id IN (SELECT value FROM json_each(?1))",
        params![json!(ids).to_string()],
    )
    .await?;
    let revs: HashMap<String, i64> = revs.into_iter().collect();
    // A chat that has gone meanwhile has no rev, and no clients.
    let told = files.iter().filter_map(|file| {
        let renamed = Event::FileRenamed {
            rev: *revs.get(&file.chat)?,
            file_id: file.id.as_str().into(),
            name: file.name.clone(),
        };
        Some(file.news(vec![renamed]))
    });
    Ok(told.collect())
}
