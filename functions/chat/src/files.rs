//! `GET /chat/{chat_id}/files`.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::Access,
    db::Row,
    error::{Error, Result},
    files::Listed,
    page::List,
};
use serde_json::Value;

const FILES: List = List {
    sql: include_str!("files.sql"),
    things: "files",
    show,
    missing: Error::chat_not_found,
};

/// A page of the chat's files: those of its workspace that it has, and those that were made in it.
pub async fn list(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    FILES.of(chat, access, request).await
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
