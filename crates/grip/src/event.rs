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

/// Takes the content that is as long as `length` says off the body, and the end of line after it.
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

/// What a component asks of the gateway for a socket.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Control {
    /// The socket gets what is published on this channel from now on.
    Subscribe {
        /// The channel's name.
        channel: String,
    },
    /// It gets no more of it.
    Unsubscribe {
        /// The channel's name.
        channel: String,
    },
    /// The component wants no more events of the socket.
    Detach,
    /// The client gets this text whenever it has got nothing for a while; without one, it no longer does.
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

    /// Lets the socket get what is published on `channel` from now on.
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
mod tests {
    use super::{Answer, Control, Event};
    use bytes::Bytes;
    use proptest::prelude::*;

    fn read(body: impl Into<Bytes>) -> Result<Vec<Event>, super::Malformed> {
        Event::read_all(body.into())
    }

    fn written(events: &[Event]) -> Vec<u8> {
        let mut body = Vec::new();
        events.iter().for_each(|event| event.write(&mut body));
        body
    }

    #[test]
    fn events_are_written_and_read_alike() {
        let events = [
            Event::Open,
            Event::Text("he\r\no".into()),
            Event::Text("".into()),
            // Text need not be UTF-8 for components.
            Event::Text(Bytes::from_static(b"\xff")),
            Event::Binary(Bytes::from_static(b"\r\n\x00\xff")),
            Event::Ping(Bytes::new()),
            Event::Pong(Bytes::from_static(b"x")),
            Event::Close(None),
            Event::Close(Some((1000, "bye".into()))),
            Event::Disconnect,
        ];
        let body = written(&events);
        let expected: &[u8] =
            b"OPEN\r\nTEXT 5\r\nhe\r\no\r\nTEXT 0\r\n\r\nTEXT 1\r\n\xff\r\nBINARY 4\r\n\r\n\x00\xff\r\nPING\r\n\
            PONG 1\r\nx\r\nCLOSE\r\nCLOSE 5\r\n\x03\xe8bye\r\nDISCONNECT\r\n";
        assert_eq!(body, expected);
        assert_eq!(read(body), Ok(events.to_vec()));
        assert_eq!(read(""), Ok(Vec::new()));
        let long = Event::Text("x".repeat(0x123a).into());
        assert!(written(&[long]).starts_with(b"TEXT 123a\r\n"));
        let capital = read("TEXT 1A\r\nabcdefghijklmnopqrstuvwxyz\r\n");
        assert_eq!(capital.map(|events| events.len()), Ok(1));
    }

    #[test]
    fn what_is_not_in_the_format_is_refused() {
        for body in [
            &b"OPEN"[..],
            b"OPEN\n",
            b"HELLO\r\n",
            b"\r\n",
            b"TEXT 5\r\nab\r\n",
            b"TEXT x\r\n\r\n",
            b"TEXT 2\r\nabc\r\n",
            b"TEXT 6\r\nhello\r\n",
            b"TEXT ffffffffffffffff\r\na\r\n",
            b"CLOSE 1\r\nx\r\n",
        ] {
            assert!(read(body).is_err(), "{}", body.escape_ascii());
        }
        let long = [Event::Ping(vec![b'x'; 126].into())];
        assert!(read(written(&long)).is_err());
    }

    #[test]
    fn a_reader_of_utf8_refuses_other_text() {
        #[derive(Debug, PartialEq)]
        struct Utf8(String);
        impl TryFrom<Bytes> for Utf8 {
            type Error = std::string::FromUtf8Error;
            fn try_from(bytes: Bytes) -> Result<Self, Self::Error> {
                String::from_utf8(bytes.into()).map(Self)
            }
        }
        let read = |body: &'static [u8]| Event::<Utf8>::read_all(body.into());
        let text = Event::Text(Utf8("ü".to_owned()));
        assert_eq!(read(b"TEXT 2\r\n\xc3\xbc\r\n"), Ok(vec![text]));
        assert!(read(b"TEXT 2\r\n\xff\xfe\r\n").is_err());
        assert!(read(b"CLOSE 3\r\n\x03\xe8\xff\r\n").is_err());
    }

    #[test]
    fn answers_are_written() {
        let mut answer = Answer::default();
        answer.add(&Event::Open);
        answer.subscribe("a");
        answer.message("0123456789abcdef");
        answer.close(Some(1000));
        let body: &[u8] = b"OPEN\r\nTEXT 24\r\nc:{\"type\":\"subscribe\",\"channel\":\"a\"}\r\n\
            TEXT 12\r\nm:0123456789abcdef\r\nCLOSE 2\r\n\x03\xe8\r\n";
        assert_eq!(answer.len(), body.len());
        assert_eq!(answer.into_body(), body);
    }

    #[test]
    fn control_messages_are_read() {
        let read = |text| serde_json::from_str::<Control>(text).ok();
        assert_eq!(read(r#"{"type":"detach"}"#), Some(Control::Detach));
        let keep_alive = Control::KeepAlive {
            content: Some("x".into()),
            timeout: Some(3),
        };
        let text = r#"{"type":"keep-alive","content":"x","timeout":3,"more":1}"#;
        assert_eq!(read(text), Some(keep_alive));
        assert_eq!(read(r#"{"type":"dance"}"#), Some(Control::Other));
        assert_eq!(read(r#"{"type":"subscribe"}"#), None);
    }

    fn event() -> impl Strategy<Value = Event> {
        let bytes = |most| prop::collection::vec(any::<u8>(), 0..most).prop_map(Bytes::from);
        prop_oneof![
            Just(Event::Open),
            Just(Event::Disconnect),
            Just(Event::Close(None)),
            bytes(300).prop_map(Event::Text),
            bytes(300).prop_map(Event::Binary),
            bytes(125).prop_map(Event::Ping),
            bytes(125).prop_map(Event::Pong),
            (any::<u16>(), bytes(123)).prop_map(|close| Event::Close(Some(close))),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

        #[test]
        fn whatever_is_written_is_read(events in prop::collection::vec(event(), 0..8)) {
            prop_assert_eq!(read(written(&events)), Ok(events));
        }

        /// Reads what is no list of events, or one that was cut or changed: it never panics, and what it does read is
        /// no longer than the body.
        #[test]
        fn any_body_is_read_or_refused(
            events in prop::collection::vec(event(), 0..4),
            cut in any::<prop::sample::Index>(),
            noise in "[A-Z]{0,6}( [0-9a-fA-F]{0,17})?(\r\n)?.{0,8}",
        ) {
            let mut body = written(&events);
            let at = cut.index(body.len() + 1);
            body.splice(at.., noise.into_bytes());
            let length = body.len();
            if let Ok(events) = read(body) {
                prop_assert!(events.iter().map(Event::content_len).sum::<usize>() <= length);
            }
        }
    }
}
