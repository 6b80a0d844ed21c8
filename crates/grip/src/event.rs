//! The body format `application/websocket-events`: one event after another, each a line with a name and, where there is
//! content, its length in hexadecimal and the content.

use bytes::{BufMut, Bytes};
use serde::{Deserialize, Serialize};

/// The content type of requests and answers in this format.
pub const CONTENT_TYPE: &str = "application/websocket-events";
/// The longest content of a ping, a pong or a close (RFC 6455, section 5.5).
const MAX_CONTROL: usize = 125;
/// The longest line: no name with a length is longer.
const MAX_LINE: usize = 64;

/// Something that happens to a socket, on either side of the gateway.
///
/// Text is of type `T`: the components take it as bytes, because a gateway may pass on text that is not UTF-8, and
/// answer that themselves. Our own gateway takes a type that is UTF-8.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event<T = Bytes> {
    /// The socket opened.
    Open,
    /// A text message.
    Text(T),
    /// A binary message.
    Binary(Bytes),
    /// A ping.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// One side closes, perhaps with a code and a reason.
    Close(Option<(u16, T)>),
    /// The connection is lost, or the gateway is to drop it.
    Disconnect,
}

/// The reason why a body is not in the format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

impl<T: AsRef<[u8]>> Event<T> {
    /// The length of its content, without a close's code and reason.
    pub fn content_len(&self) -> usize {
        match self {
            Self::Text(text) => text.as_ref().len(),
            Self::Binary(bytes) | Self::Ping(bytes) | Self::Pong(bytes) => bytes.len(),
            Self::Close(_) | Self::Open | Self::Disconnect => 0,
        }
    }

    /// Appends the event to a body.
    pub fn write(&self, body: &mut Vec<u8>) {
        match self {
            Self::Open => body.put_slice(b"OPEN\r\n"),
            Self::Disconnect => body.put_slice(b"DISCONNECT\r\n"),
            Self::Close(None) => body.put_slice(b"CLOSE\r\n"),
            Self::Text(text) => put(body, "TEXT", &[text.as_ref()]),
            Self::Binary(bytes) => put(body, "BINARY", &[bytes]),
            Self::Ping(bytes) if bytes.is_empty() => body.put_slice(b"PING\r\n"),
            Self::Pong(bytes) if bytes.is_empty() => body.put_slice(b"PONG\r\n"),
            Self::Ping(bytes) => put(body, "PING", &[bytes]),
            Self::Pong(bytes) => put(body, "PONG", &[bytes]),
            Self::Close(Some((code, reason))) => {
                put(body, "CLOSE", &[&code.to_be_bytes(), reason.as_ref()]);
            }
        }
    }
}

impl<T: TryFrom<Bytes>> Event<T> {
    /// Reads all events of a body. Contents share its memory. An empty body, which is a keep-alive, has none.
    ///
    /// # Errors
    /// When the body is not in the format, or a text can't be a `T`.
    pub fn read_all(mut body: Bytes) -> Result<Vec<Self>, Malformed> {
        let mut events = Vec::new();
        while !body.is_empty() {
            events.push(Self::read(&mut body)?);
        }
        Ok(events)
    }

    fn read(body: &mut Bytes) -> Result<Self, Malformed> {
        let head = &body[..body.len().min(MAX_LINE)];
        let end = head.windows(2).position(|pair| pair == b"\r\n");
        let end = end.ok_or(Malformed("an event has no end of line"))?;
        let line = body.split_to(end + 2);
        let line =
            std::str::from_utf8(&line[..end]).map_err(|_| Malformed("a line is not text"))?;
        let (name, content) = match line.split_once(' ') {
            Some((name, length)) => (name, content(body, length)?),
            None => (line, Bytes::new()),
        };
        if matches!(name, "PING" | "PONG" | "CLOSE") && content.len() > MAX_CONTROL {
            return Err(Malformed("the content of a control event is too long"));
        }
        match name {
            "OPEN" => Ok(Self::Open),
            "TEXT" => Ok(Self::Text(text(content)?)),
            "BINARY" => Ok(Self::Binary(content)),
            "PING" => Ok(Self::Ping(content)),
            "PONG" => Ok(Self::Pong(content)),
            "DISCONNECT" => Ok(Self::Disconnect),
            "CLOSE" => match *content {
                [] => Ok(Self::Close(None)),
                [high, low, ..] => {
                    let code = u16::from_be_bytes([high, low]);
                    Ok(Self::Close(Some((code, text(content.slice(2..))?))))
                }
                _ => Err(Malformed("a close has half a code")),
            },
            _ => Err(Malformed("an event has an unknown name")),
        }
    }
}

/// Removes a content of `length` bytes, in hexadecimal, and the end of line after it from the body.
fn content(body: &mut Bytes, length: &str) -> Result<Bytes, Malformed> {
    let length =
        usize::from_str_radix(length, 16).map_err(|_| Malformed("a length is not hexadecimal"))?;
    if length.checked_add(2).is_none_or(|all| all > body.len()) {
        return Err(Malformed("a content is shorter than its length"));
    }
    let content = body.split_to(length);
    if body.split_to(2) != b"\r\n"[..] {
        return Err(Malformed("a content does not end where its length says"));
    }
    Ok(content)
}

fn text<T: TryFrom<Bytes>>(content: Bytes) -> Result<T, Malformed> {
    T::try_from(content).map_err(|_| Malformed("a text is not UTF-8"))
}

fn put(body: &mut Vec<u8>, name: &str, parts: &[&[u8]]) {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    body.reserve(length + 32);
    body.put_slice(format!("{name} {length:x}\r\n").as_bytes());
    parts.iter().for_each(|part| body.put_slice(part));
    body.put_slice(b"\r\n");
}

/// Whether a close frame may carry this code (RFC 6455, section 7.4).
pub fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// A text from a component that begins with this goes to the client, without it.
pub const MESSAGE: &str = "m:";
/// A text from a component that begins with this is a [`Control`] message for the gateway.
pub const CONTROL: &str = "c:";

/// A command of a component to the gateway, about a socket.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Control {
    /// Subscribes the socket to this channel.
    Subscribe {
        /// The channel's name.
        channel: String,
    },
    /// Unsubscribes the socket from this channel.
    Unsubscribe {
        /// The channel's name.
        channel: String,
    },
    /// The component wants no more events of the socket.
    Detach,
    /// The gateway sends this text after a while without another message; without a text, it stops doing so.
    KeepAlive {
        /// The text.
        content: Option<String>,
        /// After how many seconds.
        timeout: Option<u64>,
    },
    /// A message that this crate does not know.
    #[serde(other)]
    Other,
}

/// The events with which a component answers.
#[derive(Debug, Default)]
pub struct Answer(Vec<u8>);

impl Answer {
    /// Adds an event.
    pub fn add(&mut self, event: &Event) {
        event.write(&mut self.0);
    }

    /// Adds a text message for the client.
    pub fn message(&mut self, text: &str) {
        put(&mut self.0, "TEXT", &[MESSAGE.as_bytes(), text.as_bytes()]);
    }

    /// Subscribes the socket to `channel`.
    pub fn subscribe(&mut self, channel: &str) {
        let channel = channel.to_owned();
        // A message of texts has no reason to fail.
        if let Ok(control) = serde_json::to_vec(&Control::Subscribe { channel }) {
            put(&mut self.0, "TEXT", &[CONTROL.as_bytes(), &control]);
        }
    }

    /// Closes the socket.
    pub fn close(&mut self, code: Option<u16>) {
        self.add(&Event::Close(code.map(|code| (code, Bytes::new()))));
    }

    /// Its length in bytes so far.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The body.
    pub fn into_body(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests;
