//! `GET /workspace?user_id=`.

use axum::extract::Request;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::workspace::{Workspace, Workspaces};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::params;
use kafka_common::query::Query;

const LIST: &str = include_str!("list.sql");

/// A page of the user's workspaces.
pub(crate) async fn list(access: Access, request: Request) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.id("user_id");
    let page = query.page();
    query.check()?;
    let caller = access.caller(Some(&user))?;
    let rows = Db::open()
        .await?
        .query(LIST, params![caller.user_id(), page.after(), page.limit()])
        .await?;
    let found = page.of(rows, |workspace: Workspace, _| workspace)?;
    let (workspaces, next) = found.ok_or_else(Error::user_not_found)?;
    Ok(answer(&Workspaces { workspaces, next }))
}
