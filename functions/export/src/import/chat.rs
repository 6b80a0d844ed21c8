//! `chat.json`: a chat with its messages, files and versions.

use std::collections::{HashMap, HashSet};

use kafka_common::api::export::ExportedVersion;
use kafka_common::api::words::{MessageKind, Status};
use kafka_common::api::{MAX_ID_CHARS, MAX_NAME_CHARS};
use kafka_common::db::{self, Db};
use kafka_common::error::{Error, Result};
use kafka_common::room::{Stored, Thing};
use kafka_common::{clock, files, owner, params};
use kafka_unpack::json::{Event, Fields, Shape, Take};
use serde_json::{Map, Value};

use super::files::MAX_FILENAME_BYTES;
use super::message::Exported;
use super::parts::{FileRow, MessageRow, Parts, VersionRow};
use super::refused;
use super::settings::{self, Checked, Settings};
use super::user::check_version;
use super::work::{Work, check_id, check_length, parse};

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

/// How many bytes a message may have beside its texts before they count as stored, as those of replies that are written here
/// never do.
const FREE_BYTES: usize = 256;

/// How long the text of a message about a file may be to be looked into, in bytes. A longer one has the text of a file, and no
/// id.
const MAX_ABOUT_BYTES: usize = 64 << 10;

const FIND: &str = include_str!("chat.sql");
const FIND_FILE: &str = include_str!("file.sql");
const MAKE: &str = include_str!("make_chat.sql");
const SET_CHAT: &str = include_str!("set_chat.sql");
const SETTLE: &str = include_str!("settle.sql");

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

/// A time in our form, and in milliseconds since 1970.
type Time = (String, i64);

/// The fields of a chat. Each is read into its type as it comes: a value of any shape takes many times its length.
#[derive(Default)]
struct Head {
    has_version: bool,
    id: Option<String>,
    name: Option<String>,
    workspace_id: Option<String>,
    last_updated: Option<Time>,
    active_at: Option<Time>,
    is_pinned: bool,
    is_archived: bool,
    head_id: Option<String>,
    settings: Option<Settings>,
}

impl Head {
    fn take(&mut self, path: &str, name: &str, json: &[u8]) -> Result<()> {
        match name {
            "version" => {
                check_version(path, json)?;
                self.has_version = true;
            }
            "id" => self.id = Some(id(path, name, json)?),
            "name" => {
                let text: String = parse(path, name, json)?;
                check_length(path, "the name of the chat", &text, MAX_NAME_CHARS)?;
                self.name = Some(text);
            }
            "workspace_id" => self.workspace_id = Some(id(path, name, json)?),
            "last_updated" => self.last_updated = optional_time(path, name, json)?,
            "active_at" => self.active_at = optional_time(path, name, json)?,
            "is_pinned" => self.is_pinned = parse(path, name, json)?,
            "is_archived" => self.is_archived = parse(path, name, json)?,
            "head_id" => self.head_id = optional_id(path, name, json)?,
            _ => self.settings = settings::read(path, name, json)?,
        }
        Ok(())
    }
}

/// The fields of a chat's file.
#[derive(Default)]
struct FileHead {
    id: Option<String>,
    file_id: Option<String>,
    filename: Option<String>,
}

impl FileHead {
    fn take(&mut self, path: &str, name: &str, json: &[u8]) -> Result<()> {
        match name {
            "id" => self.id = Some(id(path, name, json)?),
            "file_id" => self.file_id = optional_id(path, name, json)?,
            _ => {
                let text: String = parse(path, name, json)?;
                if text.len() > MAX_FILENAME_BYTES {
                    let most = format_args!("a name has more than {MAX_FILENAME_BYTES} bytes");
                    return Err(refused(path, most));
                }
                self.filename = Some(text);
            }
        }
        Ok(())
    }
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
        let files = message.file_ids(path, &what)?.into_iter();
        let files: Vec<_> = files.map(|file| work.id("file", &file)).collect();
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

    /// Adds the row of the file whose fields have come.
    async fn add_file(&mut self, path: &str, work: &Work) -> Result<String> {
        if let Some(id) = &self.file_id {
            return Ok(id.clone());
        }
        let head = self.file.take().unwrap_or_default();
        let id = work.id("file", &needed(path, "id of a file", head.id)?);
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

    /// Makes the chat, whole or not at all. From its commit on it is there like any other: this is the place for what
    /// other clients of the user are sent about it.
    async fn make(mut self: Box<Self>, path: &str, work: &mut Work) -> Result<()> {
        let mut parts = std::mem::take(&mut self.parts);
        let made = self.make_with(&mut parts, path, work).await;
        match made {
            Ok(true) => work.done.made.chats += 1,
            Ok(false) => work.done.there_already.chats += 1,
            Err(_) => {}
        }
        if !matches!(made, Ok(true)) {
            parts.give_up().await;
        }
        made.map(drop)
    }

    /// False: another request has made it meanwhile.
    async fn make_with(
        mut self: Box<Self>,
        parts: &mut Parts,
        path: &str,
        work: &mut Work,
    ) -> Result<bool> {
        let workspace = work.workspace(&self.workspace).await?;
        let last_updated = self.head.last_updated.take();
        let active_at = self.head.active_at.take();
        // Archives from before lists were ordered so have none.
        let active_at = active_at
            .map(|(_, millis)| millis)
            .or(self.last)
            .or(last_updated.as_ref().map(|(_, millis)| *millis));
        let mut db = Db::open().await?;
        // Before the write lock is taken for all its rows, which could be in vain.
        let settings_bytes = usize::try_from(self.settings.bytes).unwrap_or(0);
        let beside = parts.beside.saturating_sub(FREE_BYTES * parts.rows);
        let bytes = parts.texts + beside + settings_bytes;
        check_room(&mut db, work, parts, bytes).await?;
        let mut tx = db.begin().await?;
        let made = params![
            self.id.as_str(),
            self.name.as_str(),
            last_updated.map(|(text, _)| text),
            workspace,
            work.user.as_str(),
            work.caller.most(Thing::Chats),
            i64::from(self.head.is_pinned),
            i64::from(self.head.is_archived)
        ];
        match tx.query_one(MAKE, made).await {
            Ok(Some(_)) => {}
            Err(db::Error::Unique(_)) => return Ok(false),
            Ok(None) => {
                drop(tx);
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
        let bytes = self.reasoning_bytes + self.settings.bytes + beside as i64;
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
        Ok(true)
    }
}

/// An error where the user has no room for `bytes` of texts, or for the files.
async fn check_room(db: &mut Db, work: &Work, parts: &Parts, bytes: usize) -> Result<()> {
    let caller = &work.caller;
    if caller.quota().is_none() && caller.most(Thing::Files).is_none() {
        return Ok(());
    }
    let stored = Stored::now(db, &work.user).await?;
    // What is staged goes when its rows come.
    let others = stored.bytes.saturating_sub(parts.staged_bytes() as u64);
    caller.check_bytes(i64::try_from(others).unwrap_or(i64::MAX), bytes)?;
    if parts.files > 0 {
        let files = stored.count(Thing::Files) + parts.files as i64 - 1;
        caller.check_another(Thing::Files, files)?;
    }
    Ok(())
}

/// A time of the archive in our form, and in milliseconds since 1970.
fn time(path: &str, text: &str) -> Result<Time> {
    match clock::read(text) {
        Some((time, millis)) => Ok((time.into(), millis)),
        None => Err(refused(path, "a time is not in the form of ISO 8601")),
    }
}

fn optional_time(path: &str, name: &str, json: &[u8]) -> Result<Option<Time>> {
    let text: Option<String> = parse(path, name, json)?;
    text.map(|text| time(path, &text)).transpose()
}

fn id(path: &str, name: &str, json: &[u8]) -> Result<String> {
    let id = parse(path, name, json)?;
    check_id(path, &id)?;
    Ok(id)
}

fn optional_id(path: &str, name: &str, json: &[u8]) -> Result<Option<String>> {
    let id: Option<String> = parse(path, name, json)?;
    check_id(path, id.as_deref().unwrap_or_default())?;
    Ok(id)
}

/// 400 for a field that did not come.
fn needed(path: &str, name: &str, field: Option<String>) -> Result<String> {
    field.ok_or_else(|| refused(path, format_args!("it has no {name}")))
}
