//! `GET /workspace/{workspace_id}/chats`.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::Row;
use kafka_common::error::{Error, Result};
use kafka_common::page::List;
use serde_json::{Value, json};

const CHATS: List = List {
    sql: include_str!("chats.sql"),
    things: "chats",
    show,
    missing: Error::workspace_not_found,
};

/// A page of the workspace's chats.
pub(crate) async fn list(
    access: Access,
    Path(workspace): Path<String>,
    request: Request,
) -> Result<Response> {
    CHATS.of(workspace, access, request).await
}

fn show(mut row: Row, _: i64) -> Value {
    json!({
        "id": row.text(1), "name": row.text(2), "last_updated": row.opt_text(3), "num_versions": row.int(4),
        "workspace_id": row.text(5),
    })
}
