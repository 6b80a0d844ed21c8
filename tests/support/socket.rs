//! A WebSocket, frame by frame, without any notion of what the frames mean.

use std::collections::HashSet;
use std::sync::LazyLock;
use std::time::Duration;

use futures::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::Error;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Message, Utf8Bytes};
use tokio_tungstenite::{WebSocketStream, client_async};

use super::PATIENCE;

/// How long nothing comes where nothing is to come.
pub const A_WHILE: Duration = Duration::from_millis(500);

/// The sub-protocol of v2.
pub const V2: &str = "kafka.v2";

/// The document that describes the protocol of sockets.
pub const PROTOCOL: &str = include_str!("../../docs/websocket.md");

/// The words of [`PROTOCOL`].
static WORDS: LazyLock<HashSet<&str>> = LazyLock::new(|| {
    let words = PROTOCOL.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.collect()
});

/// Fails unless the document knows the frame's action, its members and, of an error, its code.
fn is_described(frame: &str) {
    let frame: Value = serde_json::from_str(frame).expect("v2 speaks JSON");
    let members = frame.as_object().expect("v2 speaks in objects");
    let names = members.keys().map(String::as_str);
    let values = ["action", "code"].map(|name| frame[name].as_str());
    for word in names.chain(values.into_iter().flatten()) {
        assert!(WORDS.contains(word), "docs/websocket.md lacks {word}");
    }
}

/// A handshake that was refused.
#[derive(Debug)]
pub struct Refused {
    pub status: u16,
    pub body: String,
}

/// An event on a socket.
#[derive(Debug, Clone, PartialEq)]
pub enum Received {
    Text(String),
    /// Closed, with this code if there was one.
    Closed(Option<u16>),
    /// The connection is lost.
    Lost,
}

/// An open socket. Dropping it cuts the connection without a close frame, as a lost network does.
pub struct Socket {
    stream: WebSocketStream<TcpStream>,
    /// The sub-protocol that the server chose.
    pub protocol: Option<String>,
}

impl Socket {
    /// Opens a socket at `address` (`127.0.0.1:<port>`).
    pub async fn open(
        address: &str,
        path: &str,
        headers: &[(&'static str, &str)],
    ) -> Result<Self, Refused> {
        let mut request = format!("ws://{address}{path}")
            .into_client_request()
            .expect("tests name valid paths");
        for (name, value) in headers {
            let value = HeaderValue::from_str(value).expect("a valid header value");
            request.headers_mut().insert(*name, value);
        }
        let connect = async {
            let stream = TcpStream::connect(address).await.map_err(|error| Refused {
                status: 0,
                body: error.to_string(),
            })?;
            stream
                .set_nodelay(true)
                .expect("a fresh socket takes options");
            client_async(request, stream)
                .await
                .map_err(|error| match error {
                    Error::Http(response) => Refused {
                        status: response.status().as_u16(),
                        body: String::from_utf8_lossy(
                            response.body().as_deref().unwrap_or_default(),
                        )
                        .into_owned(),
                    },
                    error => Refused {
                        status: 0,
                        body: error.to_string(),
                    },
                })
        };
        let (stream, response) = timeout(PATIENCE, connect)
            .await
            .unwrap_or_else(|_| panic!("the handshake at {path} was not answered"))?;
        let protocol = response.headers().get("sec-websocket-protocol");
        Ok(Self {
            stream,
            protocol: protocol.map(|value| value.to_str().expect("ASCII").to_owned()),
        })
    }

    /// The next event; `None` after `patience` of silence. Pings are answered on the way.
    pub async fn next_within(&mut self, patience: Duration) -> Option<Received> {
        let received = async {
            loop {
                match self.stream.next().await {
                    Some(Ok(Message::Text(text))) => {
                        if self.protocol.is_some() {
                            is_described(&text);
                        }
                        return Received::Text(text.as_str().to_owned());
                    }
                    Some(Ok(Message::Close(frame))) => {
                        return Received::Closed(frame.map(|frame| frame.code.into()));
                    }
                    Some(Ok(Message::Binary(_))) => panic!("the server sends text only"),
                    Some(Ok(_)) => {}
                    Some(Err(_)) | None => return Received::Lost,
                }
            }
        };
        timeout(patience, received).await.ok()
    }

    /// The next text frame.
    pub async fn text(&mut self) -> String {
        match self.next_within(PATIENCE).await {
            Some(Received::Text(text)) => text,
            other => panic!("the server sends a text frame, not {other:?}"),
        }
    }

    /// The next text frame, as JSON.
    pub async fn json(&mut self) -> Value {
        let text = self.text().await;
        serde_json::from_str(&text)
            .unwrap_or_else(|_| panic!("the server sends JSON, not {text:?}"))
    }

    /// The next frame with this `action`; others are passed over.
    pub async fn action(&mut self, action: &str) -> Value {
        loop {
            let frame = self.json().await;
            if frame["action"] == action {
                return frame;
            }
        }
    }

    /// Fails unless nothing but deltas comes for a while.
    pub async fn is_quiet(&mut self) {
        let received = self.next_within(A_WHILE).await;
        assert_eq!(received, None, "this socket should receive nothing");
    }

    /// Sends a text frame.
    pub async fn send_text(&mut self, text: impl Into<Utf8Bytes>) {
        // A lost connection shows at the next read.
        self.stream.send(Message::Text(text.into())).await.ok();
    }

    /// Sends JSON.
    pub async fn send(&mut self, message: &Value) {
        self.send_text(message.to_string()).await;
    }

    /// Sends a binary frame.
    pub async fn binary(&mut self, bytes: &[u8]) {
        self.stream
            .send(Message::Binary(bytes.to_vec().into()))
            .await
            .ok();
    }

    /// Sends a ping, and waits for its pong.
    pub async fn ping(&mut self) {
        self.stream
            .send(Message::Ping("are you there".into()))
            .await
            .expect("the socket is open");
        let pong = async {
            while let Some(Ok(message)) = self.stream.next().await {
                if let Message::Pong(content) = message {
                    return assert_eq!(&content[..], b"are you there");
                }
            }
            panic!("the socket was closed instead of a pong");
        };
        timeout(PATIENCE, pong).await.expect("a ping is answered");
    }

    /// Closes it as a page does, and waits for the answer.
    pub async fn close(mut self) {
        self.stream.close(None).await.ok();
        while !matches!(
            self.next_within(PATIENCE)
                .await
                .expect("a close is answered"),
            Received::Closed(_) | Received::Lost
        ) {}
    }

    /// Waits for the close frame; its code.
    pub async fn closed(&mut self) -> Option<u16> {
        loop {
            match self.next_within(PATIENCE).await {
                Some(Received::Closed(code)) => return code,
                Some(Received::Text(_)) => {}
                other => panic!("the server closes the socket, and not {other:?}"),
            }
        }
    }
}
