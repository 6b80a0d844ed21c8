//! The files of a new message: which its ids mean, and those of the workspace that the chat gets with it.

use kafka_common::api::file::UploadedFile;
use kafka_common::api::id::FileId;
use kafka_common::api::words::TextState;
use kafka_common::content::kind::FileFormat;
use kafka_common::db::{self, Transaction};
use kafka_common::files::url;
use kafka_common::id::new_id;
use kafka_common::params;
use serde::Deserialize;
use serde_json::json;

use crate::refused::Refused;

const NAMED: &str = include_str!("message_files/named.sql");

const ATTACH: &str = include_str!("message_files/attach.sql");

/// What an id means: a row, of which one is there.
#[derive(Debug, Deserialize)]
pub struct Named {
    /// The file of the chat.
    attached_id: Option<FileId>,
    /// The file of its workspace that the chat does not have yet.
    file_id: Option<FileId>,
}

/// A file that the chat got: a row.
#[derive(Deserialize)]
struct Attached {
    id: FileId,
    file_id: FileId,
    filename: String,
    text_state: TextState,
    text_error: Option<String>,
}

/// The files that these ids mean, in their order, each once. 404 for the first one that means none of the chat or its
/// workspace.
pub async fn named(
    tx: &mut Transaction<'_>,
    chat: &str,
    ids: &[FileId],
) -> Result<Vec<Named>, Refused> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let found = find(tx, chat, json!(ids).to_string()).await?;
    let mut files: Vec<Named> = Vec::with_capacity(found.len());
    for (id, file) in ids.iter().zip(found) {
        if file.attached_id.is_none() && file.file_id.is_none() {
            let missing = format!("File {id} not found in the chat or its workspace.");
            return Err(Refused::not_found(missing));
        }
        // A file may be named by several ids.
        let is_same = |other: &Named| match &file.attached_id {
            Some(id) => other.attached_id.as_ref() == Some(id),
            None => other.attached_id.is_none() && other.file_id == file.file_id,
        };
        if !files.iter().any(is_same) {
            files.push(file);
        }
    }
    Ok(files)
}

/// The files of a message, `ids` being the list in its row, without those that have left the chat.
pub async fn kept(
    tx: &mut Transaction<'_>,
    chat: &str,
    ids: Option<&str>,
) -> db::Result<Vec<Named>> {
    let Some(ids) = ids else {
        return Ok(Vec::new());
    };
    let mut found = find(tx, chat, ids.to_owned()).await?;
    found.retain(|file| file.attached_id.is_some());
    Ok(found)
}

async fn find(tx: &mut Transaction<'_>, chat: &str, ids: String) -> db::Result<Vec<Named>> {
    tx.query_as(NAMED, params![chat, ids]).await
}

/// How many of them the chat does not have yet.
pub fn num_new(files: &[Named]) -> i64 {
    let new = files.iter().filter(|file| file.attached_id.is_none());
    new.count() as i64
}

/// Gives the chat the files that it does not have yet, the first under the rev `first` and each other under one more.
/// Returns the ids of all in the chat, and what clients are told of those that are new.
pub async fn attach(
    tx: &mut Transaction<'_>,
    chat: &str,
    files: Vec<Named>,
    first: i64,
) -> db::Result<(Vec<FileId>, Vec<UploadedFile>)> {
    let new = files.iter().filter(|file| file.attached_id.is_none());
    let new: Vec<_> = new.map(|file| json!([file.file_id, new_id()])).collect();
    let mut attached: Vec<Attached> = Vec::new();
    if !new.is_empty() {
        let asked = params![chat, json!(new).to_string(), first];
        attached = tx.query_as(ATTACH, asked).await?;
    }
    let ids = files.into_iter().filter_map(|file| match file.attached_id {
        Some(id) => Some(id),
        None => {
            let new = attached
                .iter()
                .find(|new| Some(&new.file_id) == file.file_id.as_ref());
            new.map(|new| new.id.clone())
        }
    });
    let ids = ids.collect();
    Ok((ids, attached.into_iter().map(Attached::details).collect()))
}

impl Attached {
    /// As in the event `file_uploaded`.
    fn details(self) -> UploadedFile {
        let kind = FileFormat::of(&self.filename);
        UploadedFile {
            url: url(self.id.as_str()),
            id: self.id,
            name: self.filename,
            content: None,
            language: kind.language,
            kind: kind.name,
            text_state: self.text_state,
            text_error: self.text_error,
        }
    }
}
