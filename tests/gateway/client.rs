//! A WebSocket client that shows what the handshake was answered with.

use std::time::Duration;

use futures::{SinkExt, StreamExt};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Error, Message};

use super::PATIENCE;

/// An open socket.
pub struct Socket {
    pub stream: WebSocketStream<TcpStream>,
    /// The handshake's answer, without its body.
    pub head: String,
}

/// An answer to a handshake that opened no socket.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub head: String,
    pub body: String,
}

/// Asks for a socket.
pub async fn connect(
    address: &str,
    path: &str,
    headers: &[(&str, &str)],
) -> Result<Socket, Refused> {
    let mut request = format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n");
    let usual = [
        ("Connection", "keep-alive, Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    for (name, value) in usual {
        if !headers.iter().any(|(other, _)| *other == name) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.set_nodelay(true).expect("a TCP socket");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads the handshake");
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let byte = timeout(PATIENCE, stream.read_u8()).await;
        head.push(byte.expect("it answers in time").expect("it answers"));
    }
    let head = String::from_utf8(head).expect("a head is text");
    let status = status(&head);
    if status == 101 {
        assert!(head.contains("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), "{head}");
        let stream = WebSocketStream::from_raw_socket(stream, Role::Client, None).await;
        return Ok(Socket { stream, head });
    }
    let length = header(&head, "content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.expect("a whole body");
    Err(Refused {
        status,
        head,
        body: String::from_utf8(body).expect("a text"),
    })
}

/// Sends a request as it is and reads to the end; status and body.
pub async fn exchange(address: &str, request: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut answer = String::new();
    timeout(PATIENCE, stream.read_to_string(&mut answer))
        .await
        .expect("it answers in time")
        .expect("it answers text");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
    (status(head), body.to_owned())
}

/// The value of a header in a head.
pub fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines()
        .filter_map(|line| line.split_once(": "))
        .find(|(other, _)| other.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn status(head: &str) -> u16 {
    head.split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .expect("a status line")
}

impl Socket {
    pub async fn send(&mut self, text: &str) {
        self.stream
            .send(Message::text(text))
            .await
            .expect("the socket is open");
    }

    /// The next message but pings.
    pub async fn next(&mut self) -> Option<Result<Message, Error>> {
        loop {
            let message = timeout(PATIENCE, self.stream.next()).await;
            match message.expect("something comes") {
                Some(Ok(Message::Ping(_))) => {}
                other => return other,
            }
        }
    }

    /// The next message, a text.
    #[track_caller]
    pub fn text(&mut self) -> impl Future<Output = String> + '_ {
        let caller = std::panic::Location::caller();
        async move {
            match self.next().await {
                Some(Ok(Message::Text(text))) => text.to_string(),
                other => panic!("{caller}: a text was wanted, not {other:?}"),
            }
        }
    }

    /// The next message, the end, with code and reason.
    pub async fn close(&mut self) -> (u16, String) {
        match self.next().await {
            Some(Ok(Message::Close(Some(CloseFrame { code, reason })))) => {
                (code.into(), reason.to_string())
            }
            other => panic!("a close was wanted, not {other:?}"),
        }
    }

    /// Returns when the gateway has read all that was sent: it answers a ping itself, whatever the backend does.
    pub async fn is_heard(&mut self) {
        let ping = Message::Ping("heard".into());
        self.stream.send(ping).await.expect("the socket is open");
        match self.next().await {
            Some(Ok(Message::Pong(_))) => {}
            other => panic!("a pong was wanted, not {other:?}"),
        }
    }

    /// Fails if anything comes within a moment.
    pub async fn silence(&mut self) {
        let message = timeout(Duration::from_millis(300), self.stream.next()).await;
        assert!(message.is_err(), "nothing was wanted, not {message:?}");
    }
}

impl Socket {
    /// Reads for a while, answering pings; anything else fails.
    pub async fn silence_of(&mut self, while_: Duration) {
        let message = timeout(while_, self.next()).await;
        assert!(message.is_err(), "nothing was wanted, not {message:?}");
    }
}
