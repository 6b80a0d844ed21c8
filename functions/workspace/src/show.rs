//! `GET /workspace/{workspace_id}`.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::query::Query;
use kafka_common::{owner, params};
use serde_json::json;

const SHOW: &str = include_str!("show.sql");

/// The workspace, and how much is in it.
pub(crate) async fn show(
    access: Access,
    Path(workspace): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let found = db
        .query_one(SHOW, params![workspace, caller.user_id()])
        .await?;
    let Some(mut row) = found else {
        return Err(owner::not_found(&mut db, &caller, Error::workspace_not_found()).await);
    };
    let body = json!({
        "id": row.text(0), "name": row.text(1), "num_files": row.int(2), "num_chats": row.int(3),
    });
    Ok(json_response(StatusCode::OK, &body))
}
