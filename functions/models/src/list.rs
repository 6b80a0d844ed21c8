//! `GET /models?user_id=`.

use axum::{extract::Request, response::Response};
use kafka_common::{
    access::Access,
    api::models::{Model, Models},
    db::Db,
    error::{Error, Result, answer},
    params,
    query::Query,
};
use serde::Deserialize;

use crate::renew;

const LIST: &str = include_str!("list.sql");

#[derive(Deserialize)]
struct Row {
    model: Option<Model>,
}

/// Answers with the user's models in the order in which they were made, without their keys.
pub async fn list(access: Access, request: Request) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.id("user_id");
    query.check()?;
    let caller = access.caller(Some(&user))?;
    renew::once().await?;
    let mut db = Db::open().await?;
    let rows: Vec<Row> = db.query_as(LIST, params![caller.user_id()]).await?;
    if rows.is_empty() {
        return Err(Error::user_not_found());
    }
    let models = rows.into_iter().filter_map(|row| row.model).collect();
    Ok(answer(&Models { models }))
}
