//! `GET /chat/{chat_id}/files`.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::Access,
    db::{Db, Row},
    error::{Error, Result},
    files::Listed,
    owner, params,
    query::Query,
};
use serde_json::Value;

const FILES: &str = include_str!("files.sql");

/// A page of the chat's files: those of its workspace that it has, and those that were made in it.
pub async fn list(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.optional_id("user_id");
    let page = query.page();
    query.check()?;
    let caller = access.caller(user.as_deref())?;
    let mut db = Db::open().await?;
    let asked = params![chat, caller.user_id(), page.after(), page.limit()];
    let rows = db.query(FILES, asked).await?;
    match page.answer("files", rows, show) {
        Some(answer) => Ok(answer),
        None => Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await),
    }
}

fn show(mut row: Row, _: i64) -> Value {
    let version = row.opt_text(7);
    let file = Listed {
        id: row.text(1),
        filename: row.text(2),
        path: row.text(3),
        size: row.int(4),
        media_type: row.opt_text(5),
        is_versioned: version.is_some(),
    };
    let mut entry = file.entry();
    entry["file_id"] = row.opt_text(6).into();
    entry["num_versions"] = row.int(9).into();
    entry["version_id"] = version.into();
    entry["timestamp"] = row.opt_text(8).into();
    entry
}
