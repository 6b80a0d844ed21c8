//! `delete_file`: a file leaves the chat.

use kafka_common::access::Caller;
use kafka_common::api::events::{self, EventV1, FileChanged, MessageV1};
use kafka_common::api::id::FileId;
use kafka_common::chat_files::{self, Attachment};
use kafka_common::db::Db;
use kafka_common::params;
use kafka_common::removal::{self, FILE, PART};
use serde::Deserialize;

use super::ActionDone;
use crate::refused::Refused;

/// Deletes, for a request from ?5, the file that is named, if it has at most ?4 versions.
const DELETE: &str = concat!(
    "UPDATE chat_file SET deleted_from = ?5 WHERE num_versions <= ?4 AND rowid = (",
    include_str!("named.sql"),
    ") RETURNING id, filename, file_id"
);

/// Its id.
const FIND: &str = concat!(
    "SELECT id FROM chat_file WHERE ?4 > 0 AND rowid = (",
    include_str!("named.sql"),
    ")"
);

#[derive(Deserialize)]
struct Deleted {
    id: String,
    filename: String,
    file_id: Option<String>,
}

/// Detaches the file from the chat, by either of its ids. The workspace's file goes too if no other chat has it.
pub async fn delete(chat: &str, caller: &Caller, asked: FileId) -> Result<ActionDone, Refused> {
    let mut db = Db::open().await?;
    let (mut tx, deleted) = loop {
        let mut tx = db.begin().await?;
        let wanted = params![chat, caller.user_id(), &asked, PART / FILE];
        let delete = [wanted.clone(), params![caller.address()]].concat();
        if let Some(deleted) = tx.query_one_as::<Deleted>(DELETE, delete).await? {
            break (tx, deleted);
        }
        // None, or one with more versions than can go at once.
        let Some(found) = tx.query_one_as::<String>(FIND, wanted).await? else {
            return Err(Refused::not_found(format!(
                "No file found for file_id={asked} in this chat."
            )));
        };
        removal::thin_file(&mut tx, &found).await?;
        tx.commit().await?;
    };
    let gone = Attachment {
        id: deleted.id,
        name: deleted.filename,
        chat: chat.to_owned(),
    };
    if let Some(file) = &deleted.file_id {
        tx.execute(
            "DELETE FROM file WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM chat_file WHERE file_id = ?1)",
            params![file.as_str()],
        )
        .await?;
    }
    let left = chat_files::left(&mut tx, std::slice::from_ref(&gone)).await?;
    tx.commit().await?;
    let left = left.into_iter().next();
    let left = left.ok_or_else(Refused::chat_not_found)?;
    let message_id = left.message.id.clone();
    let mut told = MessageV1::from(events::ChatMessage::from(left.message));
    told.deleted_file_id = Some(asked);
    Ok(ActionDone {
        answer: EventV1::FileDeleted { message: told },
        file: FileChanged {
            message_id,
            file_id: gone.id.into(),
            version_id: None,
        },
        events: left.news.events,
    })
}
