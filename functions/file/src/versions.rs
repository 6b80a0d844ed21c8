//! `GET /chat-file/{chat_file_id}/versions` and one of them.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::id::{Time, VersionId};
use kafka_common::api::versions::{Version, Versions};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::page::List;
use kafka_common::query::Query;
use kafka_common::{owner, params};
use serde::Deserialize;
use serde_json::json;

const VERSIONS: List<VersionRow, Version, Versions> = List {
    sql: include_str!("versions.sql"),
    show: |row, number| Version {
        id: row.id,
        number,
        timestamp: row.timestamp,
        size: row.size,
    },
    answer: |versions, next| Versions { versions, next },
    missing: Error::file_not_found,
};
const VERSION: &str = include_str!("version.sql");

/// A page of the file's versions, oldest first, without what they say. A file that is as it was uploaded has none.
pub(crate) async fn list(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    VERSIONS.of(file, access, request).await
}

#[derive(Deserialize)]
struct VersionRow {
    id: VersionId,
    timestamp: Time,
    size: u64,
}

/// One version, whole.
pub(crate) async fn show(
    access: Access,
    Path((file, version)): Path<(String, String)>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let found = db
        .query_one(VERSION, params![file, caller.user_id(), version])
        .await?;
    let Some(mut row) = found else {
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    let id = row.opt_text(0).ok_or_else(Error::version_not_found)?;
    let body = json!({
        "id": id, "number": row.int(4), "timestamp": row.text(1), "size": row.int(3), "content": row.text(2),
    });
    Ok(json_response(StatusCode::OK, &body))
}
