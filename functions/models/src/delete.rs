//! `DELETE /models/delete/{model_id}`.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::Access,
    api::Done,
    db::Db,
    error::{Error, Result, answer},
    feed, owner, params,
    query::Query,
};

const DELETE: &str = include_str!("delete.sql");

const FORGET: &str = include_str!("forget.sql");

/// How many chats one statement takes a model from, for no other request can write meanwhile.
const PART: i64 = 1000;

/// Deletes a model and its key. Where it was set, nothing is set then.
pub async fn delete(
    access: Access,
    Path(model): Path<String>,
    request: Request,
) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    loop {
        let asked = || params![model.as_str(), caller.user_id(), PART];
        let owner: Option<String> = db.query_one_as(DELETE, asked()).await?;
        if let Some(owner) = owner {
            // All of it: where the model was set, something has changed, too.
            feed::tell([owner]).await;
            break;
        }
        if db.query(FORGET, asked()).await?.is_empty() {
            return Err(owner::not_found(&mut db, &caller, Error::model_not_found()).await);
        }
    }
    Ok(answer(&Done {
        detail: "Model deleted successfully.",
    }))
}
