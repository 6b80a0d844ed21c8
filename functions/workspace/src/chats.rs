//! `GET /workspace/{workspace_id}/chats`.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::{Db, Row};
use kafka_common::error::{Error, Result};
use kafka_common::query::Query;
use kafka_common::{owner, params};
use serde_json::{Value, json};

const CHATS: &str = include_str!("chats.sql");

/// A page of the workspace's chats.
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
    let rows = db.query(CHATS, asked).await?;
    match page.answer("chats", rows, show) {
        Some(answer) => Ok(answer),
        None => Err(owner::not_found(&mut db, &caller, Error::workspace_not_found()).await),
    }
}

fn show(mut row: Row, _: i64) -> Value {
    json!({
        "id": row.text(1), "name": row.text(2), "last_updated": row.opt_text(3), "num_versions": row.int(4),
        "workspace_id": row.text(5),
    })
}
