//! `DELETE /workspace/delete/{workspace_id}`.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::Done;
use kafka_common::api::id::WorkspaceId;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::query::Query;
use kafka_common::removal::{Holder, Part};
use kafka_common::{announce, feed, owner, params};

/// Its trigger deletes the row. No row back: no such workspace of the caller (NULL: any).
const DELETE: &str = "UPDATE workspace SET deleted_from = ?3
    WHERE id = ?1 AND (?2 IS NULL OR owner_id = ?2) RETURNING id";

/// Deletes a workspace with its files and chats, whose sockets receive `chat_deleted`.
pub(crate) async fn delete(
    access: Access,
    Path(workspace): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let holder = Holder::Workspace(&workspace, caller.user_id());
    let mut db = Db::open().await?;
    let mut is_there = true;
    while is_there {
        let mut tx = db.begin().await?;
        let part = Part::next(&mut tx, holder).await?;
        if part.is_last {
            let asked = params![workspace.as_str(), caller.user_id(), caller.address()];
            if tx
                .query_one_as::<WorkspaceId>(DELETE, asked)
                .await?
                .is_none()
            {
                drop(tx);
                let missing = Error::workspace_not_found();
                return Err(owner::not_found(&mut db, &caller, missing).await);
            }
            is_there = false;
        } else {
            part.delete(&mut tx).await?;
        }
        tx.commit().await?;
        announce::chats_deleted(&part.chats).await;
    }
    feed::tell_gone([], [workspace]).await;
    Ok(answer(&Done {
        detail: "Workspace and all associated data deleted successfully.",
    }))
}
