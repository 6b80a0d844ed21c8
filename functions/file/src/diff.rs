//! `GET /chat-file/{chat_file_id}/diff?from=&to=`.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::query::Query;
use kafka_common::{owner, params};
use kafka_llm::diff::unified_diff;
use serde_json::json;

const DIFF: &str = include_str!("diff.sql");

/// What is different in a version; without `to`, or with an empty one, in the newest.
pub(crate) async fn diff(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    let mut query = Query::of(&request);
    let from = query.id("from");
    let to = query.optional_id("to").filter(|id| !id.is_empty());
    let user = query.optional_id("user_id");
    query.check()?;
    let caller = access.caller(user.as_deref())?;
    let mut db = Db::open().await?;
    let found = db
        .query_one(DIFF, params![file, caller.user_id(), from, to])
        .await?;
    let Some(mut row) = found else {
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    let versions = row.opt_text(0).zip(row.opt_text(2));
    let (from, to) = versions.ok_or_else(Error::version_not_found)?;
    let diff = unified_diff(&row.text(1), &row.text(3));
    let body = json!({ "from": from, "to": to, "diff": diff });
    Ok(json_response(StatusCode::OK, &body))
}
