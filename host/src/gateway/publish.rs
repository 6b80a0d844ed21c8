//! Publish requests: what the components send to the sockets of a channel.

use super::{Gateway, outgoing::Outgoing};
use crate::metrics;
use http::{HeaderMap, Method, StatusCode, header};
use kafka_grip::{Publish, Refusal, WebSocketMessage};

/// Bytes a publish request may have.
pub const MAX_PUBLISH: usize = 16 * 1024 * 1024;

/// A status and a line with the reason.
pub type Answer = (StatusCode, String);

impl Gateway {
    /// Checks that a request is one to publish, and comes from one of the components.
    ///
    /// # Errors
    /// With the answer to one that is not.
    pub fn check_publish(
        &self,
        method: &Method,
        path: &str,
        headers: &HeaderMap,
    ) -> Result<(), Answer> {
        if !matches!(path, "/publish/" | "/publish") {
            return Err((StatusCode::NOT_FOUND, "Not Found\n".into()));
        }
        if method != Method::POST {
            let detail = "Method Not Allowed\n".into();
            return Err((StatusCode::METHOD_NOT_ALLOWED, detail));
        }
        // Without keys a web page in a browser on this machine could publish, too. Browsers send this header for pages.
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

    /// Gives the items of a publish request to the sockets of their channels, but for those that came before. Unless all
    /// of them are valid, none is sent.
    pub fn publish(&self, body: &[u8]) -> Answer {
        let items = match serde_json::from_slice::<Publish>(body) {
            Ok(publish) => publish.items,
            Err(error) => return (StatusCode::BAD_REQUEST, format!("{error}\n")),
        };
        for item in items {
            if let Some(message) = item.formats.message {
                let (channel, message) = (&item.channel, outgoing(message));
                let mut id = item.id.iter();
                if id.any(|id| !self.recent.is_new(channel, id)) {
                    tracing::debug!(channel, "published before");
                    continue;
                }
                let listeners = self.hub.publish(channel, &message);
                tracing::debug!(channel, listeners, "published");
                if let Some(metrics) = metrics::get() {
                    metrics.published(listeners);
                }
            }
        }
        (StatusCode::OK, "Published\n".into())
    }
}

/// The message of an item, as it goes to a client.
fn outgoing(message: WebSocketMessage) -> Outgoing {
    match message {
        WebSocketMessage::Text(text) => Outgoing::text(text.into()),
        WebSocketMessage::Binary(bytes) => Outgoing::binary(bytes),
        WebSocketMessage::Close { code, reason } => Outgoing::Close {
            frame: Some((code, reason.into())),
            is_known: false,
        },
    }
}
