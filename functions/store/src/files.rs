//! Files of workspaces and chats: inserting what was uploaded, and what clients are told about it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::json;

use crate::api::file::{File, UploadedFile};
use crate::api::id::FileId;
use crate::api::words::{FileKind, TextState};
use crate::caller::Caller;
use crate::content::kind::{FileFormat, is_based};
use crate::content::{self, Upload};
use crate::db::{self, Transaction, rows_of};
use crate::error::{Error, Result};
use crate::file_text::{self, Known};
use crate::params;
use crate::room::{Stored, Thing};

/// What is shown of a PDF without a text, as in the original.
pub const UNREADABLE: &str = "[Error parsing PDF]";

/// How long a text may be to be shown in [`UploadedFile`] and in events, in bytes. Of a longer one clients read the content.
pub const MAX_SHOWN_BYTES: usize = 64 * 1024;

/// Where uploaded files go.
#[derive(Debug, Clone, Copy)]
pub enum Target<'a> {
    /// To the workspace of this id.
    Workspace(&'a str),
    /// To the chat of this id and to its workspace.
    Chat(&'a str),
}

/// Inserts the files of one request, with their contents, in their order. `None`, and the transaction is to be
/// dropped, if the target does not exist or is not `caller`'s. An error if it is more than they may store.
///
/// In a chat, a file keeps its id (docs/decisions.md#file-contents-in-chunks), and each raises the chat's `rev` by one;
/// what is returned is the last one's. Of a workspace it is 0.
pub async fn insert(
    tx: &mut Transaction<'_>,
    uploads: &mut [Upload],
    target: Target<'_>,
    caller: &Caller,
) -> Result<Option<i64>> {
    let user = caller.user_id();
    let count = uploads.len() as i64;
    let mut rev = 0;
    let (target_id, workspace) = match target {
        Target::Workspace(id) => (
            id,
            "SELECT id FROM workspace WHERE id = ?1 AND (?2 IS NULL OR owner_id = ?2)",
        ),
        Target::Chat(id) => {
            let raised = "UPDATE chat SET rev = rev + ?3
                 WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2) RETURNING rev";
            match tx.query_one_as(raised, params![id, user, count]).await? {
                Some(raised) => rev = raised,
                None => return Ok(None),
            }
            (
                id,
                "SELECT workspace_id FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)",
            )
        }
    };
    let plain: Vec<_> = uploads
        .iter()
        .filter_map(|upload| Some((upload.content_id.clone(), upload.plain_text()?)))
        .collect();
    content::store(tx, uploads).await?;
    file_text::keep_plain(tx, plain).await?;
    let mut parameters = params![target_id, user];
    for upload in &*uploads {
        let (id, name) = (upload.file_id.as_str(), upload.filename.as_str());
        parameters.extend(params![id, name, upload.path(), upload.content_id.as_str()]);
    }
    let rows = rows_of(uploads.len(), 4);
    let sql = format!(
        "WITH target (id) AS ({workspace}), new (id, filename, path, content_id) AS (VALUES {rows})
         INSERT INTO file (id, filename, path, workspace_id, content_id)
         SELECT new.id, new.filename, new.path, target.id, new.content_id FROM target, new
         RETURNING id"
    );
    if tx.query_as::<FileId>(&sql, parameters).await?.is_empty() {
        return Ok(None);
    }
    if let Target::Chat(chat_id) = target {
        let ids: Vec<&str> = uploads
            .iter()
            .map(|upload| upload.file_id.as_str())
            .collect();
        let attached = params![chat_id, json!(ids).to_string(), rev - count + 1];
        tx.execute(include_str!("files.sql"), attached).await?;
    }
    check_room_for_files(tx, caller).await?;
    Ok(Some(rev))
}

/// An error if the caller has more than their quota by now, so that the transaction is to be dropped: to be asked after
/// what stores something.
pub async fn check_room(tx: &mut Transaction<'_>, caller: &Caller) -> Result<()> {
    match (caller.user_id(), caller.quota()) {
        (Some(user), Some(quota)) if is_over(tx, user, quota).await? => Err(Error::StorageFull),
        _ => Ok(()),
    }
}

/// The same, or if they have more files by now than they may: to be asked after what makes some.
pub async fn check_room_for_files(tx: &mut Transaction<'_>, caller: &Caller) -> Result<()> {
    let most = caller.most(Thing::Files);
    let Some(user) = caller
        .user_id()
        .filter(|_| most.is_some() || caller.quota().is_some())
    else {
        return Ok(());
    };
    let stored = Stored::after(tx, user).await?;
    if caller.quota().is_some_and(|quota| stored.bytes > quota) {
        return Err(Error::StorageFull);
    }
    // Those that the transaction has made are counted already.
    caller.check_another(Thing::Files, stored.count(Thing::Files) - 1)
}

/// Whether the user has more than `quota` bytes by now, so that the transaction is to be dropped.
pub async fn is_over(tx: &mut Transaction<'_>, user_id: &str, quota: u64) -> db::Result<bool> {
    Ok(Stored::after(tx, user_id).await?.bytes > quota)
}

/// What an upload's answer says about a file (docs/http-compatibility.md#files), as far as its bytes tell.
#[derive(Debug)]
pub struct NewFile {
    /// What is said.
    pub details: UploadedFile,
    /// The id of its content.
    pub content_id: String,
    /// Whether its text needs no reading, because [`insert`] keeps it.
    pub has_text: bool,
    /// Whether `content` of [`Self::details`] is to be the text that is read of the file, for which the answer waits.
    pub awaits_text: bool,
}

/// What is known of a file that was taken in. To be called before [`insert`], which consumes the bytes.
///
/// `content` is the text of code, CSV and Markdown, if it is at most 64 KiB; and the first 64 KiB of the text of a PDF
/// of at most 256 KiB, or `[Error parsing PDF]`. It is `null` for larger files, for other kinds, and when the request's
/// small files are more than 1 MiB altogether; `url` has every file.
pub fn new_file(upload: &Upload) -> NewFile {
    let kind = FileFormat::of(&upload.filename);
    let (mut content, mut awaits_text) = (None, false);
    if let Some(bytes) = upload.held() {
        awaits_text = kind.name == FileKind::Pdf;
        if kind.is_text() && bytes.len() <= MAX_SHOWN_BYTES {
            // What is not UTF-8 is shown as it is read; should that fail, like this.
            let text = String::from_utf8_lossy(bytes);
            awaits_text = matches!(text, Cow::Owned(_));
            content = Some(text.into_owned());
        }
    }
    let has_text = upload.plain_text().is_some();
    NewFile {
        details: UploadedFile {
            id: upload.file_id.as_str().into(),
            name: upload.filename.clone(),
            content,
            language: kind.language,
            kind: kind.name,
            url: url(&upload.file_id),
            text_state: match has_text {
                true => TextState::Ready,
                false => TextState::Pending,
            },
            text_error: None,
        },
        has_text,
        content_id: upload.content_id.clone(),
        awaits_text,
    }
}

/// The contents of those uploads whose texts are to be read. To be called before [`insert`], like [`new_file`].
pub fn unread(uploads: &[Upload]) -> Vec<String> {
    let is_unread = |upload: &&Upload| upload.plain_text().is_none();
    let unread = uploads.iter().filter(is_unread);
    unread.map(|upload| upload.content_id.clone()).collect()
}

impl NewFile {
    /// Puts in what has become known of its text.
    pub fn learn(&mut self, known: Known) {
        let details = &mut self.details;
        if self.awaits_text {
            details.content = match known.state {
                TextState::Ready => known.text.map(|text| shown(&text).to_owned()),
                TextState::Failed if details.kind == FileKind::Pdf => Some(UNREADABLE.to_owned()),
                _ => details.content.take(),
            };
        }
        details.text_state = known.state;
        details.text_error = known.reason;
    }
}

/// As much of a text as is shown.
pub fn shown(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_SHOWN_BYTES)]
}

/// A file as lists of files show it: a row.
#[derive(Debug, Deserialize)]
pub struct Listed {
    /// Its id, or that of its attachment to a chat.
    pub id: FileId,
    /// What it is called.
    pub filename: String,
    /// The original's place of it on a disk, now only a name.
    pub path: String,
    /// How many bytes it has.
    pub size: u64,
    /// As declared by the client that uploaded it.
    pub media_type: Option<String>,
    /// Whether it has versions, and so is one of those that are written in chats.
    pub is_versioned: bool,
    /// How far its text is.
    pub text_state: TextState,
    /// Why it has none.
    pub text_error: Option<String>,
    /// Of one whose text is pending: the id of its content.
    pub unread: Option<String>,
}

impl Listed {
    /// The entry of a list.
    pub fn entry(self) -> File {
        let kind = FileFormat::of(&self.filename);
        File {
            kind: kind.told(is_based(&self.filename, self.is_versioned)),
            url: url(self.id.as_str()),
            id: self.id,
            filename: self.filename,
            path: self.path,
            size: self.size,
            language: kind.language,
            media_type: self.media_type,
            text_state: self.text_state,
            text_error: self.text_error,
        }
    }
}

/// Where the file of this id can be downloaded.
pub fn url(id: &str) -> String {
    format!("/file/{id}/content")
}
