//! `DELETE /chat/{chat_id}`.

use axum::{
    extract::Path,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use kafka_common::{
    access::Access,
    announce,
    db::Db,
    error::{Error, Result, json_response},
    params,
};
use serde_json::json;

const DELETE: &str = include_str!("delete.sql");

/// Deletes a chat and all that is only its own.
pub async fn delete(access: Access, Path(chat): Path<String>) -> Result<Response> {
    let caller = access.caller(None)?;
    let mut db = Db::open().await?;
    db.query_one(DELETE, params![chat.as_str(), caller.user_id()])
        .await?
        .ok_or_else(Error::chat_not_found)?;
    announce::chat_deleted(&chat).await;
    let body = json!({ "detail": "Chat deleted successfully." });
    Ok(json_response(StatusCode::OK, &body).into_response())
}

/// `DELETE /chat/new`, where `new` is an id like any other.
pub async fn delete_new(access: Access) -> Result<Response> {
    delete(access, Path("new".to_owned())).await
}

/// `DELETE /chat/rename`, where `rename` is an id like any other.
pub async fn delete_rename(access: Access) -> Result<Response> {
    delete(access, Path("rename".to_owned())).await
}
