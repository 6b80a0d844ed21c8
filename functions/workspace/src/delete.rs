//! `DELETE /workspace/delete/{workspace_id}`.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::{Db, Transaction};
use kafka_common::error::{Error, Result, json_response};
use kafka_common::query::Query;
use kafka_common::{announce, db, owner, params};
use serde_json::json;

/// The chats that go with the workspace: afterwards nobody knows their ids.
const CHATS: &str = "SELECT id FROM chat WHERE workspace_id = ?1";

/// No row back: no such workspace of the caller's (NULL: of whoever knows the id).
const DELETE: &str = "DELETE FROM workspace
    WHERE id = ?1 AND (?2 IS NULL OR owner_id = ?2) RETURNING id";

/// Deletes a workspace with its files and chats, whose windows are told.
pub(crate) async fn delete(
    access: Access,
    Path(workspace): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let Some(chats) = remove(&mut tx, &workspace, caller.user_id()).await? else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, Error::workspace_not_found()).await);
    };
    tx.commit().await?;
    announce::chats_deleted(&chats).await;
    let body = json!({ "detail": "Workspace and all associated data deleted successfully." });
    Ok(json_response(StatusCode::OK, &body))
}

/// Deletes the workspace; the ids of its chats, or `None` if it is not the caller's.
async fn remove(
    tx: &mut Transaction<'_>,
    workspace: &str,
    caller: Option<&str>,
) -> db::Result<Option<Vec<String>>> {
    let chats = tx.query(CHATS, params![workspace]).await?;
    let deleted = tx.query_one(DELETE, params![workspace, caller]).await?;
    Ok(deleted.map(|_| chats.into_iter().map(|mut row| row.text(0)).collect()))
}
