//! `DELETE /models/delete/{model_id}`.

use axum::{extract::Path, response::Response};
use http::StatusCode;
use kafka_common::{
    access::Access,
    db::Db,
    error::{Error, Result, json_response},
    params,
};
use serde_json::json;

/// No row back: no such model of the caller's (NULL: of whoever knows the id).
const DELETE: &str =
    "DELETE FROM model WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2) RETURNING id";

/// Deletes a model and its key.
pub async fn delete(access: Access, Path(model): Path<String>) -> Result<Response> {
    let caller = access.caller(None)?;
    let mut db = Db::open().await?;
    db.query_one(DELETE, params![model, caller.user_id()])
        .await?
        .ok_or_else(Error::model_not_found)?;
    let body = json!({ "detail": "Model deleted successfully." });
    Ok(json_response(StatusCode::OK, &body))
}
