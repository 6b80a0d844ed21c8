//! `POST /auth/hydrate`: the answer of a login once more, for a frontend that was loaded again.

use axum::{extract::Request, response::Response};
use http::StatusCode;
use kafka_common::{
    access::Access,
    db::Db,
    error::{Error, Result, json_text_response},
    json::JsonBody,
};
use serde::Deserialize;

use crate::account;

/// The body where a session says who calls.
#[derive(Deserialize)]
struct Named {
    user_id: Option<String>,
}

/// The body in open mode.
#[derive(Deserialize)]
struct Required {
    user_id: String,
}

/// Answers with the user and all they have.
pub async fn hydrate(access: Access, request: Request) -> Result<Response> {
    let body = JsonBody::read_or_empty(request, &["user_id"]).await?;
    let Named { user_id } = body.get()?;
    let caller = access.caller(user_id.as_deref())?;
    let user = match caller.user_id() {
        Some(user) => user.to_owned(),
        None => body.get::<Required>()?.user_id,
    };
    let mut db = Db::open().await?;
    let found = account::look_up_id(&mut db, &user).await?;
    let account = found.ok_or_else(Error::user_not_found)?.check()?;
    Ok(json_text_response(StatusCode::OK, account.answer))
}
