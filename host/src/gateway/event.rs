//! The body format `application/websocket-events`: one event after another, each a line, with content a length in
//! hexadecimal and the content.

use bytes::{BufMut, Bytes};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// The content type of requests and answers in this format.
pub const CONTENT_TYPE: &str = "application/websocket-events";
/// What an event takes besides its content, about.
const OVERHEAD: usize = 64;

/// What happens to a socket, on either side of the gateway.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The socket opened.
    Open,
    /// A text message.
    Text(Utf8Bytes),
    /// A binary message.
    Binary(Bytes),
    /// A ping.
    Ping(Bytes),
    /// A pong.
    Pong(Bytes),
    /// One side closes, with a code and a reason unless it gave none.
    Close(Option<(u16, Utf8Bytes)>),
    /// The connection is lost, or is to be dropped.
    Disconnect,
}

/// Why a body is not in the format.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Malformed(pub &'static str);

impl Event {
    /// Bytes it keeps in memory, about.
    pub fn size(&self) -> usize {
        OVERHEAD
            + match self {
                Self::Text(text) => text.len(),
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
            Self::Text(text) => content(body, "TEXT", text.as_bytes()),
            Self::Binary(bytes) => content(body, "BINARY", bytes),
            Self::Ping(bytes) if bytes.is_empty() => body.put_slice(b"PING\r\n"),
            Self::Pong(bytes) if bytes.is_empty() => body.put_slice(b"PONG\r\n"),
            Self::Ping(bytes) => content(body, "PING", bytes),
            Self::Pong(bytes) => content(body, "PONG", bytes),
            Self::Close(Some((code, reason))) => {
                let close = [&code.to_be_bytes(), reason.as_bytes()].concat();
                content(body, "CLOSE", &close);
            }
        }
    }

    /// Reads all events of a body.
    ///
    /// # Errors
    /// When the body is not in the format, a text is not UTF-8, or a code is not one that may be sent.
    pub fn parse_all(mut body: Bytes) -> Result<Vec<Self>, Malformed> {
        let mut events = Vec::new();
        while !body.is_empty() {
            events.push(Self::parse(&mut body)?);
        }
        Ok(events)
    }

    fn parse(body: &mut Bytes) -> Result<Self, Malformed> {
        let end = find_line_end(body).ok_or(Malformed("an event has no end of line"))?;
        let line = body.split_to(end + 2);
        let line =
            std::str::from_utf8(&line[..end]).map_err(|_| Malformed("a line is not text"))?;
        let (name, length) = match line.split_once(' ') {
            Some((name, length)) => (name, Some(length)),
            None => (line, None),
        };
        let content = match length {
            None => Bytes::new(),
            Some(length) => {
                let length = usize::from_str_radix(length, 16)
                    .map_err(|_| Malformed("a length is not hexadecimal"))?;
                if length.checked_add(2).is_none_or(|all| all > body.len()) {
                    return Err(Malformed("a content is shorter than its length"));
                }
                let content = body.split_to(length);
                if !body.split_to(2).eq(b"\r\n".as_slice()) {
                    return Err(Malformed("a content does not end where its length says"));
                }
                content
            }
        };
        match name {
            "OPEN" => Ok(Self::Open),
            "TEXT" => Ok(Self::Text(text(content)?)),
            "BINARY" => Ok(Self::Binary(content)),
            "PING" | "PONG" if content.len() > 125 => Err(Malformed("a ping is too long")),
            "PING" => Ok(Self::Ping(content)),
            "PONG" => Ok(Self::Pong(content)),
            "DISCONNECT" => Ok(Self::Disconnect),
            "CLOSE" if content.is_empty() => Ok(Self::Close(None)),
            "CLOSE" => close(content).map(|close| Self::Close(Some(close))),
            _ => Err(Malformed("an event has an unknown name")),
        }
    }
}

/// Whether a close frame may carry this code (RFC 6455, section 7.4).
pub fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

fn close(mut content: Bytes) -> Result<(u16, Utf8Bytes), Malformed> {
    if content.len() < 2 || content.len() > 125 {
        return Err(Malformed("a close has no code, or too long a reason"));
    }
    let code = content.split_to(2);
    let code = u16::from_be_bytes([code[0], code[1]]);
    if !may_be_sent(code) {
        return Err(Malformed("a close has a code that may not be sent"));
    }
    Ok((code, text(content)?))
}

fn text(content: Bytes) -> Result<Utf8Bytes, Malformed> {
    Utf8Bytes::try_from(content).map_err(|_| Malformed("a text is not UTF-8"))
}

fn content(body: &mut Vec<u8>, name: &str, content: &[u8]) {
    body.reserve(content.len() + 32);
    body.put_slice(format!("{name} {:x}\r\n", content.len()).as_bytes());
    body.put_slice(content);
    body.put_slice(b"\r\n");
}

fn find_line_end(body: &[u8]) -> Option<usize> {
    // No name with a length is longer.
    let head = &body[..body.len().min(64)];
    head.windows(2).position(|pair| pair == b"\r\n")
}

#[cfg(test)]
mod tests {
    use super::Event;
    use bytes::Bytes;

    fn written(events: &[Event]) -> Vec<u8> {
        let mut body = Vec::new();
        for event in events {
            event.write(&mut body);
        }
        body
    }

    #[test]
    fn events_are_written_and_read_alike() {
        let events = [
            Event::Open,
            Event::Text("hello".into()),
            Event::Text("".into()),
            Event::Binary(Bytes::from_static(b"\r\n\x00\xff")),
            Event::Ping(Bytes::new()),
            Event::Pong(Bytes::from_static(b"x")),
            Event::Close(None),
            Event::Close(Some((1000, "bye".into()))),
            Event::Disconnect,
        ];
        let body = written(&events);
        let expected: &[u8] =
            b"OPEN\r\nTEXT 5\r\nhello\r\nTEXT 0\r\n\r\nBINARY 4\r\n\r\n\x00\xff\r\nPING\r\n\
            PONG 1\r\nx\r\nCLOSE\r\nCLOSE 5\r\n\x03\xe8bye\r\nDISCONNECT\r\n";
        assert_eq!(body, expected);
        assert_eq!(Event::parse_all(body.into()).expect("valid"), events);
        let long = [Event::Text("x".repeat(0x1234).into())];
        assert!(written(&long).starts_with(b"TEXT 1234\r\n"));
    }

    #[test]
    fn what_is_not_in_the_format_is_refused() {
        for body in [
            &b"OPEN"[..],
            b"OPEN\n",
            b"HELLO\r\n",
            b"TEXT x\r\nhello\r\n",
            b"TEXT 6\r\nhello\r\n",
            b"TEXT 4\r\nhello\r\n",
            b"TEXT ffffffffffffffff\r\nhello\r\n",
            b"TEXT 2\r\n\xff\xfe\r\n",
            b"CLOSE 1\r\nx\r\n",
            b"CLOSE 2\r\n\x03\xed\r\n",
            b"\r\n",
        ] {
            assert!(
                Event::parse_all(Bytes::from_static(body)).is_err(),
                "{}",
                body.escape_ascii()
            );
        }
    }
}
