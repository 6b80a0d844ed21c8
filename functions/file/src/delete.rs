//! `DELETE /file/delete/{file_id}`: a file goes, with its attachments, versions and content.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::chat_files::{self, ChatFile, Left};
use kafka_common::db::{self, Db, Transaction};
use kafka_common::error::{Error, Result, json_response};
use kafka_common::query::Query;
use kafka_common::{announce, owner, params};
use serde_json::json;

const FIND: &str = include_str!("delete.sql");

/// Deletes the file. Every chat that had it gets a message about it, as when a window deletes it there.
pub(crate) async fn delete(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let Some(left) = remove(&mut tx, &file, caller.user_id()).await? else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    tx.commit().await?;
    announce::news(left.into_iter().map(|left| left.news)).await;
    let body = json!({ "detail": "File deleted successfully." });
    Ok(json_response(StatusCode::OK, &body))
}

/// `None` if there is no such file of the caller's.
async fn remove(
    tx: &mut Transaction<'_>,
    file: &str,
    caller: Option<&str>,
) -> db::Result<Option<Vec<Left>>> {
    let rows = tx.query(FIND, params![file, caller]).await?;
    if rows.is_empty() {
        return Ok(None);
    }
    let mut of_workspace = None;
    let mut attached = Vec::with_capacity(rows.len());
    for mut row in rows {
        of_workspace = of_workspace.or(row.opt_text(0));
        if let Some(id) = row.opt_text(2) {
            attached.push(ChatFile {
                id,
                name: row.text(1),
                chat: row.text(3),
            });
        }
    }
    match &of_workspace {
        // Its attachments go with it.
        Some(id) => {
            let delete = "DELETE FROM file WHERE id = ?1";
            tx.execute(delete, params![id.as_str()]).await?;
        }
        None => {
            let delete = "DELETE FROM chat_file WHERE id = ?1";
            tx.execute(delete, params![file]).await?;
        }
    }
    chat_files::left(tx, &attached).await.map(Some)
}
