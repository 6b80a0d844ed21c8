//! Files that belong to messages, with the images of those that are pictures.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use crate::api::words::{FileKind, TextState};
use crate::content::kind::FileFormat;
use crate::db::{Db, Result};
use crate::params;

const READ: &str = include_str!("message_files.sql");

/// A file of a chat that belongs to a message: a row.
#[derive(Debug, Deserialize)]
pub struct MessageFile {
    /// Its id in the chat.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How far its text is.
    pub state: TextState,
    /// Why it has none.
    pub reason: Option<String>,
    /// The type of its image; `None`: it has none.
    pub media_type: Option<String>,
    /// The image; `None`: it has none, or there was no room for it.
    pub bytes: Option<Bytes>,
}

impl MessageFile {
    /// Whether it is a picture, by its image or else by its name.
    pub fn is_picture(&self) -> bool {
        self.media_type.is_some() || FileFormat::of(&self.name).name == FileKind::Image
    }
}

/// The files with these ids, in their order, without those that are gone; and their images, as long as all before have at
/// most `most` bytes together.
pub async fn read(db: &mut Db, ids: &[&str], most: usize) -> Result<Vec<MessageFile>> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    db.query_as(READ, params![json!(ids).to_string(), most])
        .await
}
