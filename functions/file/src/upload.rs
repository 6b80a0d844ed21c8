//! `POST /file/upload`: files for a chat or a workspace.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::announce;
use kafka_common::api::file::UPLOAD_FORM;
use kafka_common::content::Staging;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::files::{self, Target};
use kafka_common::form::Form;
use kafka_common::owner;
use serde_json::{Value, json};

/// Stores all files of the request or none. Answers `{"files": [id, …], "details": [{id, name, content, language,
/// type, url}, …]}`.
pub(crate) async fn upload(access: Access, request: Request) -> Result<Response> {
    let mut staging = Staging::within(access.admit_upload().await?);
    let answer = receive(access, request, &mut staging).await;
    staging.settle(answer).await
}

async fn receive(access: Access, request: Request, staging: &mut Staging) -> Result<Response> {
    let mut form = Form::read(request, UPLOAD_FORM, staging).await?;
    let user_id = form.optional_id("user_id");
    let target_id = form.text("target_id");
    let is_chat = form.boolean("is_chat");
    let mut uploads = form.files("files");
    let caller = access.caller(user_id.as_deref())?;
    if uploads.is_empty() {
        return Err(Error::bad_request("No files uploaded."));
    }
    let (target, missing) = if is_chat {
        (Target::Chat(&target_id), Error::chat_not_found())
    } else {
        (Target::Workspace(&target_id), Error::workspace_not_found())
    };

    let ids: Vec<&str> = uploads
        .iter()
        .map(|upload| upload.file_id.as_str())
        .collect();
    let details: Vec<Value> = uploads.iter().map(files::details).collect();
    let answer = json!({ "files": ids, "details": details });

    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let inserted = files::insert(&mut tx, &mut uploads, target, &caller).await?;
    let Some(rev) = inserted else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, missing).await);
    };
    tx.commit().await?;
    if is_chat {
        announce::files_uploaded(&target_id, details, rev).await;
    }
    Ok(json_response(StatusCode::OK, &answer))
}
