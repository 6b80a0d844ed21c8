//! Publish requests: what the components send to the sockets of a channel.

use super::{Gateway, event::may_be_sent, hub::Outgoing, keys::Refusal};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderMap, Method, StatusCode, header};
use serde::Deserialize;

/// Bytes a publish request may have.
pub const MAX_PUBLISH: usize = 16 * 1024 * 1024;

#[derive(Deserialize)]
struct Publish {
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    channel: String,
    #[serde(default)]
    formats: Formats,
}

/// Other formats are for other transports, and passed over.
#[derive(Deserialize, Default)]
struct Formats {
    #[serde(rename = "ws-message")]
    message: Option<Message>,
}

#[derive(Deserialize)]
struct Message {
    action: Option<String>,
    content: Option<String>,
    #[serde(rename = "content-bin")]
    content_bin: Option<String>,
    code: Option<u16>,
    #[serde(default)]
    reason: String,
}

/// A status and a line that says why.
pub type Answer = (StatusCode, String);

impl Gateway {
    /// Whether a request with this method and path is a publish request at all.
    ///
    /// # Errors
    /// With the answer to one that is not.
    pub fn is_publish(method: &Method, path: &str) -> Result<(), Answer> {
        if !matches!(path, "/publish/" | "/publish") {
            return Err((StatusCode::NOT_FOUND, "Not Found\n".into()));
        }
        if method != Method::POST {
            return Err((
                StatusCode::METHOD_NOT_ALLOWED,
                "Method Not Allowed\n".into(),
            ));
        }
        Ok(())
    }

    /// Checks that a publish request comes from one of the components.
    ///
    /// # Errors
    /// With the answer to one that does not.
    pub fn check_publisher(&self, headers: &HeaderMap) -> Result<(), Answer> {
        // Without keys a page in the browser of somebody on this machine could publish, too. Browsers say so.
        if headers.contains_key(header::ORIGIN) {
            return Err((StatusCode::FORBIDDEN, "Web pages can't publish.\n".into()));
        }
        self.keys
            .check_publisher(headers.get(header::AUTHORIZATION))
            .map_err(|refusal| match refusal {
                Refusal::Unsigned => (StatusCode::UNAUTHORIZED, "Invalid token.\n".into()),
                Refusal::Expired => (StatusCode::UNAUTHORIZED, "Token expired.\n".into()),
                Refusal::Foreign => (StatusCode::FORBIDDEN, "Wrong issuer.\n".into()),
            })
    }

    /// Gives the items of a publish request to whom they are for. Either all of them are valid, or none is sent.
    pub fn publish(&self, body: &[u8]) -> Answer {
        let messages = match read(body) {
            Ok(messages) => messages,
            Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")),
        };
        for (channel, message) in &messages {
            let listeners = self.hub.publish(channel, message);
            tracing::debug!(channel, listeners, "published");
        }
        (StatusCode::OK, "Published\n".into())
    }
}

fn read(body: &[u8]) -> anyhow::Result<Vec<(String, Outgoing)>> {
    let publish: Publish = serde_json::from_slice(body)?;
    let mut messages = Vec::with_capacity(publish.items.len());
    for item in publish.items {
        if let Some(message) = item.formats.message {
            messages.push((item.channel, message.into_outgoing()?));
        }
    }
    Ok(messages)
}

impl Message {
    fn into_outgoing(self) -> anyhow::Result<Outgoing> {
        match self.action.as_deref().unwrap_or("send") {
            "send" => match (self.content, self.content_bin) {
                (Some(text), None) => Ok(Outgoing::Text(text.into())),
                (None, Some(encoded)) => {
                    Ok(Outgoing::Binary(BASE64_STANDARD.decode(encoded)?.into()))
                }
                _ => anyhow::bail!("an item needs either content or content-bin"),
            },
            "close" => {
                let code = self.code.unwrap_or(1000);
                anyhow::ensure!(may_be_sent(code), "{code} is no code to close with");
                anyhow::ensure!(self.reason.len() <= 123, "the reason is too long");
                Ok(Outgoing::Close {
                    frame: Some((code, self.reason.into())),
                    told: false,
                })
            }
            other => anyhow::bail!("unknown action {other:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Outgoing, read};

    #[test]
    fn items_keep_their_order() {
        let body = br#"{"items":[
            {"channel":"a","formats":{"ws-message":{"content":"1"}}, "id": "x"},
            {"channel":"b","formats":{"http-stream":{"content":"2"}}},
            {"channel":"a","formats":{"ws-message":{"content-bin":"AP8="}}},
            {"channel":"a","formats":{"ws-message":{"action":"close","code":4001}}}
        ]}"#;
        let messages = read(body).expect("valid");
        let expected = [
            Outgoing::Text("1".into()),
            Outgoing::Binary(vec![0, 255].into()),
            Outgoing::Close {
                frame: Some((4001, "".into())),
                told: false,
            },
        ];
        assert_eq!(messages, expected.map(|message| ("a".to_owned(), message)));
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
            assert!(read(body.as_bytes()).is_err(), "{message}");
        }
        assert!(read(b"").is_err());
        assert!(read(b"{}").is_err());
    }
}
