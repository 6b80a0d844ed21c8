//! What clients ask of a chat: the frames of sockets, and the bodies of the same requests over HTTP.

#![expect(
    missing_docs,
    reason = "fields that are not documented here are the protocol's, which docs/websocket.md describes"
)]

use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected};
use serde_json::Value;
use strum::IntoStaticStr;

use crate::MAX_ID_CHARS;
use crate::id::{FileId, GenerationId, MessageId, ModelId, UserId, VersionId};

/// The longest name of a file, in bytes.
const MAX_FILENAME_BYTES: usize = 1024;

/// How many files a message may have.
pub const MAX_FILE_IDS: usize = 10;

/// A frame, whose `action` says which it is. What asks for a reply has the fields of [`How`] too.
#[derive(Debug, Deserialize, IntoStaticStr)]
#[serde(rename_all = "snake_case")]
#[strum(serialize_all = "snake_case")]
pub enum Action<'a> {
    /// Adds a message and asks for a reply.
    NewMessage(NewMessage),
    /// Says better what a message says, and asks for a reply.
    EditMessage {
        message_id: Sent<MessageId>,
        prompt: String,
        file_ids: Option<FileIds>,
    },
    /// Asks for another reply.
    Regenerate { message_id: Sent<MessageId> },
    /// Makes the branch through a message the active one.
    SelectBranch { message_id: Sent<MessageId> },
    /// Stops a reply; without an id the running one.
    Stop {
        generation_id: Option<Sent<GenerationId>>,
    },
    /// Asks for what is newer.
    Sync { rev: i64 },
    /// Adds a file, in Base64.
    UploadFile {
        filename: Filename,
        file_data: &'a str,
    },
    /// Takes a file out of the chat.
    DeleteFile { file_id: Sent<FileId> },
    /// Gives a file the text of a version again.
    RevertVersion {
        version_id: Sent<VersionId>,
        filename: Filename,
    },
}

/// A new message.
#[derive(Debug, Deserialize)]
pub struct NewMessage {
    pub prompt: String,
    /// The message that it follows.
    pub parent_id: Option<Sent<MessageId>>,
    pub file_ids: Option<FileIds>,
}

/// The files of a message: ids as [`Sent`] takes them, at most [`MAX_FILE_IDS`], each once.
#[derive(Debug, Default, Clone)]
pub struct FileIds(pub Vec<FileId>);

impl<'de> Deserialize<'de> for FileIds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wrong = || D::Error::invalid_type(Unexpected::Other("none"), &"a list of ids");
        let Value::Array(list) = Value::deserialize(deserializer)? else {
            return Err(wrong());
        };
        if list.len() > MAX_FILE_IDS {
            return Err(D::Error::invalid_length(list.len(), &"a shorter list"));
        }
        let mut ids: Vec<FileId> = Vec::with_capacity(list.len());
        for id in list {
            let Value::String(id) = id else {
                return Err(wrong());
            };
            if id.chars().count() > MAX_ID_CHARS {
                return Err(D::Error::invalid_length(id.len(), &"a shorter text"));
            }
            let id = FileId::from(id);
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Ok(Self(ids))
    }
}

/// How a reply is to be made.
#[derive(Debug, Default, Clone, Deserialize)]
pub struct How {
    /// The name or the id of the model to ask; neither: the one that is set for the chat, else the
    /// owner's newest.
    pub model: Option<Sent<String>>,
    pub model_id: Option<Sent<ModelId>>,
    pub client_id: Option<Sent<String>>,
    pub selected_filename: Option<Filename>,
    is_first_prompt: Option<Flag>,
    is_chat_or_composer: Option<Flag>,
}

impl How {
    /// Whether the reply may make and change files.
    pub fn composes(&self) -> bool {
        let flags = [self.is_first_prompt, self.is_chat_or_composer];
        self.selected_filename.is_some() || flags.contains(&Some(Flag(true)))
    }
}

/// Whom a request over HTTP is from, where that is not known anyhow.
#[derive(Debug, Deserialize)]
pub struct By {
    pub user_id: Option<Sent<UserId>>,
}

/// An id or a name in a request: never empty, of at most 255 characters.
#[derive(Debug, Clone)]
pub struct Sent<T>(pub T);

impl<'de, T: From<String>> Deserialize<'de> for Sent<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let fits = |text: &str| text.chars().count() <= MAX_ID_CHARS;
        bounded(deserializer, fits).map(|text| Self(text.into()))
    }
}

/// The name of a file in a request: never empty, of at most 1,024 bytes.
#[derive(Debug, Clone)]
pub struct Filename(pub String);

impl<'de> Deserialize<'de> for Filename {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        bounded(deserializer, |text| text.len() <= MAX_FILENAME_BYTES).map(Self)
    }
}

fn bounded<'de, D: Deserializer<'de>>(
    deserializer: D,
    fits: impl Fn(&str) -> bool,
) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match text.as_str() {
        "" => Err(D::Error::invalid_value(Unexpected::Str(""), &"a text")),
        long if !fits(long) => Err(D::Error::invalid_length(text.len(), &"a shorter text")),
        _ => Ok(text),
    }
}

/// A yes or no, as a boolean, a number, or the names of the two modes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Flag(bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let yes = match Value::deserialize(deserializer)? {
            Value::Bool(yes) => Some(yes),
            Value::Number(number) => Some(number.as_f64() != Some(0.0)),
            Value::String(text) => match text.to_ascii_lowercase().as_str() {
                "chat" | "false" | "0" | "no" => Some(false),
                "composer" | "true" | "1" | "yes" => Some(true),
                _ => None,
            },
            _ => None,
        };
        let wrong = || D::Error::invalid_type(Unexpected::Other("neither"), &"true or false");
        yes.map(Self).ok_or_else(wrong)
    }
}
