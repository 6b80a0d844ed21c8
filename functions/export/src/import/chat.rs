//! `chat.json`: a chat with its messages, files and versions.

mod head;
mod make;

use std::collections::{HashMap, HashSet};

use kafka_common::api::MAX_ID_CHARS;
use kafka_common::api::export::ExportedVersion;
use kafka_common::api::words::{MessageKind, Status};
use kafka_common::db::Db;
use kafka_common::error::Result;
use kafka_common::params;
use kafka_unpack::json::{Event, Fields, Shape, Take};
use serde_json::{Map, Value};

use self::head::{FileHead, Head, needed, time};
use super::message::Exported;
use super::parts::{FileRow, MessageRow, Parts, VersionRow};
use super::refused;
use super::settings::Checked;
use super::work::{Work, check_id, parse};

const FILE: Fields = &[
    ("id", Take::Whole),
    ("file_id", Take::Whole),
    ("filename", Take::Whole),
    ("versions", Take::Each),
];

/// What is taken of the document.
pub const CHAT: Shape = Shape::Object(&[
    ("version", Take::Whole),
    ("id", Take::Whole),
    ("name", Take::Whole),
    ("workspace_id", Take::Whole),
    ("last_updated", Take::Whole),
    ("active_at", Take::Whole),
    ("is_pinned", Take::Whole),
    ("is_archived", Take::Whole),
    ("head_id", Take::Whole),
    ("settings", Take::Whole),
    ("messages", Take::Each),
    ("files", Take::Objects(FILE)),
]);

/// How many messages, files and versions a chat may have together, since it is made by one transaction.
const MAX_ROWS: usize = 100_000;

/// How many bytes their texts may have.
const MAX_BYTES: usize = 128 << 20;

/// How long the text of a message about a file may be to be looked into, in bytes. A longer one has the text of a file, and no
/// id.
const MAX_ABOUT_BYTES: usize = 64 << 10;

const FIND: &str = include_str!("chat.sql");
const FIND_FILE: &str = include_str!("file.sql");
const TAKEN: &str = include_str!("taken.sql");

/// The document, as far as it has come.
#[derive(Default)]
pub struct Chat {
    /// The fields before the first message or file.
    head: Head,
    state: State,
}

#[derive(Default)]
enum State {
    /// Its first fields come.
    #[default]
    Begins,
    /// It is here already, or too large.
    PassedOver,
    Open(Box<Open>),
}

/// A chat whose messages and files come.
struct Open {
    name: String,
    workspace: String,
    head: Head,
    settings: Checked,
    id: String,
    parts: Parts,
    num_messages: i64,
    /// The new ids of the messages that have come, since a message may follow only one that came before it: of a circle there
    /// is no way down and none up.
    messages: HashSet<String>,
    /// Of reasoning.
    reasoning_bytes: i64,
    rev: i64,
    /// When the last message was added.
    last: Option<i64>,
    /// The file whose fields come.
    file: Option<FileHead>,
    /// The new id of that file, which has its row.
    file_id: Option<String>,
    /// The ids of files that messages name, by those in the archive.
    named: HashMap<String, String>,
}

impl Chat {
    /// A value of the document.
    pub async fn take(&mut self, path: &str, event: Event, work: &mut Work) -> Result<()> {
        let is_field = matches!(&event, Event::Value(name, _) if *name != "messages");
        let is_in_file = matches!(&self.state, State::Open(open) if open.file.is_some());
        if is_field && !is_in_file && !matches!(event, Event::Value("versions", _)) {
            if let Event::Value(name, json) = event {
                return self.field(path, name, &json);
            }
            return Ok(());
        }
        if matches!(self.state, State::Begins) {
            self.state = Open::begin(path, std::mem::take(&mut self.head), work).await?;
        }
        let State::Open(open) = &mut self.state else {
            return Ok(());
        };
        match event {
            Event::Value("messages", json) => open.message(path, &json, work).await?,
            Event::Value("versions", json) => open.version(path, &json, work).await?,
            Event::Value(name, json) => {
                if open.file_id.is_some() {
                    let late = format_args!("the {name} of a file comes after its versions");
                    return Err(refused(path, late));
                }
                open.file.get_or_insert_default().take(path, name, &json)?;
            }
            Event::Begin(_) => open.file = Some(FileHead::default()),
            Event::End => {
                open.add_file(path, work).await?;
                open.file = None;
                open.file_id = None;
            }
        }
        if open.parts.rows > MAX_ROWS || open.parts.bytes > MAX_BYTES {
            let reason = format!(
                "A chat of more than {MAX_ROWS} messages and versions, or {MAX_BYTES} bytes of them, can't be imported."
            );
            work.leave_out(path, reason);
            self.give_up_parts().await;
        }
        Ok(())
    }

    fn field(&mut self, path: &str, name: &str, json: &[u8]) -> Result<()> {
        match self.state {
            State::PassedOver => Ok(()),
            State::Open(_) => Err(refused(
                path,
                format_args!("its {name} comes after its messages or files"),
            )),
            State::Begins => self.head.take(path, name, json),
        }
    }

    /// The document is complete: makes the chat.
    pub async fn end(mut self, path: &str, work: &mut Work) -> Result<()> {
        if matches!(self.state, State::Begins) {
            self.state = Open::begin(path, std::mem::take(&mut self.head), work).await?;
        }
        match self.state {
            State::Open(open) => open.make(path, work).await,
            _ => Ok(()),
        }
    }

    async fn give_up_parts(&mut self) {
        if let State::Open(open) = std::mem::replace(&mut self.state, State::PassedOver) {
            open.parts.give_up().await;
        }
    }

    /// The document will not be complete.
    pub async fn give_up(mut self) {
        self.give_up_parts().await;
    }
}

impl Open {
    /// Begins the chat, unless it is here already.
    async fn begin(path: &str, mut head: Head, work: &mut Work) -> Result<State> {
        if !head.has_version {
            return Err(refused(path, "it does not begin with its version"));
        }
        let source = needed(path, "id", head.id.take())?;
        let name = needed(path, "name", head.name.take())?;
        let workspace = needed(path, "workspace_id", head.workspace_id.take())?;
        let id = work.id("chat", &source);
        let asked = params![work.user.as_str(), source, id.as_str()];
        let found: Option<String> = Db::open().await?.query_one_as(FIND, asked).await?;
        if found.is_some() {
            work.done.there_already.chats += 1;
            return Ok(State::PassedOver);
        }
        let settings = head.settings.take().unwrap_or_default().check(path)?;
        Ok(State::Open(Box::new(Self {
            name,
            workspace,
            head,
            settings,
            id,
            parts: Parts::within(work.room.clone()),
            num_messages: 0,
            messages: HashSet::new(),
            reasoning_bytes: 0,
            rev: 1,
            last: None,
            file: None,
            file_id: None,
            named: HashMap::new(),
        })))
    }

    async fn message(&mut self, path: &str, json: &[u8], work: &Work) -> Result<()> {
        self.num_messages += 1;
        let what = format!("message {}", self.num_messages);
        let message = Exported::read(path, &what, json)?;
        let (created_at, millis) = time(path, &message.created_at)?;
        self.last = self.last.max(Some(millis));
        self.rev = self.rev.max(message.selected + 1);
        let usage = message.usage(path, &what)?;
        let files = message.file_ids(path, &what)?;
        let files = self.attachments(&files, work).await?;
        let file_ids = (!files.is_empty()).then(|| serde_json::json!(files).to_string());
        let content = match message.kind {
            MessageKind::File => self.about_file(message.content, work).await?,
            MessageKind::Text => message.content,
        };
        let reasoning = message.reasoning.unwrap_or_default();
        self.reasoning_bytes += reasoning.len() as i64;
        let id = |source: &str| work.id(&self.id, source);
        let parent = message.parent_id.map(|parent| id(&parent));
        if parent
            .as_ref()
            .is_some_and(|parent| !self.messages.contains(parent))
        {
            let late = format_args!("{what} follows one that is not before it");
            return Err(refused(path, late));
        }
        let id = id(&message.id);
        if !self.messages.insert(id.clone()) {
            return Err(refused(
                path,
                format_args!("the id of {what} is in it twice"),
            ));
        }
        let row = MessageRow {
            id,
            parent,
            position: self.num_messages,
            role: message.role,
            kind: message.kind,
            content,
            created_at,
            status: match message.status {
                // Its writer is elsewhere.
                Status::Running => Status::Interrupted,
                status => status,
            },
            model: message.model,
            selected: message.selected,
            reasoning,
            rating: message.rating,
            note: message.note,
            file_ids,
            finish_reason: message.finish_reason,
            usage,
            error: message.error,
        };
        self.parts.message(row).await
    }

    /// The content of a message about a file, with the file's new id.
    async fn about_file(&mut self, content: String, work: &Work) -> Result<String> {
        if content.len() > MAX_ABOUT_BYTES {
            return Ok(content);
        }
        let Ok(mut about) = serde_json::from_str::<Map<String, Value>>(&content) else {
            // A sentence.
            return Ok(content);
        };
        let Some(Value::String(source)) = about.get("file_id").cloned() else {
            return Ok(content);
        };
        if source.len() > MAX_ID_CHARS {
            return Ok(content);
        }
        let id = match self.named.get(&source) {
            Some(id) => id.clone(),
            None => {
                let made = work.id("file", &source);
                let asked = params![work.user.as_str(), source.as_str(), made.as_str()];
                let found: Option<String> =
                    Db::open().await?.query_one_as(FIND_FILE, asked).await?;
                let id = found.unwrap_or(made);
                self.named.insert(source.clone(), id.clone());
                id
            }
        };
        if let Some(Value::String(path)) = about.get_mut("path") {
            *path = path.replace(&source, &id);
        }
        about.insert("file_id".to_owned(), id.into());
        Ok(Value::Object(about).to_string())
    }

    /// The ids that files of the archive's chat get: those of the files, or others where a chat that is here has an attachment
    /// of this id, since a file that came before was attached to it.
    async fn attachments(&self, sources: &[String], work: &Work) -> Result<Vec<String>> {
        let ids = sources.iter().map(|source| work.id("file", source));
        let mut ids: Vec<String> = ids.collect();
        if ids.is_empty() {
            return Ok(ids);
        }
        let asked = params![serde_json::json!(ids).to_string()];
        let taken: Vec<String> = Db::open().await?.query_as(TAKEN, asked).await?;
        for (id, source) in ids.iter_mut().zip(sources) {
            if taken.contains(id) {
                *id = work.id(&format!("file of {}", self.id), source);
            }
        }
        Ok(ids)
    }

    /// Adds the row of the file whose fields have come.
    async fn add_file(&mut self, path: &str, work: &Work) -> Result<String> {
        if let Some(id) = &self.file_id {
            return Ok(id.clone());
        }
        let head = self.file.take().unwrap_or_default();
        let source = [needed(path, "id of a file", head.id)?];
        let id = self.attachments(&source, work).await?.remove(0);
        self.file = Some(FileHead::default());
        self.file_id = Some(id.clone());
        let row = FileRow {
            id: id.clone(),
            filename: needed(path, "filename of a file", head.filename)?,
            source: head.file_id,
        };
        self.parts.file(row).await?;
        Ok(id)
    }

    async fn version(&mut self, path: &str, json: &[u8], work: &Work) -> Result<()> {
        let file = self.add_file(path, work).await?;
        let version: ExportedVersion = parse(path, "a version", json)?;
        check_id(path, version.id.as_str())?;
        let (timestamp, millis) = time(path, version.timestamp.as_str())?;
        self.last = self.last.max(Some(millis));
        let row = VersionRow {
            id: work.id("version", version.id.as_str()),
            file,
            timestamp,
            content: version.content,
        };
        self.parts.version(row).await
    }
}
