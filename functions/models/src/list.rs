//! `GET /models?user_id=`.

use axum::{extract::Request, response::Response};
use http::StatusCode;
use kafka_common::{
    access::Access,
    db::Db,
    error::{Error, Result, json_text_response},
    params,
    query::Query,
};

use crate::renew;

/// The answer as JSON; no row if there is no such user.
const LIST: &str = "SELECT json_object('models', (
        SELECT json_group_array(json_object('id', id, 'name', name, 'base_url', base_url, 'user_id', user_id))
        FROM (SELECT id, name, base_url, user_id FROM model WHERE user_id = u.id ORDER BY rowid)
    )) AS answer
    FROM \"user\" u WHERE u.id = ?1";

/// Answers with the user's models in the order in which they were made, without their keys.
pub async fn list(access: Access, request: Request) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.id("user_id");
    query.check()?;
    let caller = access.caller(Some(&user))?;
    renew::once().await?;
    let mut db = Db::open().await?;
    let mut answer = db
        .query_one(LIST, params![caller.user_id()])
        .await?
        .ok_or_else(Error::user_not_found)?;
    Ok(json_text_response(StatusCode::OK, answer.text(0)))
}
