//! `PATCH /file/rename`: a file gets another name, wherever it is attached.

use axum::extract::Request;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::file::{RenameFile, RenamedFile};
use kafka_common::api::id::{FileId, UserId};
use kafka_common::chat_files::{self, Attachment, News};
use kafka_common::db::{self, Db, Transaction};
use kafka_common::error::{Error, Result, answer};
use kafka_common::form::{self, NoFiles};
use kafka_common::limits::Limit;
use kafka_common::{announce, feed, owner, params};
use serde::Deserialize;

const RENAME_FILE: &str = include_str!("rename_file.sql");
const RENAME_MADE: &str = include_str!("rename_made.sql");
const RENAME_ATTACHED: &str = include_str!("rename_attached.sql");

/// How many attachments get their name in one transaction, during which no other can write.
const PART: usize = 500;

/// What has another name now.
#[derive(Deserialize)]
struct Renamed {
    id: FileId,
    path: String,
    /// The chat that it was made in.
    chat: Option<String>,
}

/// Gives the file another name. It answers with the file's own id, by whichever it was asked for. A file that many
/// chats have is renamed in parts; where that breaks off, the same again goes on.
pub(crate) async fn rename(access: Access, request: Request) -> Result<Response> {
    let form: RenameFile = form::read(request, NoFiles).await?;
    let name = form.new_name;
    let caller = access.caller(form.user_id.as_ref().map(UserId::as_str))?;
    caller.count(Limit::Create).await?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let asked = params![&form.file_id, name.as_str(), caller.user_id()];
    let mut renamed = tx.query_one_as(RENAME_FILE, asked.clone()).await?;
    if renamed.is_none() {
        renamed = tx.query_one_as(RENAME_MADE, asked).await?;
    }
    let Some(Renamed { id, path, chat }) = renamed else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    let (news, mut last) = match chat {
        Some(chat) => {
            let (id, name) = (id.to_string(), name.clone());
            let made = [Attachment { id, name, chat }];
            (chat_files::renamed(&mut tx, &made).await?, None)
        }
        None => attached(&mut tx, &id, "").await?,
    };
    tx.commit().await?;
    announce::news(access.called(), news).await;
    while let Some(after) = last {
        let mut tx = db.begin().await?;
        let (news, next) = attached(&mut tx, &id, &after).await?;
        tx.commit().await?;
        announce::news(access.called(), news).await;
        last = next;
    }
    feed::tell([id.as_str()]).await;
    Ok(answer(&RenamedFile {
        file_id: id,
        new_filename: name,
        new_path: path,
    }))
}

/// Renames the next attachments of a file, after those to the chat `after`. Returns the events to publish, and the last
/// of the chats if there may be more.
async fn attached(
    tx: &mut Transaction<'_>,
    file: &FileId,
    after: &str,
) -> db::Result<(Vec<News>, Option<String>)> {
    let part = params![file, after, PART as i64];
    let files: Vec<Attachment> = tx.query_as(RENAME_ATTACHED, part).await?;
    let last = files.iter().map(|file| &file.chat).max().cloned();
    let last = last.filter(|_| files.len() == PART);
    Ok((chat_files::renamed(tx, &files).await?, last))
}
