//! Publishing: messages for the sockets of a channel, in order.

use crate::event::may_be_sent;
use base64::{Engine, prelude::BASE64_STANDARD};
use bytes::Bytes;
use serde::{Deserialize, Serialize, Serializer};
use std::borrow::Cow;

/// The body of a publish request.
#[derive(Debug, Serialize, Deserialize)]
pub struct Publish {
    /// The items, in their order.
    pub items: Vec<Item>,
}

/// Something for the subscribers of one channel.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Item {
    /// The channel's name.
    pub channel: String,
    /// What a gateway knows the item by that it receives twice: it passes on the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// What each kind of subscriber gets.
    #[serde(default)]
    pub formats: Formats,
}

/// What each kind of subscriber gets. Formats for other transports than WebSockets are passed over.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Formats {
    /// What a socket gets.
    #[serde(rename = "ws-message", skip_serializing_if = "Option::is_none")]
    pub message: Option<WebSocketMessage>,
}

/// What a socket gets.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "Fields<'_>")]
pub enum WebSocketMessage {
    /// A text message.
    Text(String),
    /// A binary message.
    Binary(Bytes),
    /// The end of the socket.
    Close {
        /// The close code.
        code: u16,
        /// The reason, which may be empty.
        reason: String,
    },
}

impl Item {
    /// Roughly how many bytes it takes on the wire.
    pub fn size(&self) -> usize {
        150 + match &self.formats.message {
            Some(WebSocketMessage::Text(text)) => text.len(),
            Some(WebSocketMessage::Binary(bytes)) => bytes.len() / 3 * 4,
            _ => 0,
        }
    }
}

/// A text message for all sockets of a channel.
pub fn item(channel: &str, content: impl Into<String>) -> Item {
    new(channel, WebSocketMessage::Text(content.into()))
}

/// The end of all sockets of a channel, with a WebSocket close code.
pub fn close(channel: &str, code: u16) -> Item {
    let reason = String::new();
    new(channel, WebSocketMessage::Close { code, reason })
}

fn new(channel: &str, message: WebSocketMessage) -> Item {
    let message = Some(message);
    Item {
        channel: channel.to_owned(),
        id: None,
        formats: Formats { message },
    }
}

/// A message as it is written.
#[derive(Default, Serialize, Deserialize)]
struct Fields<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    action: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Cow<'a, str>>,
    #[serde(rename = "content-bin", skip_serializing_if = "Option::is_none")]
    content_bin: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<u16>,
    #[serde(default, skip_serializing_if = "str::is_empty")]
    reason: Cow<'a, str>,
}

impl Serialize for WebSocketMessage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let fields = match self {
            Self::Text(text) => Fields {
                content: Some(text.into()),
                ..Fields::default()
            },
            Self::Binary(bytes) => Fields {
                content_bin: Some(BASE64_STANDARD.encode(bytes).into()),
                ..Fields::default()
            },
            Self::Close { code, reason } => Fields {
                action: Some("close".into()),
                code: Some(*code),
                reason: reason.into(),
                ..Fields::default()
            },
        };
        fields.serialize(serializer)
    }
}

impl TryFrom<Fields<'_>> for WebSocketMessage {
    type Error = String;

    fn try_from(fields: Fields<'_>) -> Result<Self, String> {
        match fields.action.as_deref().unwrap_or("send") {
            "send" => match (fields.content, fields.content_bin) {
                (Some(text), None) => Ok(Self::Text(text.into_owned())),
                (None, Some(encoded)) => match BASE64_STANDARD.decode(&*encoded) {
                    Ok(bytes) => Ok(Self::Binary(bytes.into())),
                    Err(error) => Err(format!("content-bin is not base64: {error}")),
                },
                _ => Err("an item needs either content or content-bin".to_owned()),
            },
            "close" => match fields.code.unwrap_or(1000) {
                code if !may_be_sent(code) => Err(format!("{code} is no code to close with")),
                _ if fields.reason.len() > 123 => Err("the reason is too long".to_owned()),
                code => Ok(Self::Close {
                    code,
                    reason: fields.reason.into_owned(),
                }),
            },
            other => Err(format!("unknown action {other:?}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Publish, WebSocketMessage, close, item};

    fn read(body: &str) -> Result<Vec<(String, Option<WebSocketMessage>)>, serde_json::Error> {
        let Publish { items } = serde_json::from_str(body)?;
        let items = items.into_iter();
        Ok(items
            .map(|item| (item.channel, item.formats.message))
            .collect())
    }

    #[test]
    fn items_are_written_as_gateways_read_them() {
        let items = vec![
            item("chat-1-v1", "Hello \"you\""),
            item("chat-1-v2", r#"{"action":"x"}"#),
            close("chat-1-v2", 1000),
        ];
        assert_eq!(
            serde_json::to_string(&Publish { items }).unwrap(),
            concat!(
                r#"{"items":[{"channel":"chat-1-v1","formats":{"ws-message":{"content":"Hello \"you\""}}},"#,
                r#"{"channel":"chat-1-v2","formats":{"ws-message":{"content":"{\"action\":\"x\"}"}}},"#,
                r#"{"channel":"chat-1-v2","formats":{"ws-message":{"action":"close","code":1000}}}]}"#
            )
        );
    }

    #[test]
    fn an_id_is_written_beside_the_formats() {
        let mut named = item("a", "1");
        named.id = Some("x".to_owned());
        let text = serde_json::to_string(&named).unwrap();
        let expected = r#"{"channel":"a","id":"x","formats":{"ws-message":{"content":"1"}}}"#;
        assert_eq!(text, expected);
    }

    #[test]
    fn items_keep_their_order() {
        let body = r#"{"items":[
            {"channel":"a","formats":{"ws-message":{"content":"1 \"x\""}}, "id": "x"},
            {"channel":"b","formats":{"http-stream":{"content":"2"}}},
            {"channel":"a","formats":{"ws-message":{"content-bin":"AP8="}}},
            {"channel":"a","formats":{"ws-message":{"action":"close","code":4001}}}
        ]}"#;
        let expected = [
            ("a", Some(WebSocketMessage::Text("1 \"x\"".into()))),
            ("b", None),
            ("a", Some(WebSocketMessage::Binary(vec![0, 255].into()))),
            (
                "a",
                Some(WebSocketMessage::Close {
                    code: 4001,
                    reason: String::new(),
                }),
            ),
        ];
        let expected = expected.map(|(channel, message)| (channel.to_owned(), message));
        assert_eq!(read(body).unwrap(), expected);
        let items = read(body).unwrap();
        for (_, message) in items {
            let Some(message) = message else { continue };
            let text = serde_json::to_string(&message).unwrap();
            assert_eq!(
                serde_json::from_str::<WebSocketMessage>(&text).unwrap(),
                message
            );
        }
    }

    #[test]
    fn what_can_not_be_sent_is_refused() {
        for message in [
            r#"{}"#,
            r#"{"content":"a","content-bin":"AA=="}"#,
            r#"{"content-bin":"*"}"#,
            r#"{"content":1}"#,
            r#"{"action":"close","code":1005}"#,
            r#"{"action":"dance"}"#,
        ] {
            let body =
                format!(r#"{{"items":[{{"channel":"a","formats":{{"ws-message":{message}}}}}]}}"#);
            assert!(read(&body).is_err(), "{message}");
        }
        assert!(read("").is_err());
        assert!(read("{}").is_err());
    }
}
