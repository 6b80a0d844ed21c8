//! WebSocket events in HTTP bodies: what a gateway and the relay exchange (docs/grip.md). Pure.

/// An event of a socket.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// The socket is open.
    Open,
    /// A text frame. Bytes, since what a client sends need not be text.
    Text(Vec<u8>),
    /// A binary frame.
    Binary(Vec<u8>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// One side closes, with a code where it gives one.
    Close(Option<u16>),
    /// The connection is gone.
    Disconnect,
}

/// Why a body is no list of events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed;

/// The events of a body; none in an empty one, which is a keep-alive.
pub fn parse(mut body: &[u8]) -> Result<Vec<Event>, Malformed> {
    let mut events = Vec::new();
    while !body.is_empty() {
        let (line, rest) = split_line(body).ok_or(Malformed)?;
        let line = std::str::from_utf8(line).map_err(|_| Malformed)?;
        let (name, content, rest) = match line.split_once(' ') {
            None => (line, &[][..], rest),
            Some((name, length)) => {
                let length = usize::from_str_radix(length, 16).map_err(|_| Malformed)?;
                let content = rest.get(..length).ok_or(Malformed)?;
                let rest = rest
                    .get(length..)
                    .and_then(|rest| rest.strip_prefix(b"\r\n"));
                (name, content, rest.ok_or(Malformed)?)
            }
        };
        body = rest;
        events.push(match name {
            "OPEN" => Event::Open,
            "TEXT" => Event::Text(content.to_vec()),
            "BINARY" => Event::Binary(content.to_vec()),
            "PING" => Event::Ping(content.to_vec()),
            "PONG" => Event::Pong(content.to_vec()),
            "CLOSE" => Event::Close(match content {
                [high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
                _ => None,
            }),
            "DISCONNECT" => Event::Disconnect,
            _ => return Err(Malformed),
        });
    }
    Ok(events)
}

fn split_line(body: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = body.windows(2).position(|pair| pair == b"\r\n")?;
    Some((&body[..end], &body[end + 2..]))
}

/// The events of an answer, as they are written.
#[derive(Debug, Default)]
pub struct Answer(Vec<u8>);

impl Answer {
    /// Accepts the socket; the first answer begins with it.
    pub fn open(&mut self) {
        self.0.extend_from_slice(b"OPEN\r\n");
    }

    /// A text frame for the client.
    pub fn message(&mut self, text: &str) {
        self.text("m:", text);
    }

    /// From now on the socket gets what is published on `channel`.
    pub fn subscribe(&mut self, channel: &str) {
        let control = serde_json::json!({ "type": "subscribe", "channel": channel });
        self.text("c:", &control.to_string());
    }

    /// Answers a ping.
    pub fn pong(&mut self, content: &[u8]) {
        self.event("PONG", content);
    }

    /// Closes the socket.
    pub fn close(&mut self, code: Option<u16>) {
        match code {
            Some(code) => self.event("CLOSE", &code.to_be_bytes()),
            None => self.0.extend_from_slice(b"CLOSE\r\n"),
        }
    }

    /// The gateway has been told all it needs after a client was gone.
    pub fn disconnect(&mut self) {
        self.0.extend_from_slice(b"DISCONNECT\r\n");
    }

    /// How long it is by now, in bytes.
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

    fn text(&mut self, prefix: &str, text: &str) {
        let length = prefix.len() + text.len();
        self.0
            .extend_from_slice(format!("TEXT {length:X}\r\n{prefix}").as_bytes());
        self.0.extend_from_slice(text.as_bytes());
        self.0.extend_from_slice(b"\r\n");
    }

    fn event(&mut self, name: &str, content: &[u8]) {
        self.0
            .extend_from_slice(format!("{name} {:X}\r\n", content.len()).as_bytes());
        self.0.extend_from_slice(content);
        self.0.extend_from_slice(b"\r\n");
    }
}

#[cfg(test)]
mod tests {
    use super::{Answer, Event, Malformed, parse};

    #[test]
    fn all_events_are_read() {
        let body = b"OPEN\r\nTEXT 5\r\nhe\r\no\r\nBINARY 0\r\n\r\nPING\r\nPONG 1\r\nx\r\nCLOSE 2\r\n\x03\xe8\r\nCLOSE\r\n\
                     DISCONNECT\r\n";
        let events = [
            Event::Open,
            Event::Text(b"he\r\no".to_vec()),
            Event::Binary(Vec::new()),
            Event::Ping(Vec::new()),
            Event::Pong(b"x".to_vec()),
            Event::Close(Some(1000)),
            Event::Close(None),
            Event::Disconnect,
        ];
        assert_eq!(parse(body), Ok(events.to_vec()));
        assert_eq!(parse(b""), Ok(Vec::new()));
        assert_eq!(
            parse(b"TEXT 1a\r\nabcdefghijklmnopqrstuvwxyz\r\n").map(|e| e.len()),
            Ok(1)
        );
    }

    #[test]
    fn what_is_cut_or_unknown_is_refused() {
        for body in [
            "OPEN",
            "HELLO\r\n",
            "TEXT 5\r\nab\r\n",
            "TEXT x\r\n\r\n",
            "TEXT 2\r\nabc\r\n",
            "\r\n",
            "TEXT ffffffffffffffff\r\na\r\n",
        ] {
            assert_eq!(parse(body.as_bytes()), Err(Malformed), "{body:?}");
        }
    }

    #[test]
    fn answers_are_written() {
        let mut answer = Answer::default();
        answer.open();
        answer.subscribe("a");
        answer.message("0123456789abcdef");
        answer.close(Some(1000));
        let body = "OPEN\r\nTEXT 24\r\nc:{\"type\":\"subscribe\",\"channel\":\"a\"}\r\nTEXT 12\r\nm:0123456789abcdef\r\n";
        let mut expected = body.as_bytes().to_vec();
        expected.extend_from_slice(b"CLOSE 2\r\n\x03\xe8\r\n");
        assert_eq!(answer.into_body(), expected);
    }
}
