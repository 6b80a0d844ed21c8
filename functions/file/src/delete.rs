//! `DELETE /file/delete/{file_id}`: a file goes, with its attachments, versions and content.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::{Access, Caller};
use kafka_common::api::Done;
use kafka_common::chat_files::{self, Attachment, Left};
use kafka_common::db::{self, Db, Transaction};
use kafka_common::error::{Error, Result, answer};
use kafka_common::query::Query;
use kafka_common::removal::{self, FILE, PART};
use kafka_common::{announce, feed, owner, params};
use serde::Deserialize;
use serde_json::json;

const FIND: &str = include_str!("delete.sql");

/// What one attachment counts for (see [`removal`]), of which the message about it is a part.
const ATTACHMENT: i64 = 10;

/// Deletes the file, in parts if many chats have it or it has many versions. Every chat that had it gets a message
/// about it, as after the action `delete_file`.
pub(crate) async fn delete(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let mut began = false;
    loop {
        let mut tx = db.begin().await?;
        let Some((left, is_all)) = remove(&mut tx, &file, &caller).await? else {
            drop(tx);
            if began {
                break;
            }
            return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
        };
        tx.commit().await?;
        announce::news(access.called(), left.into_iter().map(|left| left.news)).await;
        if is_all {
            break;
        }
        began = true;
    }
    feed::tell_gone([], [file]).await;
    Ok(answer(&Done {
        detail: "File deleted successfully.",
    }))
}

/// A place where the file is.
#[derive(Deserialize)]
struct Place {
    /// The file itself, of a workspace.
    of_workspace: Option<String>,
    attached: Option<Attachment>,
    num_versions: i64,
    /// Whether the request names the attachment.
    is_named: bool,
}

/// Deletes the file or a part of it. Returns what it has left, and whether that is all. `None`: there is no such file
/// of the caller's.
async fn remove(
    tx: &mut Transaction<'_>,
    file: &str,
    caller: &Caller,
) -> db::Result<Option<(Vec<Left>, bool)>> {
    let most = PART / ATTACHMENT + 1;
    let mut rows: Vec<Place> = tx
        .query_as(FIND, params![file, caller.user_id(), most])
        .await?;
    // What the request names goes last, so that it means the file as long as there is any of it.
    rows.sort_by_key(|row| row.is_named);
    if rows.is_empty() {
        return Ok(None);
    }
    let mut of_workspace = None;
    let mut attached = Vec::with_capacity(rows.len());
    let (mut amount, mut is_all) = (0, true);
    for row in rows {
        of_workspace = of_workspace.or(row.of_workspace);
        let Some(file) = row.attached else { continue };
        amount += ATTACHMENT + FILE * row.num_versions;
        if amount > PART {
            is_all = false;
            // One that is too large alone.
            if attached.is_empty() && removal::thin_file(tx, &file.id).await? {
                return Ok(Some((Vec::new(), false)));
            }
            if !attached.is_empty() {
                break;
            }
        }
        attached.push(file);
    }
    match &of_workspace {
        // Its attachments go with it.
        Some(id) if is_all => {
            let delete = "UPDATE file SET deleted_from = ?2 WHERE id = ?1";
            let asked = params![id.as_str(), caller.address()];
            tx.execute(delete, asked).await?;
        }
        // Made in a chat, so it is the only one.
        None => {
            let delete = "UPDATE chat_file SET deleted_from = ?2
                WHERE id IN (SELECT value FROM json_each(?1))";
            let asked = params![ids(&attached), caller.address()];
            tx.execute(delete, asked).await?;
        }
        Some(_) => {
            let delete = "DELETE FROM chat_file WHERE id IN (SELECT value FROM json_each(?1))";
            tx.execute(delete, params![ids(&attached)]).await?;
        }
    }
    let left = chat_files::left(tx, &attached).await?;
    Ok(Some((left, is_all || of_workspace.is_none())))
}

/// The ids of files, as JSON.
fn ids(files: &[Attachment]) -> String {
    let ids: Vec<&str> = files.iter().map(|file| file.id.as_str()).collect();
    json!(ids).to_string()
}
