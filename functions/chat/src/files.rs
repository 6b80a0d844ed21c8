//! `GET /chat/{chat_id}/files`.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::Access,
    api::{
        chat::{ChatFile, ChatFiles},
        id::{FileId, Time, VersionId},
    },
    error::{Error, Result},
    files::Listed,
    list::List,
};
use serde::Deserialize;

const FILES: List<Row, ChatFile, ChatFiles> = List {
    sql: include_str!("files.sql"),
    show: |row, _| ChatFile {
        file: row.file.entry(),
        file_id: row.file_id,
        num_versions: row.num_versions,
        version_id: row.version_id,
        timestamp: row.timestamp,
    },
    unread: |row| row.file.unread.as_ref(),
    link: Some(|row, links| links.add(&mut row.file)),
    answer: |files, next| ChatFiles { files, next },
    missing: Error::chat_not_found,
};

#[derive(Deserialize)]
struct Row {
    file: Listed,
    file_id: Option<FileId>,
    num_versions: u64,
    version_id: Option<VersionId>,
    timestamp: Option<Time>,
}

/// A page of the chat's files: those of its workspace that it has, and those that were made in it.
pub async fn list(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    FILES.of(chat, access, request).await
}
