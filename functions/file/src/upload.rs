//! `POST /file/upload`: files for a chat or a workspace.

use axum::extract::Request;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::file::{NewFiles, UploadFiles, Uploaded};
use kafka_common::api::id::UserId;
use kafka_common::content::{Staging, Upload};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::files::{self, Target};
use kafka_common::form;
use kafka_common::links::Links;
use kafka_common::{announce, feed, owner, texts};

/// Stores all files of the request or none.
pub(crate) async fn upload(access: Access, request: Request) -> Result<Response> {
    let mut staging = Staging::within(access.admit_upload().await?);
    let answer = receive(access, request, &mut staging).await;
    staging.settle(answer).await
}

async fn receive(access: Access, request: Request, staging: &mut Staging) -> Result<Response> {
    let form: UploadFiles<Upload> = form::read(request, staging).await?;
    let (target_id, mut uploads) = (form.target_id, form.files.0);
    let caller = access.caller(form.user_id.as_ref().map(UserId::as_str))?;
    if uploads.is_empty() {
        return Err(Error::bad_request("No files uploaded."));
    }
    let (target, missing) = if form.is_chat {
        (Target::Chat(&target_id), Error::chat_not_found())
    } else {
        (Target::Workspace(&target_id), Error::workspace_not_found())
    };
    let new: Vec<_> = uploads.iter().map(files::new_file).collect();
    let links = Links::of(access.called()).await?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let inserted = files::insert(&mut tx, &mut uploads, target, &caller).await?;
    let Some(rev) = inserted else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, missing).await);
    };
    tx.commit().await?;
    drop(db);
    let mut details = texts::of_new(new).await;
    if form.is_chat {
        announce::files_uploaded(access.called(), &target_id, details.clone(), rev).await;
    }
    feed::tell(details.iter().map(|file| file.id.as_str())).await;
    details
        .iter_mut()
        .for_each(|file| links.add_to_upload(file));
    let files = match form.s3_urls {
        Some(_) => NewFiles::Details(details.clone()),
        None => NewFiles::Ids(details.iter().map(|file| file.id.clone()).collect()),
    };
    Ok(answer(&Uploaded { files, details }))
}
