//! `PATCH /workspace/rename`.

use axum::extract::Request;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::id::{UserId, WorkspaceId};
use kafka_common::api::workspace::{RenameWorkspace, RenamedWorkspace};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::form::{self, NoFiles};
use kafka_common::limits::Limit;
use kafka_common::{feed, owner, params};

/// No row back: no such workspace of the caller (NULL: any).
const RENAME: &str = "UPDATE workspace SET name = ?2
    WHERE id = ?1 AND (?3 IS NULL OR owner_id = ?3) RETURNING id";

/// Gives the workspace another name.
pub(crate) async fn rename(access: Access, request: Request) -> Result<Response> {
    let form: RenameWorkspace = form::read(request, NoFiles).await?;
    let caller = access.caller(form.user_id.as_ref().map(UserId::as_str))?;
    caller.count(Limit::Create).await?;
    let mut db = Db::open().await?;
    let asked = params![&form.workspace_id, form.new_name.as_str(), caller.user_id()];
    match db.query_one_as::<WorkspaceId>(RENAME, asked).await? {
        Some(workspace_id) => {
            feed::tell([workspace_id.as_str()]).await;
            Ok(answer(&RenamedWorkspace {
                workspace_id,
                new_name: form.new_name,
            }))
        }
        None => Err(owner::not_found(&mut db, &caller, Error::workspace_not_found()).await),
    }
}
