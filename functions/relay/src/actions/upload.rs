//! `upload_file`: a file in a frame.

use bytes::Bytes;
use kafka_common::access::Caller;
use kafka_common::announce::file_uploaded;
use kafka_common::api::events::{self, Event, EventV1, FileChanged};
use kafka_common::api::relay::Message;
use kafka_common::api::words::{MessageKind, Role};
use kafka_common::content::Staging;
use kafka_common::conversation;
use kafka_common::db::Db;
use kafka_common::limits::Limit;
use kafka_common::{encoding, files, texts};
use serde_json::json;

use super::ActionDone;
use crate::refused::Refused;

/// Stores the file in the chat and its workspace, with a message about it.
pub async fn upload(
    chat: &str,
    caller: &Caller,
    filename: &str,
    data: &str,
) -> Result<ActionDone, Refused> {
    caller.count(Limit::Upload).await?;
    let room = caller.check_room().await?;
    let bytes = decode(data)?;
    let mut staging = Staging::within(room);
    let stored = store(chat, caller, filename, bytes, &mut staging).await;
    staging.settle(stored).await
}

/// Base64, with what browsers put before it in a `data:` URL or without.
fn decode(data: &str) -> Result<Vec<u8>, Refused> {
    let base64 = match data.strip_prefix("data:") {
        Some(url) => url.split_once(',').map_or(url, |(_, data)| data),
        None => data,
    };
    let plain: String = base64.split_ascii_whitespace().collect();
    encoding::from_base64(&plain).ok_or_else(|| Refused::bad_request("file_data is not base64."))
}

async fn store(
    chat: &str,
    caller: &Caller,
    filename: &str,
    bytes: Vec<u8>,
    staging: &mut Staging,
) -> Result<ActionDone, Refused> {
    staging.begin(filename, None);
    staging.chunk(Bytes::from(bytes)).await?;
    let upload = staging.end().await?;
    let (new, path) = (files::new_file(&upload), upload.path());
    let id = new.details.id.clone();

    let mut db = Db::open().await?;
    let mut tx = db.begin().await?;
    let target = files::Target::Chat(chat);
    let inserted = files::insert(&mut tx, &mut [upload], target, caller).await?;
    let file_rev = inserted.ok_or_else(Refused::chat_not_found)?;
    let rev = conversation::raise(&mut tx, chat, 1).await?;
    let content = json!({ "file_id": id, "filename": filename, "path": path });
    let mut message = Message::new(Role::User, MessageKind::File, content.to_string());
    conversation::add(&mut tx, chat, &mut message, rev).await?;
    tx.commit().await?;
    drop(db);
    let details = texts::of_new(vec![new]).await;
    let file = FileChanged {
        message_id: message.id.clone(),
        file_id: id,
        version_id: None,
    };
    let uploaded = details
        .into_iter()
        .map(|details| file_uploaded(file_rev, details, Some(message.clone())));
    let events = uploaded
        .chain([Event::added(message.clone(), rev)])
        .collect();
    let message = events::ChatMessage::from(message).into();
    Ok(ActionDone {
        answer: EventV1::FileUploaded { message },
        file,
        events,
    })
}
