//! `GET /workspace/{workspace_id}/files`.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::Row;
use kafka_common::error::{Error, Result};
use kafka_common::files::Listed;
use kafka_common::page::List;
use serde_json::Value;

const FILES: List = List {
    sql: include_str!("files.sql"),
    things: "files",
    show,
    missing: Error::workspace_not_found,
};

/// A page of the workspace's files. What was made in a chat is that chat's alone.
pub(crate) async fn list(
    access: Access,
    Path(workspace): Path<String>,
    request: Request,
) -> Result<Response> {
    FILES.of(workspace, access, request).await
}

fn show(mut row: Row, _: i64) -> Value {
    let file = Listed {
        id: row.text(1),
        filename: row.text(2),
        path: row.text(3),
        size: row.int(4),
        media_type: row.opt_text(5),
        is_versioned: row.int(6) != 0,
    };
    file.entry()
}
