//! `GET /chat/{chat_id}`.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use http::StatusCode;
use kafka_common::{
    access::Access,
    clock,
    conversation::ABANDONED_AFTER,
    db::{Db, Row},
    error::{Error, Result, json_response},
    owner, params,
    query::Query,
};
use serde_json::{Value, json};

const SHOW: &str = include_str!("show.sql");

/// The chat without its messages.
pub async fn show(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let found = db
        .query_one(
            SHOW,
            params![
                chat,
                caller.user_id(),
                clock::unix_millis(),
                ABANDONED_AFTER
            ],
        )
        .await?;
    let Some(mut row) = found else {
        return Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await);
    };
    let generation = running(&mut row);
    let body = json!({
        "id": row.text(0), "name": row.text(1), "last_updated": row.opt_text(2), "num_versions": row.int(3),
        "workspace_id": row.text(4), "rev": row.int(5), "num_messages": row.int(6), "generation": generation,
    });
    Ok(json_response(StatusCode::OK, &body))
}

fn running(row: &mut Row) -> Option<Value> {
    let id = row.opt_text(7)?;
    Some(json!({
        "id": id, "message_id": row.text(8), "model": row.text(9), "seq": row.int(10),
    }))
}
