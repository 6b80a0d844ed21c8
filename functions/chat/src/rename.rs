//! `PATCH /chat/rename`.

use axum::{
    extract::Request,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use kafka_common::{
    access::Access,
    announce,
    api::chat::RENAME_FORM,
    clock,
    db::Db,
    error::{Error, Result, json_response},
    form::{Form, NoFiles},
    limits::Limit,
    owner, params,
};
use serde_json::json;

const RENAME: &str = include_str!("rename.sql");

/// Gives the chat another name.
pub async fn rename(access: Access, request: Request) -> Result<Response> {
    let mut form = Form::read(request, RENAME_FORM, NoFiles).await?;
    let (chat, name) = (form.text("chat_id"), form.text("new_name"));
    let user = form.optional_id("user_id");
    let caller = access.caller(user.as_deref())?;
    caller.count(Limit::Create).await?;
    let now = clock::now();
    let mut db = Db::open().await?;
    let row = db
        .query_one(
            RENAME,
            params![name.as_str(), now.as_str(), chat.as_str(), caller.user_id()],
        )
        .await?;
    let Some(row) = row else {
        return Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await);
    };
    announce::chat_renamed(&chat, &name, row.int(0)).await;
    let body = json!({ "chat_id": chat, "name": name, "last_updated": now });
    Ok(json_response(StatusCode::OK, &body).into_response())
}
