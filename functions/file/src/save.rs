//! `POST /chat-file/{chat_file_id}/versions`: a text is saved.

use axum::extract::{Path, Request};
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::announce;
use kafka_common::api::versions::SAVE_FORM;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::files;
use kafka_common::form::{Form, NoFiles};
use kafka_common::owner;
use kafka_common::versions::MAX_TEXT_BYTES;
use serde_json::json;

use crate::chat_file;

/// Saves a text of at most 256 KiB as the newest version. What the file says already makes none: the answer names the
/// newest there is.
pub(crate) async fn save(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    access.admit_upload().await?;
    let mut form = Form::read(request, SAVE_FORM, NoFiles).await?;
    let text = form.text("content");
    let user = form.optional_id("user_id");
    let caller = access.caller(user.as_deref())?;
    if text.len() > MAX_TEXT_BYTES {
        return Err(Error::TooLarge);
    }
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let Some(file) = chat_file::find(&mut tx, &file, caller.user_id()).await? else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    let kept = file.save(&mut tx, &text).await?;
    let kept = kept
        .ok_or_else(|| Error::bad_request("The file is too long to be edited here, or no text."))?;
    files::check_room(&mut tx, &caller).await?;
    tx.commit().await?;
    announce::news([kept.news(&file, &text)]).await;
    let saved = kept.saved;
    let (version, timestamp) = saved.version.unzip();
    let body = json!({ "version_id": version, "timestamp": timestamp, "changed": saved.changed });
    Ok(json_response(StatusCode::OK, &body))
}
