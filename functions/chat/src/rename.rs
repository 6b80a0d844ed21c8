//! `PATCH /chat/rename`.

use axum::{extract::Request, response::Response};
use kafka_common::{
    access::Access,
    announce,
    api::{
        chat::{ChatName, RenameChat},
        id::UserId,
    },
    clock,
    db::Db,
    error::{Error, Result, answer},
    form::{self, NoFiles},
    limits::Limit,
    owner, params,
};

const RENAME: &str = include_str!("rename.sql");

/// Gives the chat another name.
pub async fn rename(access: Access, request: Request) -> Result<Response> {
    let form: RenameChat = form::read(request, NoFiles).await?;
    let (chat_id, name) = (form.chat_id, form.new_name);
    let caller = access.caller(form.user_id.as_ref().map(UserId::as_str))?;
    caller.count(Limit::Create).await?;
    let last_updated = clock::time();
    let mut db = Db::open().await?;
    let parameters = params![name.as_str(), &last_updated, &chat_id, caller.user_id()];
    let Some(rev) = db.query_one_as(RENAME, parameters).await? else {
        return Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await);
    };
    announce::chat_renamed(chat_id.as_str(), &name, rev).await;
    Ok(answer(&ChatName {
        chat_id,
        name,
        last_updated,
    }))
}
