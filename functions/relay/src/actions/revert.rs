//! `revert_version`: a file says again what it said once.

use kafka_common::access::Caller;
use kafka_common::api::events::{EventV1, FileChanged, MessageV1};
use kafka_common::api::id::VersionId;
use kafka_common::chat_files::Attachment;
use kafka_common::db::Db;
use kafka_common::files;
use kafka_common::limits::Limit;
use kafka_common::params;

use super::ActionDone;
use crate::refused::Refused;

const FIND: &str = include_str!("revert.sql");

/// Saves the old text as a new version, with a message about it.
pub async fn revert(
    chat: &str,
    caller: &Caller,
    version: &VersionId,
    filename: String,
) -> Result<ActionDone, Refused> {
    let no_version = || Refused::not_found(format!("No version found for version_id={version}"));
    caller.count(Limit::Upload).await?;
    caller.check_room().await?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let found: Option<Option<String>> = tx
        .query_one_as(
            FIND,
            params![chat, caller.user_id(), filename.as_str(), version],
        )
        .await?;
    let found = found.ok_or_else(Refused::chat_not_found)?;
    let file = found.ok_or_else(|| {
        Refused::not_found(format!("No .based file found for filename={filename}"))
    })?;
    let file = Attachment {
        id: file,
        name: filename,
        chat: chat.to_owned(),
    };
    let done = file.revert(&mut tx, version.as_str()).await?;
    let done = done.ok_or_else(no_version)?;
    files::check_room(&mut tx, caller).await?;
    tx.commit().await?;

    let events = done.news(&file).events;
    let made = done.reverted.saved.version.map(|(id, _)| id);
    let message = MessageV1::about_file(done.said);
    Ok(ActionDone {
        answer: EventV1::RevertComplete { message },
        file: FileChanged {
            message_id: done.message.id,
            file_id: file.id.into(),
            version_id: Some(made.unwrap_or_default().into()),
        },
        events,
    })
}
