//! `delete_file`: a file leaves the chat.

use kafka_common::access::Caller;
use kafka_common::db::Db;
use kafka_common::params;
use serde_json::{Map, Value, json};

use super::Done;
use crate::message::Message;
use crate::prompt::text_field;
use crate::refused::Refused;
use crate::reply::{composing, ending};
use crate::size::fitted;

/// Detaches the file from the chat, by either of its ids. The workspace's file goes too if no other chat has it.
pub async fn delete(
    chat: &str,
    caller: &Caller,
    fields: &Map<String, Value>,
) -> Result<Done, Refused> {
    let asked = text_field(fields, "file_id")?
        .ok_or_else(|| Refused::bad_request("Missing file_id for delete_file."))?;
    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let deleted = tx
        .query_one(
            "DELETE FROM chat_file WHERE rowid = (
                 SELECT chat_file.rowid FROM chat JOIN chat_file ON chat_file.chat_id = chat.id
                 WHERE chat.id = ?1 AND (?2 IS NULL OR chat.user_id = ?2)
                 AND (chat_file.id = ?3 OR chat_file.file_id = ?3)
                 ORDER BY chat_file.id = ?3 DESC LIMIT 1
             )
             RETURNING id, filename, file_id",
            params![chat, caller.user_id(), asked.as_str()],
        )
        .await?;
    let Some(mut deleted) = deleted else {
        return Err(Refused::not_found(format!(
            "No file found for file_id={asked} in this chat."
        )));
    };
    let (id, name, file) = (deleted.text(0), deleted.text(1), deleted.opt_text(2));
    if let Some(file) = &file {
        tx.execute(
            "DELETE FROM file WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM chat_file WHERE file_id = ?1)",
            params![file.as_str()],
        )
        .await?;
    }
    let rev = ending::raise(&mut tx, chat, 2).await? - 1;
    let mut message = Message {
        role: "system".to_owned(),
        kind: "file".to_owned(),
        content: format!("{name} was deleted."),
        ..Message::default()
    };
    composing::add(&mut tx, chat, &mut message, rev).await?;
    tx.commit().await?;
    let mut told = message.v1();
    told["deleted_file_id"] = asked.into();
    let mut told_v2 = message.v2();
    told_v2["deleted_file_id"] = id.as_str().into();
    let event = json!({
        "action": "file_deleted", "rev": rev + 1, "file_id": id, "name": name, "message": told_v2,
    });
    Ok(Done {
        answer: json!({ "action": "file_deleted", "message": told }),
        ids: json!({ "message_id": message.id, "file_id": id }),
        events: vec![fitted(message.added(rev)), fitted(event)],
    })
}
