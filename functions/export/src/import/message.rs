//! A message of the archive, and how long what it has may be.

use kafka_common::api::MAX_NAME_CHARS;
use kafka_common::api::actions::MAX_FILE_IDS;
use kafka_common::api::relay::MAX_NOTE_CHARS;
use kafka_common::api::words::{MessageKind, Rating, Role, Status};
use kafka_common::error::Result;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::refused;
use super::work::{check_id, check_length, parse};

/// The longest error of a reply, in bytes: ours name ten files at most.
const MAX_ERROR_BYTES: usize = 16 << 10;

/// The longest usage of a reply as JSON, in bytes.
const MAX_USAGE_BYTES: usize = 16 << 10;

/// The longest list of files as JSON, in bytes: ten ids, each character of which is escaped.
const MAX_FILES_BYTES: usize = 32 << 10;

/// The largest number that marks a branch as chosen: of a chat's changes.
const MAX_REV: i64 = 1 << 53;

/// A message. (What is a value of any shape is not read before its length is known: it would take twenty times that.)
#[derive(Deserialize)]
pub struct Exported {
    pub id: String,
    pub parent_id: Option<String>,
    pub role: Role,
    #[serde(rename = "type")]
    pub kind: MessageKind,
    pub content: String,
    pub status: Status,
    pub model: Option<String>,
    pub created_at: String,
    pub reasoning: Option<String>,
    pub finish_reason: Option<String>,
    usage: Option<Box<RawValue>>,
    pub error: Option<String>,
    file_ids: Option<Box<RawValue>>,
    pub rating: Option<Rating>,
    pub note: Option<String>,
    #[serde(default)]
    pub selected: i64,
}

impl Exported {
    /// Reads the message `what`; 400 where it has another shape, or something in it is too long.
    pub fn read(path: &str, what: &str, json: &[u8]) -> Result<Self> {
        let message: Self = parse(path, what, json)?;
        if !(0..=MAX_REV).contains(&message.selected) {
            let range = format_args!("{what}: selected is out of range");
            return Err(refused(path, range));
        }
        check_id(path, &message.id)?;
        check_id(path, message.parent_id.as_deref().unwrap_or_default())?;
        let texts = [
            ("the model", &message.model, MAX_NAME_CHARS),
            ("the finish_reason", &message.finish_reason, MAX_NAME_CHARS),
            ("the note", &message.note, MAX_NOTE_CHARS),
        ];
        for (name, text, most) in texts {
            let text = text.as_deref().unwrap_or_default();
            check_length(path, &format!("{name} of {what}"), text, most)?;
        }
        let usage = message.usage.as_ref().map_or(0, |usage| usage.get().len());
        let error = message.error.as_ref().map_or(0, String::len);
        for (name, length, most) in [
            ("usage", usage, MAX_USAGE_BYTES),
            ("error", error, MAX_ERROR_BYTES),
        ] {
            if length > most {
                let long = format_args!("the {name} of {what} has more than {most} bytes");
                return Err(refused(path, long));
            }
        }
        Ok(message)
    }

    /// What the reply cost, as the column has it.
    pub fn usage(&self, path: &str, what: &str) -> Result<Option<String>> {
        let usage = self.usage.as_ref();
        let usage = usage.map(|usage| parse::<Value>(path, what, usage.get().as_bytes()));
        Ok(usage.transpose()?.map(|usage| usage.to_string()))
    }

    /// The ids of its files in the archive.
    pub fn file_ids(&self, path: &str, what: &str) -> Result<Vec<String>> {
        let Some(list) = &self.file_ids else {
            return Ok(Vec::new());
        };
        let many = || {
            refused(
                path,
                format_args!("{what} has more than {MAX_FILE_IDS} files"),
            )
        };
        if list.get().len() > MAX_FILES_BYTES {
            return Err(many());
        }
        let ids: Vec<String> = parse(path, what, list.get().as_bytes())?;
        if ids.len() > MAX_FILE_IDS {
            return Err(many());
        }
        for id in &ids {
            check_id(path, id)?;
        }
        Ok(ids)
    }
}
