//! The fields of a chat and of its files. Each is read into its type as it comes: a value of any shape takes many times its
//! length.

use kafka_common::api::MAX_NAME_CHARS;
use kafka_common::clock;
use kafka_common::error::Result;

use super::super::files::MAX_FILENAME_BYTES;
use super::super::refused;
use super::super::settings::{self, Settings};
use super::super::user::check_version;
use super::super::work::{check_id, check_length, parse};

/// A time in our form, and in milliseconds since 1970.
pub type Time = (String, i64);

/// The fields of a chat.
#[derive(Default)]
pub struct Head {
    pub has_version: bool,
    pub id: Option<String>,
    pub name: Option<String>,
    pub workspace_id: Option<String>,
    pub last_updated: Option<Time>,
    pub active_at: Option<Time>,
    pub is_pinned: bool,
    pub is_archived: bool,
    pub head_id: Option<String>,
    pub settings: Option<Settings>,
}

impl Head {
    pub fn take(&mut self, path: &str, name: &str, json: &[u8]) -> Result<()> {
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
pub struct FileHead {
    pub id: Option<String>,
    pub file_id: Option<String>,
    pub filename: Option<String>,
}

impl FileHead {
    pub fn take(&mut self, path: &str, name: &str, json: &[u8]) -> Result<()> {
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

/// A time of the archive in our form, and in milliseconds since 1970.
pub fn time(path: &str, text: &str) -> Result<Time> {
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
    let id: String = parse(path, name, json)?;
    check_id(path, &id)?;
    Ok(id)
}

fn optional_id(path: &str, name: &str, json: &[u8]) -> Result<Option<String>> {
    let id: Option<String> = parse(path, name, json)?;
    check_id(path, id.as_deref().unwrap_or_default())?;
    Ok(id)
}

/// 400 for a field that did not come.
pub fn needed(path: &str, name: &str, field: Option<String>) -> Result<String> {
    field.ok_or_else(|| refused(path, format_args!("it has no {name}")))
}
