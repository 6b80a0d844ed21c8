//! `PATCH /workspace/rename`.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::workspace::RENAME_FORM;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::form::{Form, NoFiles};
use kafka_common::limits::Limit;
use kafka_common::owner;
use kafka_common::params;
use serde_json::json;

/// No row back: no such workspace of the caller's (NULL: of whoever knows the id).
const RENAME: &str = "UPDATE workspace SET name = ?2
    WHERE id = ?1 AND (?3 IS NULL OR owner_id = ?3) RETURNING id";

/// Gives the workspace another name.
pub(crate) async fn rename(access: Access, request: Request) -> Result<Response> {
    let mut form = Form::read(request, RENAME_FORM, NoFiles).await?;
    let (workspace, name) = (form.text("workspace_id"), form.text("new_name"));
    let user = form.optional_id("user_id");
    let caller = access.caller(user.as_deref())?;
    caller.count(Limit::Create).await?;
    let mut db = Db::open().await?;
    let renamed = db
        .query_one(
            RENAME,
            params![workspace.as_str(), name.as_str(), caller.user_id()],
        )
        .await?;
    if renamed.is_none() {
        return Err(owner::not_found(&mut db, &caller, Error::workspace_not_found()).await);
    }
    let body = json!({ "workspace_id": workspace, "new_name": name });
    Ok(json_response(StatusCode::OK, &body))
}
