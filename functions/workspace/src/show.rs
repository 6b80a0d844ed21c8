//! `GET /workspace/{workspace_id}`.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::workspace::WorkspaceDetails;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::query::Query;
use kafka_common::{owner, params};

const SHOW: &str = include_str!("show.sql");

/// The workspace, and how much is in it.
pub(crate) async fn show(
    access: Access,
    Path(workspace): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let asked = params![workspace, caller.user_id()];
    match db.query_one_as::<WorkspaceDetails>(SHOW, asked).await? {
        Some(workspace) => Ok(answer(&workspace)),
        None => Err(owner::not_found(&mut db, &caller, Error::workspace_not_found()).await),
    }
}
