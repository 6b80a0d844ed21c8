//! Bytes on a socket, for what no proper client would send.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{PATIENCE, Server};

impl Server {
    /// A connection of one's own.
    pub async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.address())
            .await
            .expect("the server accepts connections")
    }

    /// A connection on which a `GET` has been sent.
    pub async fn asked(&self, path: &str) -> TcpStream {
        let mut stream = self.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nhost: {}\r\n\r\n", self.address());
        stream
            .write_all(request.as_bytes())
            .await
            .expect("the server reads");
        stream
    }

    /// Sends bytes and reads until the server closes or has been silent for a while.
    pub async fn raw(&self, bytes: impl AsRef<[u8]>) -> RawResponse {
        let mut stream = self.connect().await;
        // The server may refuse, and stop reading, before everything is sent.
        stream.write_all(bytes.as_ref()).await.ok();
        read_response(&mut stream).await
    }
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub struct RawResponse {
    /// Zero if the connection ended without a status line.
    pub status: u16,
    /// What came after the head, as it came: chunks are not joined.
    pub body: String,
}

/// Reads one answer, and whatever follows within a few seconds or until the end.
pub async fn read_response(stream: &mut TcpStream) -> RawResponse {
    let mut received = Vec::new();
    let mut buffer = [0; 16 * 1024];
    loop {
        // Long while something must come, short then: keep-alive never ends it.
        let patience = match is_whole(&received) {
            true => Duration::from_secs(2),
            false => PATIENCE,
        };
        match timeout(patience, stream.read(&mut buffer)).await {
            Ok(Ok(0)) | Ok(Err(_)) | Err(_) => break,
            Ok(Ok(read)) => received.extend_from_slice(&buffer[..read]),
        }
    }
    head_and_body(&received)
}

/// Whether an answer is complete by the length in its head; without a length, it is only its head.
fn is_whole(received: &[u8]) -> bool {
    let text = String::from_utf8_lossy(received).to_ascii_lowercase();
    let Some((head, _)) = text.split_once("\r\n\r\n") else {
        return false;
    };
    let field = |name: &str| head.lines().find_map(|line| line.strip_prefix(name));
    let length = field("content-length:").and_then(|length| length.trim().parse::<usize>().ok());
    match length {
        Some(length) => received.len() >= head.len() + 4 + length,
        None => field("transfer-encoding:").is_none() || text.ends_with("0\r\n\r\n"),
    }
}

/// Splits what was received at the empty line.
pub fn head_and_body(received: &[u8]) -> RawResponse {
    let text = String::from_utf8_lossy(received).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    RawResponse {
        status,
        body: body.to_owned(),
    }
}
