//! What a window gets first, and what it gets when it missed something.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use kafka_common::db::{Db, Result};
use kafka_common::model::diff::unified_diff;
use kafka_common::object;
use kafka_common::params;
use serde_json::{Value, json};

use crate::files::{self, ChatFile};
use crate::refused::Refused;
use crate::size::{Budget, CONVERSATION, INLINE};
use crate::snapshot::Snapshot;

/// How many versions of a file a window gets, the newest.
const VERSIONS: i64 = 50;

/// How many bytes of versions are read for a frame.
const VERSION_BYTES: i64 = 8 * 1024 * 1024;

/// How long differences are worked out for a frame.
const PATIENCE: Duration = Duration::from_millis(300);

/// v1's first frame.
pub async fn v1(chat: &str, snapshot: &Snapshot) -> Result<Value, Refused> {
    // A reply that is being written comes when it is whole.
    let whole = snapshot
        .messages
        .iter()
        .filter(|message| message.status != "running");
    let messages = whole.map(|message| message.v1());
    Ok(payload(chat, snapshot, messages.collect(), Protocol::V1).await?)
}

/// v2's first frame.
pub async fn v2(chat: &str, snapshot: &Snapshot) -> Result<Value, Refused> {
    let messages = snapshot.messages.iter().map(|message| message.v2());
    let payload = payload(chat, snapshot, messages.collect(), Protocol::V2).await?;
    let mut frame = object!({ "action": "initial", "protocol": 2, "rev": snapshot.rev });
    let running = snapshot.running.as_ref().map(|running| running.named());
    extend(&mut frame, payload);
    extend(
        &mut frame,
        object!({ "head_id": snapshot.head_id, "generation": running, "has_more": snapshot.has_more }),
    );
    Ok(frame)
}

/// v2's answer to `sync`: what is newer than `since`, or with `has_more` the first of it, up to the `rev` that it names.
/// Files that are not in `file_ids` are gone.
pub async fn sync(chat: &str, mut snapshot: Snapshot, since: i64) -> Result<Value, Refused> {
    let mut budget = Budget::new(CONVERSATION);
    let generation = snapshot.running.as_ref().map(|running| {
        let mut whole = running.whole();
        if !budget.take(&whole) {
            whole["content"] = Value::Null;
            whole["truncated"] = true.into();
        }
        whole
    });
    let running = snapshot.running.as_ref().map(|running| &running.message_id);
    for message in &mut snapshot.messages {
        // The running reply's text is in `generation`.
        if Some(&message.id) == running {
            message.content = String::new();
        } else if !budget.take(&message.v2()) {
            message.cut();
        }
    }
    let messages = snapshot.messages.iter().map(|message| message.v2());
    let messages: Vec<Value> = messages.collect();
    let mut db = Db::open().await?;
    let shown = Shown::load(&mut db, chat, Some(since), Protocol::V2).await?;
    let mut budget = Budget::for_files();
    let files = shown.all(&mut budget, true);
    Ok(object!({
        "action": "sync", "rev": snapshot.rev, "head_id": snapshot.head_id, "messages": messages, "files": files, "generation": generation,
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
    Ok(object!({
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
    /// Unless it is too long to be shown, or there are too many.
    content: Option<String>,
}

/// The files of a chat with what a window sees of them.
struct Shown {
    protocol: Protocol,
    files: Vec<ChatFile>,
    texts: HashMap<String, String>,
    versions: HashMap<String, Vec<Version>>,
    /// After which no more differences are worked out.
    deadline: Instant,
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
        let versions = versions(db, &files).await?;
        Ok(Self {
            protocol,
            files,
            texts,
            versions,
            deadline: Instant::now() + PATIENCE,
        })
    }

    /// `chat_files_based`.
    fn based(&self, budget: &mut Budget) -> Vec<Value> {
        let based = self.files.iter().filter(|file| file.is_based());
        self.entries(based, budget, |file, budget| {
            let mut entry = object!({
                "file_id": file.id, "name": file.name, "latest_content": Value::Null, "versions": Value::Null, "type": "based",
            });
            self.fill(&mut entry, "latest_content", file, budget);
            entry["versions"] = self.versions(file, budget).into();
            entry
        })
    }

    /// `chat_files`: all files, `with_versions` if nothing else shows those.
    fn all(&self, budget: &mut Budget, with_versions: bool) -> Vec<Value> {
        self.entries(self.files.iter(), budget, |file, budget| {
            let mut entry = object!({
                "id": file.id, "name": file.name, "content": Value::Null, "language": file.kind.language,
                "type": file.kind.told(file.is_based()), "url": file.url(),
            });
            if with_versions && file.is_based() {
                entry["versions"] = self.versions(file, budget).into();
            }
            self.fill(&mut entry, "content", file, budget);
            entry
        })
    }

    /// An entry for each file, as many of the newest as there is room for.
    fn entries<'a>(
        &self,
        files: impl DoubleEndedIterator<Item = &'a ChatFile>,
        budget: &mut Budget,
        entry: impl Fn(&ChatFile, &mut Budget) -> Value,
    ) -> Vec<Value> {
        let mut entries = Vec::new();
        for file in files.rev() {
            if budget.is_spent() {
                break;
            }
            entries.push(entry(file, budget));
        }
        entries.reverse();
        entries
    }

    /// Puts a file's text into its entry, if it is shown and there is room.
    fn fill(&self, entry: &mut Value, key: &str, file: &ChatFile, budget: &mut Budget) {
        let text = self.texts.get(&file.id).filter(|text| text.len() <= INLINE);
        let text = match text {
            // Nothing to show, and nothing is left out.
            None if !file.is_shown() || file.size == 0 => {
                budget.spend(entry);
                entry[key] = "".into();
                return;
            }
            text => text.map(|text| Value::from(text.as_str())),
        };
        budget.spend(entry);
        match (text.filter(|text| budget.take(text)), self.protocol) {
            (Some(text), _) => entry[key] = text,
            (None, Protocol::V1) => entry[key] = self.left_out(),
            (None, Protocol::V2) => {
                entry["truncated"] = true.into();
                entry["url"] = file.url().into();
            }
        }
    }

    /// A file's versions, oldest first, each with what is different in the newest; as many as there is room for.
    fn versions(&self, file: &ChatFile, budget: &mut Budget) -> Vec<Value> {
        let versions = self.versions.get(&file.id).map_or(&[][..], Vec::as_slice);
        let newest = versions
            .first()
            .and_then(|newest| newest.content.as_deref());
        let mut shown = Vec::new();
        for version in versions {
            let mut entry = object!({ "version_id": version.id, "timestamp": version.timestamp });
            if !budget.take(&entry) {
                break;
            }
            let texts = version.content.as_deref().zip(newest);
            let diff = texts
                .filter(|_| !budget.is_spent() && Instant::now() < self.deadline)
                .map(|(content, newest)| Value::from(unified_diff(content, newest)))
                .filter(|diff| budget.take(diff));
            entry["diff"] = diff.unwrap_or_else(|| self.left_out());
            shown.push(entry);
        }
        shown.reverse();
        shown
    }

    /// What is shown of a text for which there is no room.
    fn left_out(&self) -> Value {
        match self.protocol {
            Protocol::V1 => "".into(),
            Protocol::V2 => Value::Null,
        }
    }
}

/// The newest versions of files, newest first, with their texts as far as those are to be shown.
async fn versions(db: &mut Db, files: &[ChatFile]) -> Result<HashMap<String, Vec<Version>>> {
    let versioned = files.iter().filter(|file| file.versioned);
    let ids: Vec<&str> = versioned.map(|file| file.id.as_str()).collect();
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = db
        .query(
            "SELECT chat_file_id, id, timestamp,
                 CASE WHEN bytes <= ?3 AND sum(min(bytes, ?3)) OVER (ORDER BY place DESC) <= ?4 THEN content END
             FROM (
                 SELECT version.*, version.rowid AS place, octet_length(version.content) AS bytes,
                     row_number() OVER (PARTITION BY chat_file_id ORDER BY version.rowid DESC) AS age
                 FROM json_each(?1) AS asked JOIN chat_file_version AS version ON version.chat_file_id = asked.value
             )
             WHERE age <= ?2 ORDER BY place DESC",
            params![json!(ids).to_string(), VERSIONS, INLINE as i64, VERSION_BYTES],
        )
        .await?;
    let mut versions: HashMap<String, Vec<Version>> = HashMap::new();
    for mut row in rows {
        let file = row.text(0);
        versions.entry(file).or_default().push(Version {
            id: row.text(1),
            timestamp: row.text(2),
            content: row.opt_text(3),
        });
    }
    Ok(versions)
}
