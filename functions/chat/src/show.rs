//! `GET /chat/{chat_id}`.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::Access,
    api::chat::ChatDetails,
    clock,
    conversation::ABANDONED_AFTER,
    db::Db,
    error::{Error, Result, answer},
    owner, params,
    query::Query,
};

const SHOW: &str = include_str!("show.sql");

/// The chat without its messages.
pub async fn show(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let found = db
        .query_one_as::<ChatDetails>(
            SHOW,
            params![
                chat,
                caller.user_id(),
                clock::unix_millis(),
                ABANDONED_AFTER
            ],
        )
        .await?;
    match found {
        Some(chat) => Ok(answer(&chat)),
        None => Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await),
    }
}
