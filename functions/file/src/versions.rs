//! `GET /chat-file/{chat_file_id}/versions` and one of them.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::id::{Time, VersionId};
use kafka_common::api::versions::{Version, VersionText, Versions};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::list::List;
use kafka_common::query::Query;
use kafka_common::{owner, params};
use serde::Deserialize;

const VERSIONS: List<VersionRow, Version, Versions> = List {
    sql: of_named!("versions.sql"),
    show: |row, number| Version {
        id: row.id,
        number,
        timestamp: row.timestamp,
        size: row.size,
    },
    unread: |_| None,
    answer: |versions, next| Versions { versions, next },
    link: None,
    missing: Error::file_not_found,
};
const VERSION: &str = of_named!("version.sql");

/// A page of the file's versions, oldest first, without their texts. A file that was never changed has none.
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
    let asked = params![file, caller.user_id(), version];
    match db
        .query_one_as::<Option<VersionText>>(VERSION, asked)
        .await?
    {
        Some(Some(version)) => Ok(answer(&version)),
        Some(None) => Err(Error::version_not_found()),
        None => Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await),
    }
}
