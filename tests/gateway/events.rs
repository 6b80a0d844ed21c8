//! What happens on a socket reaches the backend, and the other way round.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures::SinkExt;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use super::{FakeBackend, Front};

#[tokio::test]
async fn every_kind_of_message_is_an_event() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    socket.send("echo:grüße").await;
    assert_eq!(socket.text().await, "grüße");
    front.backend.saw("TEXT c\r\necho:grüße\r\n").await;
    let binary = Message::binary(Bytes::from_static(b"\r\n\0"));
    socket.stream.send(binary.clone()).await.expect("open");
    assert_eq!(socket.next().await.expect("open").expect("open"), binary);
    front.backend.saw("BINARY 3\r\n\r\n\0\r\n").await;
    let ping = Message::Ping(Bytes::from_static(b"hi"));
    socket.stream.send(ping).await.expect("open");
    // The gateway's own, and the backend's.
    for _ in 0..2 {
        let pong = socket.next().await.expect("open").expect("open");
        assert_eq!(pong, Message::Pong(Bytes::from_static(b"hi")));
    }
    front.backend.saw("PING 2\r\nhi\r\n").await;
    let pong = Message::Pong(Bytes::new());
    socket.stream.send(pong).await.expect("open");
    front.backend.saw("PONG\r\n").await;
}

#[tokio::test]
async fn events_wait_while_a_request_is_open_and_then_go_together() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    socket.send("hold").await;
    front.backend.saw("TEXT 4\r\nhold\r\n").await;
    for number in 1..=3 {
        socket.send(&format!("echo:{number}")).await;
    }
    socket.is_heard().await;
    front.backend.release();
    for number in 1..=3 {
        assert_eq!(socket.text().await, number.to_string());
    }
    let bodies = front.backend.bodies();
    assert_eq!(
        bodies,
        [
            "OPEN\r\n",
            "TEXT 4\r\nhold\r\n",
            "TEXT 6\r\necho:1\r\nTEXT 6\r\necho:2\r\nTEXT 6\r\necho:3\r\nPING 5\r\nheard\r\n",
        ]
    );
}

#[tokio::test]
async fn metadata_of_the_backend_comes_back() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    for text in ["meta:blue", "echo:1", "meta:", "echo:2"] {
        socket.send(text).await;
        if let Some(number) = text.strip_prefix("echo:") {
            assert_eq!(socket.text().await, number);
        } else {
            // So that the next one has a request of its own.
            let event = format!("TEXT {:x}\r\n{text}\r\n", text.len());
            front.backend.saw(&event).await;
        }
    }
    let seen: Vec<String> = front
        .backend
        .seen()
        .iter()
        .map(|request| request.header("meta-color").to_owned())
        .collect();
    assert_eq!(seen, ["", "", "blue", "blue", ""]);
}

#[tokio::test]
async fn a_close_of_the_client_is_passed_on_and_answered() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    let frame = CloseFrame {
        code: 4001.into(),
        reason: "done".into(),
    };
    let close = Message::Close(Some(frame));
    socket.stream.send(close.clone()).await.expect("open");
    assert_eq!(socket.next().await.expect("open").expect("open"), close);
    front.backend.saw_all(|bodies| bodies.len() == 2).await;
    let last = front.backend.bodies().pop().expect("a request");
    assert!(
        last.starts_with("CLOSE 6\r\n") && last.ends_with("done\r\n"),
        "{last:?}"
    );
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(front.backend.bodies().len(), 2, "no DISCONNECT after it");
}

#[tokio::test]
async fn a_close_of_the_backend_closes_the_socket() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    socket.send("echo:last").await;
    socket.send("close:4002").await;
    assert_eq!(socket.text().await, "last");
    assert_eq!(socket.close().await, (4002, "bye".into()));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let bodies = front.backend.bodies().concat();
    assert!(
        !bodies.contains("DISCONNECT") && !bodies.contains("CLOSE"),
        "{bodies}"
    );
}

#[tokio::test]
async fn a_client_that_vanishes_is_disconnected() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    socket.send("echo:1").await;
    socket.text().await;
    drop(socket);
    front.backend.saw("DISCONNECT\r\n").await;
    let mut socket = front.open("/").await;
    socket.send("drop").await;
    assert!(matches!(socket.next().await, None | Some(Err(_))));
}

#[tokio::test]
async fn a_quiet_socket_asks_when_the_backend_wants_it() {
    let front = Front::start().await;
    let began = Instant::now();
    let _socket = front.open("/quiet").await;
    front.backend.saw("").await;
    // The backend wants it after a second.
    assert!(began.elapsed() >= Duration::from_secs(1));
}

#[tokio::test]
async fn control_messages_are_executed() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    let hello = r#"control:{"type":"keep-alive","content":"still here","timeout":1}"#;
    socket.send(hello).await;
    assert_eq!(socket.text().await, "still here");
    assert_eq!(socket.text().await, "still here");
    socket.send(r#"control:{"type":"keep-alive"}"#).await;
    socket.send(r#"control:{"type":"something new"}"#).await;
    // Neither m: nor c:.
    socket.send("raw:hidden").await;
    socket.send("echo:shown").await;
    assert_eq!(socket.text().await, "shown");
    socket.send(r#"control:{"type":"detach"}"#).await;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let before = front.backend.bodies().len();
    socket.send("echo:this reaches no client").await;
    socket.silence().await;
    drop(socket);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(front.backend.bodies().len(), before);
}

#[tokio::test]
async fn without_grip_texts_are_texts() {
    let front = Front::start().await;
    let mut socket = front.open("/plain").await;
    socket.send("echo:1").await;
    assert_eq!(socket.text().await, "m:1");
}

#[tokio::test]
async fn bad_answers_close_the_socket() {
    let front = Front::start().await;
    for (text, code) in [
        ("malformed", 1011),
        ("control:nonsense", 1011),
        ("status:500", 1011),
        ("status:401", 1008),
        ("status:404", 1008),
    ] {
        let mut socket = front.open("/").await;
        socket.send(text).await;
        assert_eq!(socket.close().await.0, code, "{text}");
    }
}

#[tokio::test]
async fn events_that_the_backend_does_not_accept_are_sent_again() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    socket.send("hold").await;
    front.backend.saw("TEXT 4\r\nhold\r\n").await;
    // Of the next request it takes the first event only; the second comes again.
    socket.send("accept:10").await;
    socket.send("echo:2").await;
    socket.is_heard().await;
    front.backend.release();
    // With it comes the ping again, by which the gateway was heard.
    for _ in 0..2 {
        assert_eq!(socket.text().await, "2");
        let pong = socket.next().await.expect("open").expect("open");
        assert_eq!(pong, Message::Pong("heard".into()));
    }
}

#[tokio::test]
async fn a_backend_that_restarts_costs_no_socket() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    let Front {
        process, backend, ..
    } = front;
    let address = backend.stop().await;
    socket.send("echo:patience").await;
    tokio::time::sleep(Duration::from_millis(700)).await;
    let _backend = FakeBackend::at(&address.to_string()).await;
    assert_eq!(socket.text().await, "patience");
    drop(process);
}

#[tokio::test]
async fn events_of_a_failed_request_are_not_sent_again() {
    let front = Front::start().await;
    for text in ["status:500", "status:404", "malformed"] {
        let mut socket = front.open(&format!("/{text}")).await;
        socket.send(text).await;
        socket.close().await;
    }
    // One that leaves while a request is open, which fails.
    let mut gone = front.open("/gone").await;
    gone.send("hold").await;
    front.backend.saw("TEXT 4\r\nhold\r\n").await;
    gone.send("hold").await;
    gone.send("status:500").await;
    gone.is_heard().await;
    front.backend.release();
    let together = "TEXT 4\r\nhold\r\nTEXT a\r\nstatus:500\r\nPING 5\r\nheard\r\n";
    front.backend.saw(together).await;
    drop(gone);
    front.backend.release();
    front.backend.saw("DISCONNECT\r\n").await;
    let is_close = |body: &&String| body.starts_with("CLOSE");
    let closes = |bodies: &[String]| bodies.iter().filter(is_close).count();
    front.backend.saw_all(|bodies| closes(bodies) == 3).await;
    let all = front.backend.bodies().concat();
    assert_eq!(all.matches("status:500").count(), 2, "{all}");
    assert_eq!(all.matches("status:404").count(), 1, "{all}");
    assert_eq!(all.matches("malformed").count(), 1, "{all}");
}
