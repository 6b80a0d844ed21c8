//! `GET /workspace?user_id=`.

use axum::extract::Request;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result};
use kafka_common::params;
use kafka_common::query::Query;
use serde_json::json;

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
    let show =
        |mut row: kafka_common::db::Row, _| json!({ "id": row.text(1), "name": row.text(2) });
    page.answer("workspaces", rows, show)
        .ok_or_else(Error::user_not_found)
}
