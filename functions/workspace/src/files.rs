//! `GET /workspace/{workspace_id}/files`.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::file::File;
use kafka_common::api::workspace::Files;
use kafka_common::error::{Error, Result};
use kafka_common::files::Listed;
use kafka_common::list::List;

const FILES: List<Listed, File, Files> = List {
    sql: include_str!("files.sql"),
    show: |file, _| file.entry(),
    unread: |file| file.unread.as_ref(),
    link: Some(|file, links| links.add(file)),
    answer: |files, next| Files { files, next },
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
