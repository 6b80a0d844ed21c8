//! `GET /workspace/{workspace_id}/chats`.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::chat::Chat;
use kafka_common::api::workspace::Chats;
use kafka_common::error::{Error, Result};
use kafka_common::list::List;

const CHATS: List<Chat, Chat, Chats> = List {
    sql: include_str!("chats.sql"),
    show: |chat, _| chat,
    unread: |_| None,
    answer: |chats, next| Chats { chats, next },
    link: None,
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
