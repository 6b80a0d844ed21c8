//! Sends what was changed over HTTP to the connected clients of a chat (docs/websocket.md#from-the-server), and those who
//! follow its owner's feed what is new there.
//!
//! To be called after the commit. Nothing here waits: it goes out in the background ([`feed::tell_with`]). Without a
//! gateway it costs nothing. Clients of v1 know none of these changes; they only learn that their chat is gone.

use serde::Serialize;
use serde_json::{Value, json};

use crate::api::events::{Event, EventV1};
use crate::api::file::UploadedFile;
use crate::api::relay::Message;
use crate::chat_files::News;
use crate::error::CHAT_NOT_FOUND;
use crate::feed;
use crate::grip::{Grip, channel_session, channel_v1, channel_v2, close, item};
use crate::links::{self, Called};

/// The largest frame for a client, in bytes: a gateway drops a socket whose message is too large.
pub const MAX_FRAME_BYTES: usize = 490_000;

/// The close code of a normal end.
const NORMAL: u16 = 1000;

/// The close code of a socket that may not go on.
pub const POLICY: u16 = 1008;

/// The chat has another name since `rev`.
pub async fn chat_renamed(chat_id: &str, name: &str, rev: i64) {
    if gateway().await.is_none() {
        return;
    }
    let name = name.to_owned();
    let event = text(&Event::ChatRenamed { rev, name });
    feed::tell_with([item(&channel_v2(chat_id), event)], [chat_id]).await;
}

/// The chat has other settings since `rev`.
pub async fn chat_settings_changed(chat_id: &str, rev: i64) {
    if gateway().await.is_none() {
        return;
    }
    let event = text(&Event::ChatSettingsChanged { rev });
    feed::tell_with([item(&channel_v2(chat_id), event)], [chat_id]).await;
}

/// The chat is gone, and its sockets have nothing to wait for.
pub async fn chat_deleted(chat_id: &str) {
    if gateway().await.is_none() {
        return;
    }
    let (v1, v2) = (channel_v1(chat_id), channel_v2(chat_id));
    let items = [
        item(&v2, text(&Event::ChatDeleted)),
        close(&v2, NORMAL),
        // As a v1 client that connects now would receive it.
        item(&v1, text(&EventV1::error(CHAT_NOT_FOUND))),
        close(&v1, NORMAL),
    ];
    feed::tell_gone(items, [chat_id]).await;
}

/// These sessions have ended, and with them their sockets.
pub async fn sessions_ended(session_ids: &[String]) {
    let Some(grip) = gateway().await else { return };
    let closed = |id: &String| close(&channel_session(id), POLICY);
    grip.publish(session_ids.iter().map(closed));
}

/// Each of these chats is gone.
pub async fn chats_deleted(chat_ids: &[String]) {
    for chat_id in chat_ids {
        chat_deleted(chat_id).await;
    }
}

/// Sends the v2 clients of chats the events there, with addresses as the client that made them calls the server.
pub async fn news(called: &Called, news: impl IntoIterator<Item = News>) {
    if gateway().await.is_none() {
        return;
    }
    for News { chat, mut events } in news {
        links::publish(called, &mut events).await;
        let channel = channel_v2(&chat);
        let items = events.iter().map(|event| item(&channel, fitted(event)));
        feed::tell_with(items, [chat]).await;
    }
}

/// The chat has these files, the last of them since `rev` and each earlier one since one less; `details` are what
/// [`crate::texts::of_new`] says about them, in their order.
pub async fn files_uploaded(called: &Called, chat_id: &str, details: Vec<UploadedFile>, rev: i64) {
    let before = rev - details.len() as i64;
    let events = (before + 1..)
        .zip(details)
        .map(|(rev, details)| file_uploaded(rev, details, None))
        .collect();
    let chat = chat_id.to_owned();
    news(called, [News { chat, events }]).await;
}

/// The event that the chat has a file since `rev`; `message` is the one about it, if it came through a socket.
pub fn file_uploaded(rev: i64, details: UploadedFile, message: Option<Message>) -> Event {
    Event::FileUploaded {
        rev,
        file_id: Some(details.id.clone()),
        file: Some(details),
        message: message.map(Into::into),
    }
}

/// An event as JSON.
pub fn text(event: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(event).unwrap_or_default()
}

/// An event that fits a frame: one that is too large loses what was thought before its message, then the text of its file,
/// of its message, and its own, and is marked as truncated.
pub fn fitted(event: impl Serialize) -> String {
    let whole = text(&event);
    if whole.len() <= MAX_FRAME_BYTES {
        return whole;
    }
    let mut event = serde_json::to_value(event).unwrap_or_default();
    let message = event.pointer_mut("/message");
    if let Some(message) = message.and_then(Value::as_object_mut)
        && message.remove("reasoning").is_some()
    {
        message.insert("truncated".to_owned(), true.into());
        let cut = event.to_string();
        if cut.len() <= MAX_FRAME_BYTES {
            return cut;
        }
    }
    for part in ["/file", "/message", ""] {
        let Some(part) = event.pointer_mut(part).and_then(Value::as_object_mut) else {
            continue;
        };
        if let Some(content) = part.get_mut("content") {
            *content = Value::Null;
            part.insert("truncated".to_owned(), true.into());
        }
        if let Some(diff) = part.get_mut("diff") {
            *diff = Value::Null;
        }
        let cut = event.to_string();
        if cut.len() <= MAX_FRAME_BYTES {
            return cut;
        }
    }
    json!({ "action": event["action"], "rev": event["rev"], "truncated": true }).to_string()
}

/// The gateways, if there are any; what is wrong with their addresses has been logged.
async fn gateway() -> Option<&'static Grip> {
    Grip::get().await.ok().flatten()
}

#[cfg(test)]
mod tests {
    use super::{MAX_FRAME_BYTES, file_uploaded, fitted};
    use crate::api::file::UploadedFile;
    use crate::api::words::{FileKind, TextState};
    use serde_json::{Value, json};

    #[test]
    fn a_frame_that_would_be_too_large_loses_the_text() {
        let details = |content: String| UploadedFile {
            id: "1".into(),
            name: "a".to_owned(),
            content: Some(content),
            language: None,
            kind: FileKind::Markdown,
            url: "/u".to_owned(),
            text_state: TextState::Ready,
            text_error: None,
        };
        let small: Value =
            serde_json::from_str(&fitted(file_uploaded(3, details("x".into()), None))).unwrap();
        assert_eq!(
            small,
            json!({ "action": "file_uploaded", "rev": 3, "file_id": "1", "file": details("x".into()) })
        );
        let large = fitted(file_uploaded(3, details("\0".repeat(100_000)), None));
        assert!(large.len() < MAX_FRAME_BYTES);
        let large: Value = serde_json::from_str(&large).unwrap();
        assert_eq!(large["file"]["content"], Value::Null);
        assert_eq!(large["file"]["truncated"], true);
    }

    #[test]
    fn what_is_cut_is_no_more_than_needed() {
        let long = "x".repeat(MAX_FRAME_BYTES);
        let event = fitted(json!({
            "action": "a", "rev": 1, "file": { "content": long }, "message": { "content": "said" },
        }));
        let event: Value = serde_json::from_str(&event).unwrap();
        assert_eq!(event["file"], json!({ "content": null, "truncated": true }));
        assert_eq!(event["message"], json!({ "content": "said" }));
        let event = fitted(json!({ "action": "a", "rev": 1, "content": long, "diff": long }));
        let event: Value = serde_json::from_str(&event).unwrap();
        let cut =
            json!({ "action": "a", "rev": 1, "content": null, "diff": null, "truncated": true });
        assert_eq!(event, cut);
        let event = fitted(json!({ "action": "a", "rev": 1, "name": long }));
        let event: Value = serde_json::from_str(&event).unwrap();
        assert_eq!(event, json!({ "action": "a", "rev": 1, "truncated": true }));
    }
}
