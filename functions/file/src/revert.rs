//! `POST /chat-file/{chat_file_id}/revert`: saves the text of an older version again.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::id::UserId;
use kafka_common::api::versions::{RevertFile, Reverted};
use kafka_common::chat_files::Attachment;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::form::{self, NoFiles};
use kafka_common::{announce, files, owner, params};

use crate::NAMED;

/// Saves the text of an older version again, with a message about it in the chat, as the action `revert_version` does.
pub(crate) async fn revert(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    access.admit_upload().await?;
    let form: RevertFile = form::read(request, NoFiles).await?;
    let caller = access.caller(form.user_id.as_ref().map(UserId::as_str))?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let asked = params![file, caller.user_id()];
    let Some(file) = tx.query_one_as::<Attachment>(NAMED, asked).await? else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    let done = file.revert(&mut tx, form.version_id.as_str()).await?;
    let done = done.ok_or_else(Error::version_not_found)?;
    files::check_room(&mut tx, &caller).await?;
    tx.commit().await?;
    announce::news(access.called(), [done.news(&file)]).await;
    let saved = done.reverted.saved;
    let (version, timestamp) = saved.version.ok_or_else(Error::version_not_found)?;
    Ok(answer(&Reverted {
        version_id: version.into(),
        timestamp: timestamp.into(),
        content: done.reverted.content,
        changed: saved.changed,
    }))
}
