//! `POST /chat-file/{chat_file_id}/versions`: a text is saved.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::api::id::UserId;
use kafka_common::api::versions::{SaveText, Saved};
use kafka_common::chat_files::Attachment;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::form::{self, NoFiles};
use kafka_common::versions::MAX_TEXT_BYTES;
use kafka_common::{announce, files, owner, params};

use crate::NAMED;

/// Saves a text of at most 256 KiB as the newest version. The text that the file has already makes none: the answer
/// names the newest there is.
pub(crate) async fn save(
    access: Access,
    Path(file): Path<String>,
    request: Request,
) -> Result<Response> {
    access.admit_upload().await?;
    let form: SaveText = form::read(request, NoFiles).await?;
    let text = form.content;
    let caller = access.caller(form.user_id.as_ref().map(UserId::as_str))?;
    if text.len() > MAX_TEXT_BYTES {
        return Err(Error::TooLarge);
    }
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let asked = params![file, caller.user_id()];
    let Some(file) = tx.query_one_as::<Attachment>(NAMED, asked).await? else {
        drop(tx);
        return Err(owner::not_found(&mut db, &caller, Error::file_not_found()).await);
    };
    let kept = file.save(&mut tx, &text).await?;
    let kept = kept.ok_or_else(|| {
        Error::bad_request("The file is too long to be edited here, no text, or not read yet.")
    })?;
    files::check_room(&mut tx, &caller).await?;
    tx.commit().await?;
    announce::news(access.called(), [kept.news(&file)]).await;
    let saved = kept.saved;
    let (version, timestamp) = saved.version.unzip();
    Ok(answer(&Saved {
        version_id: version.map(Into::into),
        timestamp: timestamp.map(Into::into),
        changed: saved.changed,
    }))
}
