//! `DELETE /chat/{chat_id}`.

use axum::{
    extract::{Path, Request},
    response::{IntoResponse, Response},
};
use http::StatusCode;
use kafka_common::{
    access::Access,
    announce,
    db::Db,
    error::{Error, Result, json_response},
    owner, params,
    query::Query,
};
use serde_json::json;

const DELETE: &str = include_str!("delete.sql");

/// Deletes a chat and all that is only its own.
pub async fn delete(
    access: Access,
    Path(chat): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let asked = params![chat.as_str(), caller.user_id()];
    if db.query_one(DELETE, asked).await?.is_none() {
        return Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await);
    }
    announce::chat_deleted(&chat).await;
    let body = json!({ "detail": "Chat deleted successfully." });
    Ok(json_response(StatusCode::OK, &body).into_response())
}

/// `DELETE /chat/new`, where `new` is an id like any other.
pub async fn delete_new(access: Access, request: Request) -> Result<Response> {
    delete(access, Path("new".to_owned()), request).await
}

/// `DELETE /chat/rename`, where `rename` is an id like any other.
pub async fn delete_rename(access: Access, request: Request) -> Result<Response> {
    delete(access, Path("rename".to_owned()), request).await
}
