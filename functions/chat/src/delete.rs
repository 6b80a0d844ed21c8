//! `DELETE /chat/{chat_id}`.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::params;
use serde_json::json;

/// Deletes the chat of the path's id.
pub(crate) async fn by_path(access: Access, Path(chat_id): Path<String>) -> Result<Response> {
    named(access, &chat_id).await
}

/// Deletes the chat with its messages, its files and their versions, which the schema takes along; the files of the
/// workspace stay.
pub(crate) async fn named(access: Access, chat_id: &str) -> Result<Response> {
    let caller = access.caller(None)?;
    let deleted = Db::open()
        .await?
        .query_one(
            "DELETE FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2) RETURNING id",
            params![chat_id, caller.user_id()],
        )
        .await?;
    if deleted.is_none() {
        return Err(Error::chat_not_found());
    }
    let detail = json!({ "detail": "Chat deleted successfully." });
    Ok(json_response(StatusCode::OK, &detail))
}
