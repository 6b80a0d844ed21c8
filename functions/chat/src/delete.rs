//! `DELETE /chat/{chat_id}`.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::Access,
    announce,
    api::Done,
    db::Db,
    error::{Error, Result, answer},
    owner,
    query::Query,
    removal,
};

/// Deletes a chat and all that is only its own: at once, or in parts if that is much.
pub async fn delete(
    access: Access,
    Path(chat): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    if !removal::delete_chat(&mut db, &chat, &caller).await? {
        return Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await);
    }
    announce::chat_deleted(&chat).await;
    Ok(answer(&Done {
        detail: "Chat deleted successfully.",
    }))
}

/// `DELETE /chat/new`, where `new` is an id like any other.
pub async fn delete_new(access: Access, request: Request) -> Result<Response> {
    delete(access, Path("new".to_owned()), request).await
}

/// `DELETE /chat/rename`, where `rename` is an id like any other.
pub async fn delete_rename(access: Access, request: Request) -> Result<Response> {
    delete(access, Path("rename".to_owned()), request).await
}
