//! `POST /models/{id}/test`: does a model answer? Component `reply` asks it.

use axum::extract::{Path, Request};
use axum::response::Response;
use http::StatusCode;
use kafka_common::access::Access;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::limits::Limit;
use kafka_common::long_work::{Kind, Lease};
use kafka_common::query::Query;
use kafka_common::reply::Model;
use kafka_common::{object, owner, params};

use crate::reply;

/// Answers `{"ok": true}`, or `{"ok": false, "error": …}` with what to do about it.
pub async fn test(access: Access, Path(id): Path<String>, request: Request) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    caller.count(Limit::Message).await?;
    let mut db = Db::open().await?;
    let row = db
        .query_one(
            "SELECT name, base_url, ak, user_id FROM model WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)",
            params![id.as_str(), caller.user_id()],
        )
        .await?;
    let Some(mut row) = row else {
        return Err(owner::not_found(&mut db, &caller, Error::model_not_found()).await);
    };
    let model = Model {
        id,
        name: row.text(0),
        base_url: row.text(1),
        sealed_key: row.text(2),
        owner: row.text(3),
    };
    drop(db);
    let _lease = Lease::take(&caller, Kind::Trial).await?;
    let trial = reply::try_model(&model).await?;
    let answer = object!({ "ok": trial.error.is_none(), "error": trial.error });
    Ok(json_response(StatusCode::OK, &answer))
}
