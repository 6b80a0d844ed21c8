//! What a window gets first, and what it gets when it missed something.

use std::collections::HashMap;

use kafka_common::db::{Db, Result};
use kafka_common::model::diff::unified_diff;
use kafka_common::params;
use serde_json::{Value, json};

use crate::files::{self, ChatFile};
use crate::refused::Refused;
use crate::size::{Budget, INLINE};
use crate::snapshot::Snapshot;

/// How many versions of a file a window gets, the newest.
const VERSIONS: i64 = 50;

/// v1's first frame.
pub async fn v1(chat: &str, snapshot: &Snapshot) -> Result<Value, Refused> {
    let messages = snapshot.messages.iter().map(|message| message.v1());
    Ok(payload(chat, snapshot, messages.collect(), Protocol::V1).await?)
}

/// v2's first frame.
pub async fn v2(chat: &str, snapshot: &Snapshot) -> Result<Value, Refused> {
    let messages = snapshot.messages.iter().map(|message| message.v2());
    let payload = payload(chat, snapshot, messages.collect(), Protocol::V2).await?;
    let mut frame = json!({ "action": "initial", "protocol": 2, "rev": snapshot.rev });
    let running = snapshot.running.as_ref().map(|running| running.named());
    extend(&mut frame, payload);
    extend(
        &mut frame,
        json!({ "generation": running, "has_more": snapshot.has_more }),
    );
    Ok(frame)
}

/// v2's answer to `sync`: what is newer than `since`. Files that are not in `file_ids` are gone.
pub async fn sync(chat: &str, snapshot: &Snapshot, since: i64) -> Result<Value, Refused> {
    let messages: Vec<Value> = snapshot
        .messages
        .iter()
        .map(|message| message.v2())
        .collect();
    let mut db = Db::open().await?;
    let shown = Shown::load(&mut db, chat, Some(since), Protocol::V2).await?;
    let mut budget = Budget::for_files();
    let files = shown.all(&mut budget, true);
    Ok(json!({
        "action": "sync", "rev": snapshot.rev, "messages": messages, "files": files,
        "generation": snapshot.running.as_ref().map(|running| running.whole()),
        "file_ids": files::ids(&mut db, chat).await?, "chat_name": snapshot.name, "has_more": snapshot.has_more,
    }))
}

async fn payload(
    chat: &str,
    snapshot: &Snapshot,
    conversation: Vec<Value>,
    protocol: Protocol,
) -> Result<Value> {
    let mut db = Db::open().await?;
    let shown = Shown::load(&mut db, chat, None, protocol).await?;
    let mut budget = Budget::for_files();
    let based = shown.based(&mut budget);
    Ok(json!({
        "chat_id": chat, "chat_name": snapshot.name, "conversation": conversation, "chat_files_based": based,
        "chat_files": shown.all(&mut budget, false), "workspace_id": snapshot.workspace_id,
        "models": snapshot.models, "initial": true,
    }))
}

fn extend(frame: &mut Value, more: Value) {
    if let (Some(frame), Value::Object(more)) = (frame.as_object_mut(), more) {
        frame.extend(more);
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    V1,
    V2,
}

/// A version without its text: that is in the difference to the newest.
struct Version {
    id: String,
    timestamp: String,
    content: String,
}

/// The files of a chat with what a window sees of them.
struct Shown {
    protocol: Protocol,
    files: Vec<ChatFile>,
    texts: HashMap<String, String>,
    versions: HashMap<String, Vec<Version>>,
}

impl Shown {
    async fn load(db: &mut Db, chat: &str, since: Option<i64>, protocol: Protocol) -> Result<Self> {
        let files = files::list(db, chat, since).await?;
        let mut room = 4 * INLINE;
        let wanted: Vec<&ChatFile> = files
            .iter()
            .rev()
            .filter(|file| file.is_shown() && (file.size <= INLINE || file.kind.name == "pdf"))
            // More would not fit the frame.
            .take_while(|file| {
                let fits = room > 0;
                room = room.saturating_sub(file.size.min(INLINE));
                fits
            })
            .collect();
        let texts = files::texts(db, &wanted).await?;
        let versions = match files.iter().any(|file| file.versioned) {
            true => versions(db, chat).await?,
            false => HashMap::new(),
        };
        Ok(Self {
            protocol,
            files,
            texts,
            versions,
        })
    }

    /// `chat_files_based`.
    fn based(&self, budget: &mut Budget) -> Vec<Value> {
        let based = self.files.iter().filter(|file| file.is_based());
        let entry = |file: &ChatFile| {
            let mut entry = json!({
                "file_id": file.id, "name": file.name, "latest_content": null,
                "versions": self.versions(file, budget), "type": "based",
            });
            self.fill(&mut entry, "latest_content", file, budget);
            entry
        };
        based.map(entry).collect()
    }

    /// `chat_files`: all files, `with_versions` if nothing else shows those.
    fn all(&self, budget: &mut Budget, with_versions: bool) -> Vec<Value> {
        let entry = |file: &ChatFile| {
            let kind = match file.is_based() && file.kind.name == "other" {
                true => "based",
                false => file.kind.name,
            };
            let mut entry = json!({
                "id": file.id, "name": file.name, "content": null, "language": file.kind.language,
                "type": kind, "url": file.url(),
            });
            if with_versions && file.is_based() {
                entry["versions"] = self.versions(file, budget).into();
            }
            self.fill(&mut entry, "content", file, budget);
            entry
        };
        self.files.iter().map(entry).collect()
    }

    /// Puts a file's text into its entry, if it is shown and there is room.
    fn fill(&self, entry: &mut Value, key: &str, file: &ChatFile, budget: &mut Budget) {
        let text = self.texts.get(&file.id).filter(|text| text.len() <= INLINE);
        let text = match text {
            // Nothing to show, and nothing is left out.
            None if !file.is_shown() || file.size == 0 => {
                budget.take(entry);
                entry[key] = "".into();
                return;
            }
            text => text.map(|text| Value::from(text.as_str())),
        };
        budget.take(entry);
        match (text.filter(|text| budget.take(text)), self.protocol) {
            (Some(text), _) => entry[key] = text,
            (None, Protocol::V1) => entry[key] = "".into(),
            (None, Protocol::V2) => {
                entry["truncated"] = true.into();
                entry["url"] = file.url().into();
            }
        }
    }

    /// A file's versions, oldest first, each with what is different in the newest.
    fn versions(&self, file: &ChatFile, budget: &mut Budget) -> Vec<Value> {
        let Some(versions) = self.versions.get(&file.id) else {
            return Vec::new();
        };
        let newest = versions
            .first()
            .map_or("", |newest| newest.content.as_str());
        let short = newest.len() <= INLINE;
        let mut shown: Vec<Value> = versions
            .iter()
            .map(|version| {
                let diff = (short && version.content.len() <= INLINE)
                    .then(|| Value::from(unified_diff(&version.content, newest)))
                    .filter(|diff| budget.take(diff));
                let left_out = match self.protocol {
                    Protocol::V1 => "".into(),
                    Protocol::V2 => Value::Null,
                };
                json!({
                    "version_id": version.id, "timestamp": version.timestamp, "diff": diff.unwrap_or(left_out),
                })
            })
            .collect();
        shown.iter().for_each(|version| {
            budget.take(version);
        });
        shown.reverse();
        shown
    }
}

/// The newest versions of all files of a chat, newest first.
async fn versions(db: &mut Db, chat: &str) -> Result<HashMap<String, Vec<Version>>> {
    let rows = db
        .query(
            "SELECT chat_file_id, id, timestamp, content FROM (
                 SELECT version.*, version.rowid AS place,
                     row_number() OVER (PARTITION BY chat_file_id ORDER BY version.rowid DESC) AS age
                 FROM chat_file JOIN chat_file_version AS version ON version.chat_file_id = chat_file.id
                 WHERE chat_file.chat_id = ?1
             )
             WHERE age <= ?2 ORDER BY place DESC",
            params![chat, VERSIONS],
        )
        .await?;
    let mut versions: HashMap<String, Vec<Version>> = HashMap::new();
    for mut row in rows {
        let file = row.text(0);
        versions.entry(file).or_default().push(Version {
            id: row.text(1),
            timestamp: row.text(2),
            content: row.text(3),
        });
    }
    Ok(versions)
}
