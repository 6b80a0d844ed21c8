//! `GET /chat-file/{chat_file_id}/diff?from=&to=`.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::id::VersionId;
use kafka_common::api::versions::Difference;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::query::Query;
use kafka_common::{owner, params};
use kafka_llm::diff::unified_diff;
use serde::Deserialize;

const DIFF: &str = of_named!("diff.sql");

/// The versions that are compared.
#[derive(Deserialize)]
struct Compared {
    older: Option<Text>,
    newer: Option<Text>,
}

/// The text of a version.
#[derive(Deserialize)]
struct Text {
    id: VersionId,
    content: String,
}

/// The difference of two versions; without `to`, or with an empty one, to the newest.
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
    let asked = params![file, caller.user_id(), from, to];
    let Some(found) = db.query_one_as::<Compared>(DIFF, asked).await? else {
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    let versions = found.older.zip(found.newer);
    let (older, newer) = versions.ok_or_else(Error::version_not_found)?;
    Ok(answer(&Difference {
        diff: unified_diff(&older.content, &newer.content),
        from: older.id,
        to: newer.id,
    }))
}
