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
use kafka_common::{owner, params};
use serde_json::json;

use crate::reply;

/// Answers `{"ok": true}`, or `{"ok": false, "error": …}` with what to do about it.
pub async fn test(access: Access, Path(id): Path<String>, request: Request) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    caller.count(Limit::Message).await?;
    let mut db = Db::open().await?;
    let model: Option<Model> = db
        .query_one_as(
            "SELECT id, name, base_url, ak AS sealed_key, user_id AS owner, context_chars, timeout_seconds,
                headers AS sealed_headers, query, key_header, learnt, takes_images FROM model
             WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)",
            params![id, caller.user_id()],
        )
        .await?;
    let Some(model) = model else {
        return Err(owner::not_found(&mut db, &caller, Error::model_not_found()).await);
    };
    drop(db);
    let _lease = Lease::take(&caller, Kind::Trial).await?;
    let trial = reply::try_model(&model).await?;
    let ok = trial.error.is_none();
    Ok(json_response(
        StatusCode::OK,
        &json!({ "ok": ok, "error": trial.error }),
    ))
}
