//! `revert_version`: a file says again what it said once.

use kafka_common::access::Caller;
use kafka_common::chat_files::ChatFile;
use kafka_common::db::Db;
use kafka_common::files;
use kafka_common::limits::Limit;
use kafka_common::object;
use kafka_common::params;
use serde_json::{Map, Value};

use super::Done;
use crate::prompt::text_field;
use crate::refused::Refused;

/// The file ?3 of the chat ?1 of the caller ?2, which has the version ?4 (or of several of that name, the
/// newest).
const FIND: &str = "
    SELECT (
        SELECT file.id FROM chat_file AS file
        LEFT JOIN chat_file_version AS version ON version.chat_file_id = file.id AND version.id = ?4
        WHERE file.chat_id = chat.id AND file.filename = ?3
        ORDER BY version.id IS NOT NULL DESC, file.rowid DESC LIMIT 1
    )
    FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)";

/// Saves the old text as a new version, with a message about it.
pub async fn revert(
    chat: &str,
    caller: &Caller,
    fields: &Map<String, Value>,
) -> Result<Done, Refused> {
    let version = text_field(fields, "version_id")?;
    let filename = text_field(fields, "filename")?;
    let (Some(version), Some(filename)) = (version, filename) else {
        return Err(Refused::bad_request(
            "Missing version_id or filename for revert_version.",
        ));
    };
    let no_version = || Refused::not_found(format!("No version found for version_id={version}"));
    caller.count(Limit::Upload).await?;
    caller.check_room().await?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let found = tx
        .query_one(
            FIND,
            params![chat, caller.user_id(), filename.as_str(), version.as_str()],
        )
        .await?;
    let mut found = found.ok_or_else(Refused::chat_not_found)?;
    let file = found.opt_text(0).ok_or_else(|| {
        Refused::not_found(format!("No .based file found for filename={filename}"))
    })?;
    let file = ChatFile {
        id: file,
        name: filename,
        chat: chat.to_owned(),
    };
    let done = file.revert(&mut tx, &version).await?;
    let done = done.ok_or_else(no_version)?;
    files::check_room(&mut tx, caller).await?;
    tx.commit().await?;

    let events = done.news(&file).events;
    let made = done.reverted.saved.version.map(|(id, _)| id);
    let told = object!({ "role": "assistant", "type": "file", "content": done.said });
    Ok(Done {
        answer: object!({ "action": "revert_complete", "message": told }),
        ids: object!({
            "message_id": done.message.id, "file_id": file.id, "version_id": made.unwrap_or_default(),
        }),
        events,
    })
}
