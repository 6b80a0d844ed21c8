//! What is published: messages for the sockets of a channel, in order.

use serde_json::{Value, json};

/// One message, or the end, for all sockets of one channel.
#[derive(Debug, Clone)]
pub struct Item(Value);

/// A text frame for all sockets of a channel.
pub fn item(channel: &str, content: impl Into<String>) -> Item {
    new(channel, json!({ "content": content.into() }))
}

/// The end of all sockets of a channel, with a WebSocket close code.
pub fn close(channel: &str, code: u16) -> Item {
    new(channel, json!({ "action": "close", "code": code }))
}

fn new(channel: &str, message: Value) -> Item {
    Item(json!({ "channel": channel, "formats": { "ws-message": message } }))
}

impl Item {
    /// Roughly how many bytes it takes on the wire.
    pub(crate) fn size(&self) -> usize {
        let content = self.0.pointer("/formats/ws-message/content");
        100 + content.and_then(Value::as_str).map_or(0, str::len)
    }
}

/// The body of a publish request.
pub(super) fn body(items: Vec<Item>) -> String {
    let items: Vec<Value> = items.into_iter().map(|Item(item)| item).collect();
    json!({ "items": items }).to_string()
}

/// The channel of a chat's windows that speak v1.
pub fn channel_v1(chat_id: &str) -> String {
    format!("chat-{chat_id}-v1")
}

/// The channel of a chat's windows that speak v2.
pub fn channel_v2(chat_id: &str) -> String {
    format!("chat-{chat_id}-v2")
}

/// The channel of all windows that a session has opened.
pub fn channel_session(session_id: &str) -> String {
    format!("session-{session_id}")
}

#[cfg(test)]
mod tests {
    use super::{body, channel_v1, channel_v2, close, item};

    #[test]
    fn items_are_what_pushpin_reads() {
        let items = vec![
            item(&channel_v1("1"), "Hello \"you\""),
            item(&channel_v2("1"), r#"{"action":"x"}"#),
            close(&channel_v2("1"), 1000),
        ];
        assert_eq!(
            body(items),
            concat!(
                r#"{"items":[{"channel":"chat-1-v1","formats":{"ws-message":{"content":"Hello \"you\""}}},"#,
                r#"{"channel":"chat-1-v2","formats":{"ws-message":{"content":"{\"action\":\"x\"}"}}},"#,
                r#"{"channel":"chat-1-v2","formats":{"ws-message":{"action":"close","code":1000}}}]}"#
            )
        );
    }
}
