//! `POST /chat-file/{chat_file_id}/revert`: a file says again what it said once.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::announce;
use kafka_common::api::versions::REVERT_FORM;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::files;
use kafka_common::form::{Form, NoFiles};
use kafka_common::owner;
use serde_json::json;

use crate::chat_file;

/// Saves the text of an older version again, with a message about it in the chat, as a window's `revert_version` does.
pub(crate) async fn revert(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    access.admit_upload().await?;
    let mut form = Form::read(request, REVERT_FORM, NoFiles).await?;
    let version = form.text("version_id");
    let user = form.optional_id("user_id");
    let caller = access.caller(user.as_deref())?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let Some(file) = chat_file::find(&mut tx, &file, caller.user_id()).await? else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    let done = file.revert(&mut tx, &version).await?;
    let done = done.ok_or_else(Error::version_not_found)?;
    files::check_room(&mut tx, &caller).await?;
    tx.commit().await?;
    announce::news([done.news(&file)]).await;
    let (version, timestamp) = done.reverted.saved.version.unzip();
    let body = json!({
        "version_id": version, "timestamp": timestamp, "content": done.reverted.content,
        "changed": done.reverted.saved.changed,
    });
    Ok(json_response(StatusCode::OK, &body))
}
