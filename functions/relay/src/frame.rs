//! What a client may say in a frame, or in the body of a request: fields with one value each.

use kafka_common::api::actions::{Action, How};
use kafka_common::json::fields::{Fields, Wrong};
use kafka_common::json::lenient::{self, Shallow};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::refused::Refused;

/// The longest frame without a file, in bytes.
const MAX_BYTES: usize = 512 * 1024;

/// All fields that any message has.
pub const FIELDS: &[&str] = &[
    "action",
    "client_id",
    "file_data",
    "file_id",
    "file_ids",
    "filename",
    "generation_id",
    "id",
    "is_chat_or_composer",
    "is_first_prompt",
    "message_id",
    "model",
    "model_id",
    "parent_id",
    "prompt",
    "rev",
    "selected_filename",
    "user_id",
    "version_id",
];

/// A frame that is a JSON object. Unknown fields are left out, and so is what arrays and objects have in them.
pub struct Frame {
    length: usize,
    values: Map<String, Value>,
}

impl Frame {
    /// `None`: the text is no object.
    pub fn read(text: &str) -> Option<Self> {
        match lenient::read(text, Shallow::new(FIELDS)).ok()?.value {
            Value::Object(values) => Some(Self {
                length: text.len(),
                values,
            }),
            _ => None,
        }
    }

    /// Whether a text is meant as an object with an action, even if it can't be read.
    pub fn looks_like_action(text: &str) -> bool {
        let text = text.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
        text.starts_with('{') && memchr::memmem::find(text.as_bytes(), b"\"action\"").is_some()
    }

    /// Whether it has an action, even one that is no text.
    pub fn has_action(&self) -> bool {
        self.values.contains_key("action")
    }

    /// The name of its action.
    pub fn name(&self) -> Option<&str> {
        self.values.get("action").and_then(Value::as_str)
    }

    /// What its sender calls it.
    pub fn id(&self) -> Result<Option<&str>, Refused> {
        #[derive(Deserialize)]
        struct Tag<'a> {
            id: Option<&'a str>,
        }
        let (values, is_forgiving) = (&self.values, false);
        let tag = Fields {
            values,
            is_forgiving,
        }
        .read::<Tag<'_>>();
        tag.map(|tag| tag.id).map_err(|wrong| self.refuse(wrong))
    }

    /// What it asks for. Only a frame with a file may be long.
    pub fn action(&self) -> Result<Action<'_>, Refused> {
        let action = self.fields().read();
        if self.length > MAX_BYTES && !matches!(action, Ok(Action::UploadFile { .. })) {
            let error = "A frame without a file has at most 512 KiB.";
            return Err(Refused::too_large(error));
        }
        action.map_err(|wrong| self.refuse(wrong))
    }

    /// How the reply is to be made that it asks for.
    pub fn how(&self) -> Result<How, Refused> {
        self.fields().read().map_err(|wrong| self.refuse(wrong))
    }

    fn fields(&self) -> Fields<'_> {
        let (values, is_forgiving) = (&self.values, true);
        Fields {
            values,
            is_forgiving,
        }
    }

    fn refuse(&self, wrong: Wrong) -> Refused {
        Refused::wrong(wrong, self.name().unwrap_or_default())
    }
}
