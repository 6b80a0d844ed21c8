//! `PATCH /workspace/{workspace_id}`: another name, and settings.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::id::UserId;
use kafka_common::api::workspace::{ChangeWorkspace, WorkspaceDetails};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::form::{self, NoFiles};
use kafka_common::limits::Limit;
use kafka_common::{feed, owner, params, settings};

const CHANGE: &str = include_str!("change.sql");

/// The owner of the workspace ?1, if it is of the caller ?2 (NULL: any).
const OWNER: &str =
    "SELECT owner_id FROM workspace WHERE id = ?1 AND (?2 IS NULL OR owner_id = ?2)";

/// Changes what was sent, all of it or nothing.
pub(crate) async fn change(
    access: Access,
    Path(workspace): Path<String>,
    request: Request,
) -> Result<Response> {
    let mut form: ChangeWorkspace = form::read(request, NoFiles).await?;
    let settings = settings::Change::read(form.take_settings())?;
    let name = form.name.filter(|name| !name.is_empty());
    let caller = access.caller(form.user_id.as_ref().map(UserId::as_str))?;
    caller.count(Limit::Create).await?;
    let mut db = Db::open().await?;
    let mut asked = params![workspace.as_str(), caller.user_id(), name];
    asked.extend(settings.params());
    if let Some(changed) = db.query_one_as::<WorkspaceDetails>(CHANGE, asked).await? {
        feed::tell([workspace]).await;
        return Ok(answer(&changed));
    }
    let asked = params![workspace, caller.user_id()];
    let owner: Option<String> = db.query_one_as(OWNER, asked).await?;
    // A workspace of the caller's lacks nothing but the model.
    Err(match owner {
        Some(_) => Error::model_not_found(),
        None => owner::not_found(&mut db, &caller, Error::workspace_not_found()).await,
    })
}
