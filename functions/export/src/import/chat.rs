//! `chat.json`: a chat with its messages, files and versions.

use std::collections::{HashMap, HashSet};

use kafka_common::api::MAX_NAME_CHARS;
use kafka_common::api::actions::MAX_FILE_IDS;
use kafka_common::api::export::ExportedVersion;
use kafka_common::api::relay::{MAX_NOTE_CHARS, Message};
use kafka_common::api::words::{MessageKind, Status};
use kafka_common::db::{self, Db};
use kafka_common::error::{Error, Result};
use kafka_common::room::Thing;
use kafka_common::{clock, files, owner, params};
use kafka_unpack::json::{Event, Fields, Shape, Take};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::files::MAX_FILENAME_BYTES;
use super::parts::{FileRow, MessageRow, Parts, VersionRow};
use super::refused;
use super::settings::{Checked, Settings};
use super::user::check_version;
use super::work::{Work, check_length, parse};

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

/// The largest number that marks a branch as chosen: of a chat's changes.
const MAX_REV: i64 = 1 << 53;

const FIND: &str = include_str!("chat.sql");
const FIND_FILE: &str = include_str!("file.sql");
const MAKE: &str = include_str!("make_chat.sql");
const SET_CHAT: &str = include_str!("set_chat.sql");
const SETTLE: &str = include_str!("settle.sql");

/// The document, as far as it has come.
#[derive(Default)]
pub struct Chat {
    /// The fields before the first message or file.
    fields: Map<String, Value>,
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
    head: Head,
    settings: Checked,
    id: String,
    parts: Parts,
    num_messages: i64,
    /// The new ids of the messages that have come, since a message may follow only one that came before: of a circle there
    /// is no way down and none up.
    messages: HashSet<String>,
    /// Of reasoning.
    reasoning_bytes: i64,
    rev: i64,
    /// When the last message was added.
    last: Option<i64>,
    /// The file whose fields come.
    file: Option<Map<String, Value>>,
    /// The new id of that file, which has its row.
    file_id: Option<String>,
    /// The ids of files that messages name, by those in the archive.
    named: HashMap<String, String>,
}

/// The fields of a chat.
#[derive(Deserialize)]
struct Head {
    id: String,
    name: String,
    workspace_id: String,
    last_updated: Option<String>,
    active_at: Option<String>,
    #[serde(default)]
    is_pinned: bool,
    #[serde(default)]
    is_archived: bool,
    head_id: Option<String>,
    #[serde(default)]
    settings: Option<Settings>,
}

/// A message of the archive.
#[derive(Deserialize)]
struct Exported {
    #[serde(flatten)]
    message: Message,
    #[serde(default)]
    selected: i64,
}

/// The fields of a chat's file.
#[derive(Deserialize)]
struct FileHead {
    id: String,
    file_id: Option<String>,
    filename: String,
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
            self.state = Open::begin(path, std::mem::take(&mut self.fields), work).await?;
        }
        let State::Open(open) = &mut self.state else {
            return Ok(());
        };
        match event {
            Event::Value("messages", json) => open.message(path, &json, work).await?,
            Event::Value("versions", json) => open.version(path, &json, work).await?,
            Event::Value(name, json) => {
                let value = parse(path, name, &json)?;
                if open.file_id.is_some() {
                    let late = format_args!("the {name} of a file comes after its versions");
                    return Err(refused(path, late));
                }
                open.file
                    .get_or_insert_default()
                    .insert(name.to_owned(), value);
            }
            Event::Begin(_) => open.file = Some(Map::new()),
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
            State::Begins => {
                if name == "version" {
                    check_version(path, json)?;
                }
                let value = parse(path, name, json)?;
                self.fields.insert(name.to_owned(), value);
                Ok(())
            }
        }
    }

    /// The document is complete: makes the chat.
    pub async fn end(mut self, path: &str, work: &mut Work) -> Result<()> {
        if matches!(self.state, State::Begins) {
            self.state = Open::begin(path, std::mem::take(&mut self.fields), work).await?;
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
    async fn begin(path: &str, fields: Map<String, Value>, work: &mut Work) -> Result<State> {
        if !fields.contains_key("version") {
            return Err(refused(path, "it does not begin with its version"));
        }
        let head: Result<Head, _> = serde_json::from_value(Value::Object(fields));
        let mut head = head.map_err(|error| refused(path, error))?;
        check_length(path, "the name of the chat", &head.name, MAX_NAME_CHARS)?;
        let id = work.id("chat", &head.id);
        let asked = params![work.user.as_str(), head.id.as_str(), id.as_str()];
        let found: Option<String> = Db::open().await?.query_one_as(FIND, asked).await?;
        if found.is_some() {
            work.done.there_already.chats += 1;
            return Ok(State::PassedOver);
        }
        let settings = head.settings.take().unwrap_or_default().check(path)?;
        Ok(State::Open(Box::new(Self {
            head,
            settings,
            id,
            parts: Parts::default(),
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
        let Exported { message, selected } = parse(path, &what, json)?;
        if !(0..=MAX_REV).contains(&selected) {
            return Err(refused(
                path,
                format_args!("{what}: selected is out of range"),
            ));
        }
        if let Some(note) = &message.note {
            check_length(path, "a note", note, MAX_NOTE_CHARS)?;
        }
        let (created_at, millis) = time(path, message.created_at.as_str())?;
        self.last = self.last.max(Some(millis));
        self.rev = self.rev.max(selected + 1);
        let content = match message.kind {
            MessageKind::File => self.about_file(message.content, work).await?,
            MessageKind::Text => message.content,
        };
        let reasoning = message.reasoning.unwrap_or_default();
        self.reasoning_bytes += reasoning.len() as i64;
        if message.file_ids.len() > MAX_FILE_IDS {
            let most = format_args!("{what} has more than {MAX_FILE_IDS} files");
            return Err(refused(path, most));
        }
        let files = message.file_ids.iter();
        let files: Vec<_> = files.map(|file| work.id("file", file.as_str())).collect();
        let file_ids = (!files.is_empty()).then(|| serde_json::json!(files).to_string());
        let id = |source: &str| work.id(&self.id, source);
        let parent = message.parent_id.map(|parent| id(parent.as_str()));
        if parent.as_ref().is_some_and(|parent| !self.messages.contains(parent)) {
            let late = format_args!("{what} follows one that is not before it");
            return Err(refused(path, late));
        }
        let id = id(message.id.as_str());
        if !self.messages.insert(id.clone()) {
            return Err(refused(path, format_args!("the id of {what} is in it twice")));
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
            selected,
            reasoning,
            rating: message.rating,
            note: message.note,
            file_ids,
            finish_reason: message.finish_reason,
            usage: message.usage.map(|usage| usage.to_string()),
            error: message.error,
        };
        self.parts.message(row).await
    }

    /// The content of a message about a file, with the file's new id.
    async fn about_file(&mut self, content: String, work: &Work) -> Result<String> {
        let Ok(mut about) = serde_json::from_str::<Map<String, Value>>(&content) else {
            // A sentence.
            return Ok(content);
        };
        let Some(Value::String(source)) = about.get("file_id").cloned() else {
            return Ok(content);
        };
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

    /// Adds the row of the file whose fields have come.
    async fn add_file(&mut self, path: &str, work: &Work) -> Result<String> {
        if let Some(id) = &self.file_id {
            return Ok(id.clone());
        }
        let fields = self.file.take().unwrap_or_default();
        let head: Result<FileHead, _> = serde_json::from_value(Value::Object(fields));
        let head = head.map_err(|error| refused(path, format_args!("a file: {error}")))?;
        if head.filename.len() > MAX_FILENAME_BYTES {
            let most = format_args!("a name has more than {MAX_FILENAME_BYTES} bytes");
            return Err(refused(path, most));
        }
        let id = work.id("file", &head.id);
        self.file = Some(Map::new());
        self.file_id = Some(id.clone());
        let row = FileRow {
            id: id.clone(),
            filename: head.filename,
            source: head.file_id,
        };
        self.parts.file(row).await?;
        Ok(id)
    }

    async fn version(&mut self, path: &str, json: &[u8], work: &Work) -> Result<()> {
        let file = self.add_file(path, work).await?;
        let version: ExportedVersion = parse(path, "a version", json)?;
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

    /// Makes the chat, whole or not at all. From its commit on it is there like any other: this is the place for what
    /// other clients of the user are sent about it.
    async fn make(mut self: Box<Self>, path: &str, work: &mut Work) -> Result<()> {
        let workspace = work.workspace(&self.head.workspace_id).await?;
        let last_updated = self.head.last_updated.as_deref();
        let last_updated = last_updated.map(|text| time(path, text)).transpose()?;
        let active_at = self.head.active_at.as_deref();
        let active_at = active_at.map(|text| time(path, text)).transpose()?;
        // Archives from before lists were ordered so have none.
        let active_at = active_at
            .map(|(_, millis)| millis)
            .or(self.last)
            .or(last_updated.as_ref().map(|(_, millis)| *millis));
        let mut db = Db::open().await?;
        let mut tx = db.begin().await?;
        let made = params![
            self.id.as_str(),
            self.head.name.as_str(),
            last_updated.map(|(text, _)| text),
            workspace,
            work.user.as_str(),
            work.caller.most(Thing::Chats),
            i64::from(self.head.is_pinned),
            i64::from(self.head.is_archived)
        ];
        match tx.query_one(MAKE, made).await {
            Ok(Some(_)) => {}
            // Another request has made it meanwhile.
            Err(db::Error::Unique(_)) => {
                drop(tx);
                work.done.there_already.chats += 1;
                self.parts.give_up().await;
                return Ok(());
            }
            Ok(None) => {
                drop(tx);
                self.parts.give_up().await;
                let missing = Error::workspace_not_found();
                return Err(
                    owner::why_no_other(&mut db, &work.caller, Thing::Chats, missing).await,
                );
            }
            Err(error) => return Err(error.into()),
        }
        let head = self
            .head
            .head_id
            .as_deref()
            .map(|head| work.id(&self.id, head));
        let bytes = self.reasoning_bytes + self.settings.bytes;
        let parts = std::mem::take(&mut self.parts);
        let filled = async {
            self.settings
                .set(&mut tx, work, SET_CHAT, "chat_model", &self.id)
                .await?;
            parts.insert(&mut tx, work, &self.id).await?;
            let settled = params![
                self.id.as_str(),
                head,
                self.rev,
                active_at.unwrap_or_default(),
                bytes
            ];
            tx.execute(SETTLE, settled).await?;
            files::check_room_for_files(&mut tx, &work.caller).await?;
            tx.commit().await?;
            Ok(())
        };
        let filled: Result<()> = filled.await;
        filled.map_err(|error| match error {
            Error::Internal(cause)
                if matches!(
                    cause.downcast_ref(),
                    Some(db::Error::Unique(_) | db::Error::ForeignKey(_))
                ) =>
            {
                refused(path, "an id is in it twice")
            }
            error => error,
        })?;
        work.done.made.chats += 1;
        Ok(())
    }
}

/// A time of the archive in our form, and in milliseconds since 1970.
fn time(path: &str, text: &str) -> Result<(String, i64)> {
    match clock::read(text) {
        Some((time, millis)) => Ok((time.into(), millis)),
        None => Err(refused(path, "a time is not in the form of ISO 8601")),
    }
}
