//! Messages for clients.

use super::deflate::deflate;
use bytes::Bytes;
use std::sync::{Arc, OnceLock};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Bytes that a message takes besides its content, about.
const OVERHEAD: usize = 64;

/// A message for a client. A clone shares the content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outgoing {
    /// A text or a binary message.
    Data(Arc<Content>),
    /// A ping of the backend's.
    Ping(Bytes),
    /// A pong of the backend's.
    Pong(Bytes),
    /// Closes the socket. The backend asked for it in an answer (`is_known`), or it was published, and the backend must
    /// be informed.
    Close {
        /// Code and reason.
        frame: Option<(u16, Utf8Bytes)>,
        /// Whether the backend knows that the socket closes.
        is_known: bool,
    },
    /// Drops the connection without a close frame.
    Drop,
}

impl Outgoing {
    /// A text message.
    pub fn text(text: Utf8Bytes) -> Self {
        Self::data(true, text.into())
    }

    /// A binary message.
    pub fn binary(bytes: Bytes) -> Self {
        Self::data(false, bytes)
    }

    fn data(is_text: bool, bytes: Bytes) -> Self {
        Self::Data(Arc::new(Content {
            is_text,
            bytes,
            deflated: OnceLock::new(),
        }))
    }

    /// Bytes it takes while it waits, about.
    pub fn size(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Data(content) => content.bytes.len(),
                Self::Ping(bytes) | Self::Pong(bytes) => bytes.len(),
                Self::Close { .. } | Self::Drop => 0,
            }
    }
}

/// The content of a message that all sockets of a channel may share.
#[derive(Debug)]
pub struct Content {
    /// Whether it is a text.
    pub is_text: bool,
    /// The content as it is.
    pub bytes: Bytes,
    deflated: OnceLock<Option<Bytes>>,
}

impl Content {
    /// The content compressed, for the sockets that have agreed on it; `None` where that is not worth it. It is
    /// compressed once for all of them: no socket keeps a window between messages, so it is the same for each.
    pub fn deflated(&self) -> Option<&Bytes> {
        let deflated = || deflate(&self.bytes).map(Bytes::from);
        self.deflated.get_or_init(deflated).as_ref()
    }
}

impl PartialEq for Content {
    fn eq(&self, other: &Self) -> bool {
        (self.is_text, &self.bytes) == (other.is_text, &other.bytes)
    }
}

impl Eq for Content {}
