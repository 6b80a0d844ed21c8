//! Publishing to the sockets of a channel.

use super::{Front, KEY, LATER, publish, text, token};

#[tokio::test]
async fn items_arrive_in_order_while_a_request_is_open() {
    let front = Front::start().await;
    let mut first = front.open("/?channel=a").await;
    let mut second = front.open("/?channel=a").await;
    let mut other = front.open("/?channel=b").await;
    for socket in [&mut first, &mut second, &mut other] {
        assert_eq!(socket.text().await, "welcome");
    }
    first.send("hold").await;
    front.backend.saw("TEXT 4\r\nhold\r\n").await;
    for batch in 0..20 {
        let items: Vec<_> = (0..10)
            .map(|item| text("a", &format!("{}", batch * 10 + item)))
            .collect();
        let answer = front.publish(items.into()).await;
        assert_eq!(answer, (200, "Published\n".into()));
    }
    for number in 0..200 {
        assert_eq!(first.text().await, number.to_string());
        assert_eq!(second.text().await, number.to_string());
    }
    other.silence().await;
    // Its request was open all the time.
    first.send("echo:after that").await;
    front.backend.release();
    assert_eq!(first.text().await, "after that");
}

#[tokio::test]
async fn channels_are_left_by_word_and_by_end() {
    let front = Front::start().await;
    let mut socket = front.open("/?channel=a").await;
    assert_eq!(socket.text().await, "welcome");
    socket
        .send(r#"control:{"type":"subscribe","channel":"b"}"#)
        .await;
    socket
        .send(r#"control:{"type":"unsubscribe","channel":"a"}"#)
        .await;
    socket.send("echo:done").await;
    assert_eq!(socket.text().await, "done");
    let items = [text("a", "1"), text("b", "2"), text("c", "3")];
    front.publish(items.to_vec().into()).await;
    assert_eq!(socket.text().await, "2");
    socket.silence().await;
}

#[tokio::test]
async fn an_item_that_comes_again_is_dropped() {
    let front = Front::start().await;
    let mut socket = front.open("/?channel=a").await;
    let mut other = front.open("/?channel=b").await;
    for socket in [&mut socket, &mut other] {
        assert_eq!(socket.text().await, "welcome");
    }
    let named = |channel: &str, id: &str, content: &str| {
        let mut item = text(channel, content);
        item["id"] = id.into();
        item
    };
    let batch = vec![named("a", "1", "one"), named("a", "2", "two")];
    for _ in 0..2 {
        // As after an answer that was lost.
        let answer = front.publish(batch.clone().into()).await;
        assert_eq!(answer.0, 200);
    }
    let more = vec![
        named("a", "2", "again"),
        named("b", "2", "of another channel"),
        text("a", "without an id"),
        text("a", "without an id"),
    ];
    front.publish(more.into()).await;
    for expected in ["one", "two", "without an id", "without an id"] {
        assert_eq!(socket.text().await, expected);
    }
    assert_eq!(other.text().await, "of another channel");
    socket.silence().await;
}

#[tokio::test]
async fn a_publish_can_close() {
    let front = Front::start().await;
    let mut socket = front.open("/?channel=a").await;
    assert_eq!(socket.text().await, "welcome");
    let close = serde_json::json!({
        "channel": "a",
        "formats": { "ws-message": { "action": "close", "code": 4003, "reason": "gone" } }
    });
    front.publish(vec![text("a", "last"), close].into()).await;
    assert_eq!(socket.text().await, "last");
    assert_eq!(socket.close().await, (4003, "gone".into()));
}

#[tokio::test]
async fn with_a_key_only_its_owner_publishes() {
    let url = format!("http://x/?iss=kafka&key={KEY}");
    let front = Front::with(&["--grip-url", &url]).await;
    let mut socket = front.open("/?channel=a").await;
    assert_eq!(socket.text().await, "welcome");
    let items = vec![text("a", "1")].into();
    let good = token("kafka", LATER, KEY.as_bytes());
    let altered = good.replace('.', ".e");
    for (token, status) in [
        (None, 401),
        (Some("nonsense".to_owned()), 401),
        (Some(altered), 401),
        (Some(token("kafka", LATER, b"a guess")), 401),
        (Some(token("kafka", 1, KEY.as_bytes())), 401),
        (Some(token("other", LATER, KEY.as_bytes())), 403),
        (Some(good), 200),
    ] {
        let (answered, _) = publish(&front.control, &items, token.as_deref()).await;
        assert_eq!(answered, status, "{token:?}");
    }
    assert_eq!(socket.text().await, "1");
    socket.silence().await;
}

#[tokio::test]
async fn malformed_publish_requests_are_refused() {
    let front = Front::start().await;
    let (status, _) = front.publish("no list".into()).await;
    assert_eq!(status, 400);
    for (request, status) in [
        ("GET /publish/ HTTP/1.1", 405),
        ("POST /other HTTP/1.1", 404),
        ("GET / HTTP/1.1", 404),
    ] {
        let request = format!("{request}\r\nHost: x\r\nConnection: close\r\n\r\n");
        let (answered, _) = super::client::exchange(&front.control, &request).await;
        assert_eq!(answered, status, "{request}");
    }
}

/// Without keys, being on this machine is enough to publish; so is a web page in a browser there.
#[tokio::test]
async fn a_web_page_does_not_publish() {
    let front = Front::start().await;
    let mut socket = front.open("/?channel=a").await;
    assert_eq!(socket.text().await, "welcome");
    let body = serde_json::json!({ "items": [text("a", "1")] }).to_string();
    for page in ["https://evil.example", "http://localhost:3000", "null"] {
        let request = format!(
            "POST /publish/ HTTP/1.1\r\nHost: {}\r\nOrigin: {page}\r\nContent-Type: text/plain\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            front.control,
            body.len()
        );
        let (answered, _) = super::client::exchange(&front.control, &request).await;
        assert_eq!(answered, 403, "{page}");
    }
    socket.silence().await;
}
