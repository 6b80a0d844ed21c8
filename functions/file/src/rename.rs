//! `PATCH /file/rename`: a file gets another name, wherever it is attached.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::{Access, Caller};
use kafka_common::api::file::RENAME_FORM;
use kafka_common::chat_files::{self, ChatFile, News};
use kafka_common::db::{self, Db, Transaction};
use kafka_common::error::{Error, Result, json_response};
use kafka_common::form::{Form, NoFiles};
use kafka_common::limits::Limit;
use kafka_common::owner;
use kafka_common::{announce, params};
use serde_json::json;

/// Names the file ?1 of a workspace, by its own id or that of an attachment, ?2 for the caller ?3.
const RENAME_FILE: &str = "UPDATE file SET filename = ?2, path = 'uploads/files/' || id || '_' || ?2
    WHERE id = coalesce((SELECT file_id FROM chat_file WHERE id = ?1), ?1)
    AND (?3 IS NULL OR EXISTS (SELECT 1 FROM workspace WHERE id = file.workspace_id AND owner_id = ?3))
    RETURNING id, path";

/// The next ?3 attachments of the file ?1, after the chat ?2: each gets the name that the file has now, so that of two who
/// rename it at once one name is left.
const RENAME_ATTACHED: &str =
    "UPDATE chat_file SET filename = file.filename, path = file.path FROM file
    WHERE file.id = ?1 AND chat_file.rowid IN (
        SELECT rowid FROM chat_file WHERE file_id = ?1 AND chat_id > ?2 ORDER BY chat_id LIMIT ?3
    )
    RETURNING chat_file.id, chat_file.chat_id, chat_file.filename";

/// How many attachments get their name in one transaction: nobody else can write meanwhile.
const PART: usize = 500;

/// Names the file ?1 that was made in a chat ?2 for the caller ?3. It has no path that would follow its name.
const RENAME_MADE: &str = "UPDATE chat_file SET filename = ?2 WHERE id = ?1 AND file_id IS NULL
    AND (?3 IS NULL OR EXISTS (SELECT 1 FROM chat WHERE id = chat_file.chat_id AND user_id = ?3))
    RETURNING id, chat_id, path";

/// What has another name now.
struct Renamed {
    id: String,
    path: String,
    news: Vec<News>,
    /// The last of the chats whose attachments have it, if there may be more.
    last: Option<String>,
}

/// Gives the file another name. It answers with the file's own id, by whichever it was asked for. A file that many chats
/// have is renamed in parts; where that breaks off, the same again goes on.
pub(crate) async fn rename(access: Access, request: Request) -> Result<Response> {
    let mut form = Form::read(request, RENAME_FORM, NoFiles).await?;
    let (file, name) = (form.text("file_id"), form.text("new_name"));
    let user = form.optional_id("user_id");
    let caller = access.caller(user.as_deref())?;
    caller.count(Limit::Create).await?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let Some(renamed) = apply(&mut tx, &file, &name, &caller).await? else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    tx.commit().await?;
    announce::news(renamed.news).await;
    let mut last = renamed.last;
    while let Some(after) = last {
        let mut tx = db.begin().await?;
        let (news, next) = attached(&mut tx, &renamed.id, &after).await?;
        tx.commit().await?;
        announce::news(news).await;
        last = next;
    }
    let body = json!({ "file_id": renamed.id, "new_filename": name, "new_path": renamed.path });
    Ok(json_response(StatusCode::OK, &body))
}

/// Renames the file, and the first of its attachments. `None` if there is no such file of the caller's.
async fn apply(
    tx: &mut Transaction<'_>,
    file: &str,
    name: &str,
    caller: &Caller,
) -> db::Result<Option<Renamed>> {
    let asked = params![file, name, caller.user_id()];
    if let Some(mut row) = tx.query_one(RENAME_FILE, asked.clone()).await? {
        let (id, path) = (row.text(0), row.text(1));
        let (news, last) = attached(tx, &id, "").await?;
        return Ok(Some(Renamed {
            id,
            path,
            news,
            last,
        }));
    }
    let Some(mut row) = tx.query_one(RENAME_MADE, asked).await? else {
        return Ok(None);
    };
    let made = ChatFile {
        id: row.text(0),
        name: name.to_owned(),
        chat: row.text(1),
    };
    let news = chat_files::renamed(tx, std::slice::from_ref(&made)).await?;
    Ok(Some(Renamed {
        id: made.id,
        path: row.text(2),
        news,
        last: None,
    }))
}

/// Renames the next attachments of a file, after those to the chat `after`. Returns what is to be told, and the last of
/// the chats if there may be more.
async fn attached(
    tx: &mut Transaction<'_>,
    file: &str,
    after: &str,
) -> db::Result<(Vec<News>, Option<String>)> {
    let part = params![file, after, PART as i64];
    let rows = tx.query(RENAME_ATTACHED, part).await?;
    let files: Vec<ChatFile> = rows
        .into_iter()
        .map(|mut row| ChatFile {
            id: row.text(0),
            chat: row.text(1),
            name: row.text(2),
        })
        .collect();
    let last = files.iter().map(|file| &file.chat).max().cloned();
    let last = last.filter(|_| files.len() == PART);
    Ok((chat_files::renamed(tx, &files).await?, last))
}
