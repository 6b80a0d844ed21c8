//! Sizes, and clients that are slow, silent or wrong.

use std::time::Duration;

use futures::SinkExt;
use tokio::io::AsyncWriteExt;
use tokio_tungstenite::tungstenite::Message;

use super::{Front, text};

#[tokio::test]
async fn long_messages_pass_both_ways() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    let long = "y".repeat(300 * 1024);
    socket.send(&format!("echo:{long}")).await;
    assert_eq!(socket.text().await, long);
    socket.send("big:5000000").await;
    assert_eq!(socket.text().await.len(), 5_000_000);
}

#[tokio::test]
async fn a_message_that_is_too_long_closes_its_socket() {
    let front = Front::with(&["--max-message", "1000"]).await;
    let mut socket = front.open("/").await;
    socket.send(&format!("echo:{}", "y".repeat(995))).await;
    assert_eq!(socket.text().await.len(), 995);
    // Far more than the system's buffers take, and all of it is on its way when the gateway has seen enough.
    let message = Message::text("y".repeat(3_000_000));
    socket.stream.send(message).await.expect("it is read");
    assert_eq!(socket.close().await.0, 1009);
}

#[tokio::test]
async fn a_slow_reader_loses_only_its_own_socket() {
    let front = Front::with(&["--max-waiting", "100000"]).await;
    let mut slow = front.open("/?channel=a").await;
    let mut quick = front.open("/?channel=a").await;
    assert_eq!(slow.text().await, "welcome");
    assert_eq!(quick.text().await, "welcome");
    let long = "z".repeat(20_000);
    // More than the system buffers for a connection.
    for number in 0..800 {
        let content = format!("{number} {long}");
        let (status, _) = front.publish(vec![text("a", &content)].into()).await;
        assert_eq!(status, 200);
        assert_eq!(quick.text().await, content);
    }
    let mut expected = 0;
    let end = loop {
        match slow.next().await {
            Some(Ok(Message::Text(text))) => {
                assert!(
                    text.starts_with(&format!("{expected} ")),
                    "no gap before the end"
                );
                expected += 1;
            }
            other => break other,
        }
    };
    assert!(expected < 800, "the slow one was given everything");
    match end {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1013),
        None | Some(Err(_)) => {}
        other => panic!("an end was wanted, not {other:?}"),
    }
    front.publish(vec![text("a", "after")].into()).await;
    assert_eq!(quick.text().await, "after");
}

#[tokio::test]
async fn a_silent_client_is_taken_for_gone() {
    let front = Front::with(&["--ping-interval", "1"]).await;
    // Nobody reads it, so nobody answers the pings.
    let _silent = front.open("/silent").await;
    let mut alive = front.open("/alive").await;
    for _ in 0..3 {
        alive.silence_of(Duration::from_secs(1)).await;
    }
    let bodies = front.backend.seen();
    let gone = bodies.iter().find(|seen| seen.body == "DISCONNECT\r\n");
    assert_eq!(gone.map(|seen| seen.target.as_str()), Some("/silent"));
    alive.send("echo:alive").await;
    assert_eq!(alive.text().await, "alive");
    // Answers to our own pings are nobody else's business.
    let pongs = front.backend.bodies().concat();
    assert!(!pongs.contains("PONG"), "{pongs}");
}

#[tokio::test]
async fn a_frame_that_is_none_closes_its_socket() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    // An unmasked frame.
    let stream = socket.stream.get_mut();
    stream.write_all(b"\x81\x02hi").await.expect("it is open");
    assert_eq!(socket.close().await.0, 1002);
    let mut socket = front.open("/").await;
    let stream = socket.stream.get_mut();
    stream
        .write_all(b"\x81\x82\0\0\0\0\xff\xfe")
        .await
        .expect("it is open");
    assert_eq!(socket.close().await.0, 1007);
}
