//! Sends what was changed over HTTP to the connected clients of a chat (docs/websocket.md#from-the-server).
//!
//! To be called after the commit. Nothing here waits: what there is to tell goes out in the background, one request to
//! the gateway at a time, and what comes meanwhile goes along with the next, in its order. Changes are gathered for a
//! moment before, since a request to the gateway costs a part of what the change itself costs; the events of replies are
//! not. Without a gateway it costs nothing. Clients of v1 know none of these changes; they only learn that their chat is
//! gone.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use spin_sdk::{time::sleep, wasip3};

use crate::api::events::{Event, EventV1};
use crate::api::file::UploadedFile;
use crate::api::relay::Message;
use crate::chat_files::News;
use crate::error::CHAT_NOT_FOUND;
use crate::grip::{Grip, Item, channel_session, channel_v1, channel_v2, close, item};
use crate::links::{self, Called};

/// The largest frame for a client, in bytes: a gateway drops a socket whose message is too large.
pub const MAX_FRAME_BYTES: usize = 490_000;

/// How many bytes go to the gateway in one request, but for an item that alone is larger.
const BATCH_BYTES: usize = 256 * 1024;

/// How many bytes wait at most. Beyond it something is wrong with the gateway, and clients notice it themselves.
const WAITING_BYTES: usize = 4 * 1024 * 1024;

/// How long changes are gathered. A person does not notice it.
const GATHERED: Duration = Duration::from_millis(20);

/// The close code of a normal end.
const NORMAL: u16 = 1000;

/// The close code of a socket that may not go on.
pub const POLICY: u16 = 1008;

/// The chat has another name since `rev`.
pub async fn chat_renamed(chat_id: &str, name: &str, rev: i64) {
    if let Some(grip) = gateway().await {
        let name = name.to_owned();
        let event = text(&Event::ChatRenamed { rev, name });
        tell_soon(grip, [item(&channel_v2(chat_id), event)]);
    }
}

/// The chat is gone, and its sockets have nothing to wait for.
pub async fn chat_deleted(chat_id: &str) {
    let Some(grip) = gateway().await else { return };
    let (v1, v2) = (channel_v1(chat_id), channel_v2(chat_id));
    tell_soon(
        grip,
        [
            item(&v2, text(&Event::ChatDeleted)),
            close(&v2, NORMAL),
            // As a v1 client that connects now would receive it.
            item(&v1, text(&EventV1::error(CHAT_NOT_FOUND))),
            close(&v1, NORMAL),
        ],
    );
}

/// These sessions have ended, and with them their sockets.
pub async fn sessions_ended(session_ids: &[String]) {
    let Some(grip) = gateway().await else { return };
    let items = session_ids
        .iter()
        .map(|id| close(&channel_session(id), POLICY));
    tell_soon(grip, items.collect::<Vec<_>>());
}

/// Each of these chats is gone.
pub async fn chats_deleted(chat_ids: &[String]) {
    for chat_id in chat_ids {
        chat_deleted(chat_id).await;
    }
}

/// Sends the v2 clients of chats the events there, with addresses as the client that made them calls the server.
pub async fn news(called: &Called, news: impl IntoIterator<Item = News>) {
    let Some(grip) = gateway().await else { return };
    for News { chat, mut events } in news {
        links::publish(called, &mut events).await;
        let channel = channel_v2(&chat);
        tell_soon(
            grip,
            events.iter().map(|event| item(&channel, fitted(event))),
        );
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

/// The gateway, if there is one that can be spoken to; what is wrong with its address has been logged.
async fn gateway() -> Option<&'static Grip> {
    Grip::get().await.ok().flatten()
}

/// What waits to be published by this instance.
static WAITING: Mutex<Queue> = Mutex::new(Queue::new());

struct Queue {
    items: VecDeque<Item>,
    bytes: usize,
    publisher: Publisher,
}

/// What is about to publish what waits: one task at a time, so that the order stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Publisher {
    /// No task.
    None,
    /// A task that waits for more. Another one may publish before it.
    Gathers,
    /// A task that goes on until nothing waits.
    Publishes,
}

impl Queue {
    const fn new() -> Self {
        Self {
            items: VecDeque::new(),
            bytes: 0,
            publisher: Publisher::None,
        }
    }

    /// Adds items, all or none, so that no client receives the end of events whose beginning it missed.
    fn push(&mut self, items: impl IntoIterator<Item = Item>) -> bool {
        let items: Vec<Item> = items.into_iter().collect();
        let bytes: usize = items.iter().map(Item::size).sum();
        if !self.items.is_empty() && self.bytes + bytes > WAITING_BYTES {
            return false;
        }
        self.bytes += bytes;
        self.items.extend(items);
        true
    }

    /// Whether the task that has gathered is to publish, and then it does.
    fn may_publish(&mut self) -> bool {
        let may = self.publisher == Publisher::Gathers;
        if may {
            self.publisher = Publisher::Publishes;
        }
        may
    }

    fn push_or_warn(&mut self, items: impl IntoIterator<Item = Item>) {
        if !self.push(items) {
            tracing::warn!("the gateway is too slow, some changes are not announced");
        }
    }

    /// The next items, as many as go into one request.
    fn batch(&mut self) -> Vec<Item> {
        let mut batch = Vec::new();
        let mut bytes = 0;
        while let Some(next) = self.items.front() {
            let size = next.size();
            if bytes + size > BATCH_BYTES && !batch.is_empty() {
                break;
            }
            bytes += size;
            batch.extend(self.items.pop_front());
        }
        self.bytes -= bytes;
        batch
    }
}

fn waiting() -> MutexGuard<'static, Queue> {
    WAITING.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Lets `items` go out, behind what waits already.
pub fn tell(grip: &'static Grip, items: impl IntoIterator<Item = Item>) {
    let mut waiting = waiting();
    waiting.push_or_warn(items);
    if waiting.publisher != Publisher::Publishes {
        waiting.publisher = Publisher::Publishes;
        wasip3::spawn(publish_all(grip));
    }
}

/// The same for what can wait for more of its kind.
fn tell_soon(grip: &'static Grip, items: impl IntoIterator<Item = Item>) {
    let mut waiting = waiting();
    waiting.push_or_warn(items);
    if waiting.publisher == Publisher::None {
        waiting.publisher = Publisher::Gathers;
        wasip3::spawn(gather(grip));
    }
}

/// Publishes after a while, unless another task has begun to.
async fn gather(grip: &'static Grip) {
    let _gathers = Gathers;
    sleep(GATHERED).await;
    if waiting().may_publish() {
        publish_all(grip).await;
    }
}

/// Held by the task that gathers. If the task ends early, what waits goes with the next change.
struct Gathers;

impl Drop for Gathers {
    fn drop(&mut self) {
        let mut waiting = waiting();
        if waiting.publisher == Publisher::Gathers {
            waiting.publisher = Publisher::None;
        }
    }
}

/// Publishes until nothing waits any more.
async fn publish_all(grip: &'static Grip) {
    let _at_it = AtIt;
    while let Some(batch) = next_batch() {
        grip.publish(batch).await;
    }
}

/// Held by the task that publishes. If the task ends early, the waiting items are dropped, so that the next change
/// starts a new one.
struct AtIt;

impl Drop for AtIt {
    fn drop(&mut self) {
        *waiting() = Queue::new();
    }
}

/// The next batch, if anything waits.
fn next_batch() -> Option<Vec<Item>> {
    let batch = waiting().batch();
    Some(batch).filter(|batch| !batch.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{MAX_FRAME_BYTES, Queue, file_uploaded, fitted, item};
    use crate::api::file::UploadedFile;
    use crate::api::words::{FileKind, TextState};
    use serde_json::{Value, json};

    #[test]
    fn batches_are_bounded_and_keep_the_order() {
        let mut queue = Queue::new();
        let text = |n: usize| item("c", n.to_string().repeat(100_000));
        assert!(queue.push((0..5).map(text)));
        let sizes: Vec<usize> =
            std::iter::from_fn(|| Some(queue.batch().len()).filter(|n| *n > 0)).collect();
        assert_eq!(sizes, [2, 2, 1]);
        assert_eq!(queue.bytes, 0);
        // A large one goes alone, whatever its size.
        assert!(queue.push([item("c", "x".repeat(9_000_000))]));
        assert!(!queue.push([item("c", "y")]));
        assert_eq!(queue.batch().len(), 1);
        assert!(queue.push([item("c", "y")]));
    }

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
