//! `GET /workspace/{workspace_id}/files`.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::{Db, Row};
use kafka_common::error::{Error, Result};
use kafka_common::files::Listed;
use kafka_common::query::Query;
use kafka_common::{owner, params};
use serde_json::Value;

const FILES: &str = include_str!("files.sql");

/// A page of the workspace's files. What was made in a chat is that chat's alone.
pub(crate) async fn list(
    access: Access,
    Path(workspace): Path<String>,
    request: Request,
) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.optional_id("user_id");
    let page = query.page();
    query.check()?;
    let caller = access.caller(user.as_deref())?;
    let mut db = Db::open().await?;
    let asked = params![workspace, caller.user_id(), page.after(), page.limit()];
    let rows = db.query(FILES, asked).await?;
    match page.answer("files", rows, show) {
        Some(answer) => Ok(answer),
        None => Err(owner::not_found(&mut db, &caller, Error::workspace_not_found()).await),
    }
}

fn show(mut row: Row, _: i64) -> Value {
    let file = Listed {
        id: row.text(1),
        filename: row.text(2),
        path: row.text(3),
        size: row.int(4),
        media_type: row.opt_text(5),
        is_versioned: false,
    };
    file.entry()
}
