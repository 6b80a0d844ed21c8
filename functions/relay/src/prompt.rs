//! What a person asks of a model: the fields of `new_message`, `edit_message` and `regenerate`.

use kafka_common::owner::MAX_ID_CHARS;
use serde_json::{Map, Value};

use crate::refused::Refused;

/// Where in the conversation something is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// A new message after this one, or at the end of the active branch.
    After(Option<String>),
    /// A new message beside this one, which it says better.
    Beside(String),
    /// Another reply: beside this one, or to this message.
    Again(String),
}

impl Default for Place {
    fn default() -> Self {
        Self::After(None)
    }
}

impl Place {
    /// The message that it names.
    pub fn named(&self) -> Option<&str> {
        match self {
            Self::After(named) => named.as_deref(),
            Self::Beside(named) | Self::Again(named) => Some(named),
        }
    }
}

/// What is asked.
#[derive(Debug, Default, Clone)]
pub struct Prompt {
    /// The new message; empty where there is none.
    pub text: String,
    /// The name or the id of the model to ask; neither: the owner's newest.
    pub model: Option<String>,
    pub model_id: Option<String>,
    pub client_id: Option<String>,
    pub place: Place,
    /// Whether the reply may make and change files.
    pub composer: bool,
    pub selected_filename: Option<String>,
}

impl Prompt {
    /// A prompt without anything around it.
    pub fn plain(text: String) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    /// Reads the fields of `new_message`.
    pub fn parse(fields: &Map<String, Value>) -> Result<Self, Refused> {
        Ok(Self {
            text: text(fields, "new_message")?,
            place: Place::After(text_field(fields, "parent_id")?),
            ..Self::around(fields)?
        })
    }

    /// Reads the fields of `edit_message`, about the message of this id.
    pub fn edit(fields: &Map<String, Value>, id: String) -> Result<Self, Refused> {
        Ok(Self {
            text: text(fields, "edit_message")?,
            place: Place::Beside(id),
            ..Self::around(fields)?
        })
    }

    /// Reads the fields of `regenerate`, about the message of this id.
    pub fn regenerate(fields: &Map<String, Value>, id: String) -> Result<Self, Refused> {
        Ok(Self {
            place: Place::Again(id),
            ..Self::around(fields)?
        })
    }

    /// The fields around the text. What clients of the original send as `null` or empty counts as not sent.
    fn around(fields: &Map<String, Value>) -> Result<Self, Refused> {
        let selected_filename = text_field(fields, "selected_filename")?;
        // Both are read, whatever the first one says: what is neither yes nor no is a mistake.
        let is_first = flag(fields, "is_first_prompt")?;
        let is_chosen = flag(fields, "is_chat_or_composer")?;
        let composer = is_first || is_chosen || selected_filename.is_some();
        Ok(Self {
            text: String::new(),
            model: text_field(fields, "model")?,
            model_id: text_field(fields, "model_id")?,
            client_id: text_field(fields, "client_id")?,
            place: Place::default(),
            composer,
            selected_filename,
        })
    }

    /// Whether it says which model is to answer.
    pub fn names_a_model(&self) -> bool {
        self.model.is_some() || self.model_id.is_some()
    }
}

fn text(fields: &Map<String, Value>, action: &str) -> Result<String, Refused> {
    match fields.get("prompt") {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err(Refused::bad_request("prompt must be a string.")),
        None => Err(Refused::bad_request(format!(
            "Missing prompt for {action}."
        ))),
    }
}

/// The required id `message_id`.
pub fn message_id(fields: &Map<String, Value>, action: &str) -> Result<String, Refused> {
    let id = text_field(fields, "message_id")?;
    id.ok_or_else(|| Refused::bad_request(format!("Missing message_id for {action}.")))
}

/// The longest name of a file, in bytes, as in forms; other names and ids are bounded as there, too.
const MAX_FILENAME_BYTES: usize = 1024;

/// The string `name`, if it is there and not empty.
pub fn text_field(fields: &Map<String, Value>, name: &str) -> Result<Option<String>, Refused> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if text.is_empty() => Ok(None),
        Some(Value::String(text)) if is_too_long(name, text) => {
            Err(Refused::too_large(format!("{name} is too long.")))
        }
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Refused::bad_request(format!("{name} must be a string."))),
    }
}

fn is_too_long(name: &str, text: &str) -> bool {
    match name.ends_with("filename") {
        true => text.len() > MAX_FILENAME_BYTES,
        false => text.chars().count() > MAX_ID_CHARS,
    }
}

/// A yes or no, as a boolean, a number, or the names of the two modes.
fn flag(fields: &Map<String, Value>, name: &str) -> Result<bool, Refused> {
    match fields.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(yes)) => Ok(*yes),
        Some(Value::Number(number)) => Ok(number.as_f64() != Some(0.0)),
        Some(Value::String(text)) => match text.to_ascii_lowercase().as_str() {
            "" | "chat" | "false" | "0" | "no" => Ok(false),
            "composer" | "true" | "1" | "yes" => Ok(true),
            _ => Err(Refused::bad_request(format!(
                "{name} must be true or false."
            ))),
        },
        Some(_) => Err(Refused::bad_request(format!(
            "{name} must be true or false."
        ))),
    }
}
