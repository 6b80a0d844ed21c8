//! `GET /chat/{chat_id}/export`: one chat as a document.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::export::{ExportedChatHead, FORMATS};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result};
use kafka_common::query::Query;
use kafka_common::{owner, params};
use serde::Deserialize;

use crate::answer::Export;
use crate::{document, markdown};

const CHAT: &str = include_str!("chat.sql");

#[derive(Deserialize)]
struct Row {
    user_id: String,
    chat: ExportedChatHead,
}

/// Sends the chat with all branches, in JSON or Markdown.
pub async fn export(
    access: Access,
    Path(chat): Path<String>,
    request: Request,
) -> Result<Response> {
    let mut query = Query::of(&request);
    let user = query.optional_id("user_id");
    let format = query.optional_word("format", &FORMATS);
    query.check()?;
    let caller = access.caller(user.as_deref())?;
    let mut db = Db::open().await?;
    let row: Option<Row> = db
        .query_one_as(CHAT, params![chat, caller.user_id()])
        .await?;
    let Some(Row { user_id, chat }) = row else {
        return Err(owner::not_found(&mut db, &caller, Error::chat_not_found()).await);
    };
    let export = Export::begin(&mut db, &caller, &user_id, chat.id.as_str()).await?;
    let name = chat.name.clone();
    Ok(match format.as_deref() {
        Some("markdown") => {
            let filename = format!("{name}.md");
            export.answer(
                markdown::chat(chat),
                &filename,
                "text/markdown; charset=utf-8",
            )
        }
        _ => {
            let filename = format!("{name}.json");
            export.answer(document::chat(chat), &filename, "application/json")
        }
    })
}
