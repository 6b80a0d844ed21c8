//! Compressed messages (RFC 7692). The test writes and reads frames itself: its WebSocket library knows no extensions.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Front;
use super::client::{connect, header};

const OFFER: (&str, &str) = (
    "Sec-WebSocket-Extensions",
    "permessage-deflate; client_max_window_bits",
);

fn compressed(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len() + 100);
    Compress::new(Compression::best(), false)
        .compress_vec(text.as_bytes(), &mut bytes, FlushCompress::Sync)
        .expect("compressed");
    bytes.truncate(bytes.len() - 4);
    bytes
}

fn plain(bytes: &[u8]) -> String {
    let bytes = [bytes, &[0, 0, 0xff, 0xff]].concat();
    let mut text = Vec::with_capacity(1_000_000);
    Decompress::new(false)
        .decompress_vec(&bytes, &mut text, FlushDecompress::Sync)
        .expect("compressed on its own");
    String::from_utf8(text).expect("a text")
}

/// Sends a frame whose mask changes nothing.
async fn send(stream: &mut TcpStream, first: u8, content: &[u8]) {
    let length = u16::try_from(content.len()).expect("a short frame");
    let mut frame = vec![first, 0x80 | 126];
    frame.extend(length.to_be_bytes());
    frame.extend([0; 4]);
    frame.extend(content);
    stream.write_all(&frame).await.expect("it is open");
}

/// The first byte and the content of the next frame but pings.
async fn next(stream: &mut TcpStream) -> (u8, Vec<u8>) {
    loop {
        let first = stream.read_u8().await.expect("a frame");
        let length = match stream.read_u8().await.expect("its length") {
            126 => stream.read_u16().await.expect("its length").into(),
            127 => panic!("a frame that long was not wanted"),
            length => usize::from(length),
        };
        let mut content = vec![0; length];
        stream.read_exact(&mut content).await.expect("its content");
        if first != 0x89 {
            return (first, content);
        }
    }
}

#[tokio::test]
async fn long_messages_go_compressed_both_ways() {
    let front = Front::start().await;
    let socket = connect(&front.address, "/", &[OFFER]).await;
    let socket = socket.expect("it opens");
    let agreed = header(&socket.head, "sec-websocket-extensions").expect("an extension");
    assert!(agreed.starts_with("permessage-deflate"), "{agreed}");
    assert!(agreed.contains("server_no_context_takeover"), "{agreed}");
    let mut stream = socket.stream.into_inner();
    let text = "someone must have been telling lies ".repeat(200);
    for _ in 0..2 {
        send(&mut stream, 0xc1, &compressed(&format!("echo:{text}"))).await;
        let (first, content) = next(&mut stream).await;
        assert_eq!(first, 0xc1);
        assert!(content.len() < text.len() / 10);
        assert_eq!(plain(&content), text);
    }
    // A short answer, and a text that came as it is.
    send(&mut stream, 0x81, b"echo:short").await;
    assert_eq!(next(&mut stream).await, (0x81, b"short".to_vec()));
    front.backend.saw("TEXT a\r\necho:short\r\n").await;
}

#[tokio::test]
async fn what_is_not_compressed_as_it_should_be_ends_the_socket() {
    let front = Front::start().await;
    for (first, content) in [
        (0xc1, b"\xff\xff\xff\xff".to_vec()),
        (0xc9, b"a ping".to_vec()),
        (0xa1, b"rsv2".to_vec()),
        // Sixteen megabytes and a byte.
        (0xc1, compressed(&"x".repeat(16 * 1024 * 1024 + 1))),
    ] {
        let socket = connect(&front.address, "/", &[OFFER]).await;
        let mut stream = socket.expect("it opens").stream.into_inner();
        send(&mut stream, first, &content).await;
        assert_eq!(next(&mut stream).await.0, 0x88, "{first:x}");
    }
    // Without the offer, nothing may be compressed.
    let mut stream = front.open("/").await.stream.into_inner();
    send(&mut stream, 0xc1, &compressed("echo:1")).await;
    assert_eq!(next(&mut stream).await.0, 0x88);
}
