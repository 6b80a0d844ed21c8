//! What the model is asked, and how it is reached.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use bytes::Bytes;
use http::HeaderMap;
use kafka_common::api::words::TextState;
use kafka_common::attachments::FILES_FOR_MODEL;
use kafka_common::db::{self, Db};
use kafka_common::error::Error;
use kafka_common::message_files::{self, MessageFile};
use kafka_common::reply::{Begun, Model};
use kafka_common::seal::headers_row;
use kafka_common::{attachments, file_text, params, seal, texts};
use kafka_llm::context::{self, Attached, Entry, FileText, Share};
use kafka_llm::settings::parse_headers;
use kafka_llm::{
    Adaptation, BaseUrl, Call, Image, KeyHeader, Learnt, MessageKind, RequestSettings, Role, Turn,
    check_base_url, composer,
};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::send::Timeouts;
use crate::settings::Settings;

/// How many messages of the branch are looked at.
const TURNS: i64 = 400;

/// How many files of messages are looked at, those of the newest.
const MESSAGE_FILES: usize = 200;

/// How long the images of a question are together at most, in bytes: each is there several times while it is sent.
const IMAGE_BYTES: usize = 16_000_000;

/// How long a reply waits for texts of files, and for images of pictures. What comes later is for the next one.
const TEXTS_PATIENCE: Duration = Duration::from_secs(5);

const BRANCH: &str = include_str!("branch.sql");

/// A model that may be asked.
pub struct Reachable {
    base_url: BaseUrl,
    key: String,
    name: String,
    request: RequestSettings,
}

impl Reachable {
    /// Looks whether the model's address may be called, and opens its key. `parameters` are further fields of its requests. The error is for the person who waits.
    pub async fn check(
        model: &Model,
        settings: &Settings,
        parameters: Map<String, Value>,
    ) -> Result<Self, String> {
        let base_url = check_base_url(&model.base_url, &settings.policy)?;
        let open = async |row: &str, sealed: &str, what: &str| {
            let opened = seal::open(&model.owner, row, &model.base_url, sealed).await;
            opened.map_err(|error| {
                if let Error::Internal(cause) = error.into() {
                    tracing::error!(model = model.id, "the {what} of the model: {cause:#}");
                }
                format!("The {what} of this model can't be read any more. Please enter it again.")
            })
        };
        let key = open(&model.id, &model.sealed_key, "API key").await?;
        let headers = match &model.sealed_headers {
            Some(sealed) => {
                let json = open(&headers_row(&model.id), sealed, "headers").await?;
                parse_headers(&json)?
            }
            None => HeaderMap::new(),
        };
        let key_header = model.key_header.as_deref().and_then(KeyHeader::parse);
        Ok(Self {
            base_url,
            key,
            name: model.name.clone(),
            request: RequestSettings {
                headers,
                query: model.query.clone().unwrap_or_default(),
                key_header: key_header.unwrap_or_default(),
                parameters,
            },
        })
    }

    /// The call that asks it this.
    pub fn call<'a>(&'a self, messages: &'a [Turn]) -> Call<'a> {
        Call {
            base_url: &self.base_url,
            key: &self.key,
            model: &self.name,
            messages,
            settings: &self.request,
        }
    }
}

/// What a model's refusals have taught. What can't be read is learnt again.
pub fn learnt(model: &Model) -> Learnt {
    let json = model.learnt.as_deref();
    let learnt: Option<Learnt> = json.and_then(|json| serde_json::from_str(json).ok());
    Learnt {
        images: model.takes_images,
        ..learnt.unwrap_or_default()
    }
}

/// A question, and the model that it is for.
pub struct Question {
    model: Reachable,
    material: Material,
    context_chars: usize,
    timeouts: Timeouts,
}

impl Question {
    /// The call that asks this model something.
    pub fn call<'a>(&'a self, messages: &'a [Turn]) -> Call<'a> {
        self.model.call(messages)
    }

    /// How long to wait for the model.
    pub fn timeouts(&self) -> Timeouts {
        self.timeouts
    }

    /// What the model gets to read, as long as it may be, and then `more`.
    pub fn messages(&self, adaptation: &Adaptation, more: &[Turn]) -> Vec<Turn> {
        let more_chars = more.iter().map(Turn::chars);
        let chars = adaptation.context_chars(self.context_chars);
        let chars = chars.saturating_sub(more_chars.sum());
        let share = match adaptation.is_too_long() {
            true => Share::FilesFirst,
            false => Share::Even,
        };
        let mut messages = self
            .material
            .messages(chars, share, adaptation.most_images());
        messages.extend_from_slice(more);
        messages
    }

    /// Which pictures of the prompt are not in these messages, and why, for the person who reads the reply; `None`: all
    /// are.
    pub fn left_out(&self, messages: &[Turn], adaptation: &Adaptation) -> Option<String> {
        let prompt = self.material.rows.last()?;
        let shown = |name: &str| {
            let mut images = messages.iter().flat_map(|turn| &turn.images);
            images.any(|image| image.name == name)
        };
        let files = prompt.files.iter();
        let unseen = files.filter(|file| match &file.attached {
            Attached::Picture(image) => !shown(&image.name),
            Attached::Unseen(_) => true,
            Attached::File(_) => false,
        });
        let unseen: Vec<&str> = unseen.map(|file| file.attached.name()).collect();
        let mut sentences = Vec::new();
        if !unseen.is_empty() {
            let names = unseen.join(", ");
            sentences.push(match adaptation.way().images {
                Some(false) => format!("This model takes no images. It has not seen {names}."),
                _ => format!(
                    "The model has not seen {names}: it did not take so many or such images."
                ),
            });
        }
        let broken = prompt.files.iter().filter_map(|file| {
            let why = file.why_none.as_ref()?;
            let name = file.attached.name();
            Some(format!("The model has not seen {name}. {why}"))
        });
        sentences.extend(broken);
        (!sentences.is_empty()).then(|| sentences.join(" "))
    }
}

/// Reads what the model is to know. The error is for the person who waits.
pub async fn question(begun: &Begun) -> Result<Question, String> {
    let settings = Settings::get().await;
    let parameters = begun.settings.parameters();
    let model = Reachable::check(&begun.model, settings, parameters).await?;
    let set = begun.model.context_chars;
    let set = set.and_then(|chars| usize::try_from(chars).ok());
    let context_chars = set.unwrap_or(settings.context_chars);
    let material = Material::read(begun, context_chars).await;
    let material = material.map_err(|error| {
        tracing::error!("the context of the reply: {error}");
        "The conversation could not be read. Please try again.".to_owned()
    })?;
    let mut timeouts = Timeouts::default();
    if let Some(seconds) = begun.model.timeout_seconds {
        timeouts.first_piece = Duration::from_secs(seconds);
    }
    Ok(Question {
        model,
        material,
        context_chars,
        timeouts,
    })
}

/// Everything that the model may get to read.
struct Material {
    system: String,
    rows: Vec<Message>,
    texts: Vec<FileText>,
    selected: Option<String>,
}

/// A message: a row.
#[derive(Deserialize)]
struct Row {
    role: Role,
    #[serde(rename = "type")]
    kind: MessageKind,
    content: Bytes,
    /// A list in JSON.
    file_ids: Option<String>,
}

/// A message with its files.
struct Message {
    role: Role,
    kind: MessageKind,
    content: String,
    files: Vec<File>,
}

/// A file of a message.
#[derive(Clone)]
struct File {
    attached: Attached,
    /// Of a picture without an image: why there is none.
    why_none: Option<String>,
}

impl Material {
    /// Reads it, as far as there may be room for it.
    async fn read(begun: &Begun, context_chars: usize) -> db::Result<Self> {
        if begun.has_files {
            wait_for_texts(&begun.chat).await?;
        }
        let mut db = Db::open().await?;
        let chars = i64::try_from(context_chars).unwrap_or(i64::MAX);
        let rows: Vec<Row> = db
            .query_as(BRANCH, params![begun.answered_id.as_str(), TURNS, chars])
            .await?;
        let rows = with_files(&mut db, rows).await?;
        let selected = begun.selected_filename.clone();
        let texts = match begun.has_files {
            true => {
                let selected = selected.as_deref();
                attachments::for_model(&mut db, &begun.chat, selected, context_chars).await?
            }
            false => Vec::new(),
        };
        let mut system = match begun.composer {
            true => composer::instructions(selected.as_deref()),
            false => composer::CHAT.to_owned(),
        };
        for instructions in &begun.settings.instructions {
            system.push_str("\n\n");
            system.push_str(&instructions.value);
        }
        Ok(Self {
            system,
            rows,
            texts,
            selected,
        })
    }

    /// What of it fits into so many characters, with so many images at most.
    fn messages(&self, chars: usize, share: Share, images: usize) -> Vec<Turn> {
        let files = self.rows.iter().map(|row| {
            let files = row.files.iter().map(|file| file.attached.clone());
            files.collect()
        });
        let files: Vec<Vec<Attached>> = files.collect();
        let rows = self.rows.iter().zip(&files);
        let entries: Vec<Entry<'_>> = rows
            .map(|(row, files)| Entry {
                role: row.role,
                kind: row.kind,
                content: &row.content,
                files,
            })
            .collect();
        let (texts, selected) = (&self.texts, self.selected.as_deref());
        context::build_sharing(
            &self.system,
            &entries,
            texts,
            selected,
            chars,
            share,
            images,
        )
    }
}

/// Reads the files of messages, those of the newest first: of so many there is an image at most, and of so many bytes.
async fn with_files(db: &mut Db, rows: Vec<Row>) -> db::Result<Vec<Message>> {
    let ids = |row: &Row| -> Vec<String> {
        let json = row.file_ids.as_deref();
        json.and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default()
    };
    let newest_first = rows.iter().rev().flat_map(ids);
    let named: Vec<String> = newest_first.take(MESSAGE_FILES).collect();
    let mut files = HashMap::new();
    if !named.is_empty() {
        let named: Vec<&str> = named.iter().map(String::as_str).collect();
        for file in message_files::read(db, &named, IMAGE_BYTES).await? {
            files
                .entry(file.id.clone())
                .or_insert_with(|| File::of(file));
        }
    }
    let rows = rows.into_iter().map(|row| Message {
        files: ids(&row)
            .iter()
            .filter_map(|id| files.get(id).cloned())
            .collect(),
        role: row.role,
        kind: row.kind,
        content: String::from_utf8_lossy(&row.content).into_owned(),
    });
    Ok(rows.collect())
}

impl File {
    fn of(file: MessageFile) -> Self {
        let why_none = match (&file.media_type, file.state) {
            (None, TextState::Failed) if file.is_picture() => file.reason,
            (None, TextState::Pending) if file.is_picture() => {
                Some("The server is still reading it.".to_owned())
            }
            _ => None,
        };
        let attached = match (file.media_type, file.bytes) {
            (Some(media_type), Some(bytes)) => Attached::Picture(Image {
                name: file.name,
                url: format!("data:{media_type};base64,{}", BASE64.encode(&bytes)).into(),
            }),
            (Some(_), None) => Attached::Unseen(file.name),
            (None, _) => Attached::File(file.name),
        };
        Self { attached, why_none }
    }
}

/// Waits for the files of the chat that have not been read yet.
async fn wait_for_texts(chat: &str) -> db::Result<()> {
    let mut db = Db::open().await?;
    let pending = file_text::pending(&mut db, chat, FILES_FOR_MODEL).await?;
    drop(db);
    texts::read_within(pending, TEXTS_PATIENCE).await;
    Ok(())
}
