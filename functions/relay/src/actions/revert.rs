//! `revert_version`: a file says again what it said once.

use kafka_common::access::Caller;
use kafka_common::db::Db;
use kafka_common::limits::Limit;
use kafka_common::{params, versions};
use serde_json::{Map, Value, json};

use super::Done;
use crate::files::NewVersion;
use crate::message::Message;
use crate::prompt::text_field;
use crate::refused::Refused;
use crate::reply::{composing, ending};
use crate::size::fitted;

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
    caller.check_room()?;
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
    let reverted = versions::revert(&mut tx, &file, &version).await?;
    let reverted = reverted.ok_or_else(no_version)?;
    let changed = reverted.saved.changed;
    let by = if changed { 3 } else { 2 };
    let rev = ending::raise(&mut tx, chat, by).await? - by + 1;
    let content = json!({
        "based_filename": filename, "based_content": reverted.content,
        "message": format!("Reverted to version from {}.", reverted.from),
    });
    let mut message = Message {
        role: "assistant".to_owned(),
        kind: "file".to_owned(),
        content: content.to_string(),
        ..Message::default()
    };
    composing::add(&mut tx, chat, &mut message, rev).await?;
    tx.execute(
        "UPDATE chat_file SET rev = ?2 WHERE id = ?1",
        params![file.as_str(), rev + by - 1],
    )
    .await?;
    tx.commit().await?;

    let (made, timestamp) = reverted.saved.version.unwrap_or_default();
    let mut events = vec![fitted(message.added(rev))];
    if changed {
        let before = reverted.saved.before.unwrap_or_default();
        let version = NewVersion {
            file: &file,
            name: &filename,
            id: &made,
            timestamp: &timestamp,
            before: &before,
            text: &reverted.content,
        };
        events.push(fitted(version.event(rev + 1)));
    }
    events.push(fitted(json!({
        "action": "revert_complete", "rev": rev + by - 1, "file_id": file, "name": filename, "version_id": made,
        "message": message.v2(),
    })));
    let told = json!({ "role": "assistant", "type": "file", "content": content });
    Ok(Done {
        answer: json!({ "action": "revert_complete", "message": told }),
        ids: json!({ "message_id": message.id, "file_id": file, "version_id": made }),
        events,
    })
}
