//! Opening a socket, and being refused one.

use super::client::{connect, header};
use super::{Front, VERIFY_KEY};

#[tokio::test]
async fn the_backend_receives_the_headers_of_the_client() {
    let url = format!("http://x/?verify-iss=kafka-gateway&verify-key={VERIFY_KEY}");
    let front = Front::with(&["--grip-url", &url]).await;
    let headers = [
        ("Origin", "http://localhost:5173"),
        ("Cookie", "kafka_session=abc"),
        ("Authorization", "Bearer xyz"),
        ("User-Agent", "a test"),
        ("Sec-WebSocket-Protocol", "kafka.v2"),
        ("Sec-WebSocket-Extensions", "x-unknown"),
        ("Meta-Session", "forged"),
        ("Grip-Sig", "forged"),
        ("Connection-Id", "forged"),
    ];
    let mut socket = connect(&front.address, "/protocol?ticket=1", &headers)
        .await
        .expect("it opens");
    assert_eq!(
        header(&socket.head, "sec-websocket-protocol"),
        Some("kafka.v2")
    );
    assert_eq!(header(&socket.head, "sec-websocket-extensions"), None);
    assert_eq!(header(&socket.head, "content-type"), None);
    socket.send("echo:1").await;
    assert_eq!(socket.text().await, "1");
    let seen = front.backend.seen();
    assert_eq!(seen[0].body, "OPEN\r\n");
    for request in &seen {
        assert_eq!(request.target, "/protocol?ticket=1");
        for (name, value) in [
            ("host", front.address.as_str()),
            ("origin", "http://localhost:5173"),
            ("cookie", "kafka_session=abc"),
            ("authorization", "Bearer xyz"),
            ("user-agent", "a test"),
            ("sec-websocket-protocol", "kafka.v2"),
            ("sec-websocket-extensions", "grip"),
            ("accept", "application/websocket-events"),
            ("x-forwarded-for", "127.0.0.1"),
            ("meta-session", ""),
        ] {
            assert_eq!(request.header(name), value, "{name}");
        }
        assert_eq!(request.header("connection-id").len(), 36);
        assert_eq!(
            request.header("connection-id"),
            seen[0].header("connection-id")
        );
        let signature: Vec<&str> = request.header("grip-sig").split('.').collect();
        assert_eq!(signature.len(), 3, "{signature:?}");
    }
}

#[tokio::test]
async fn a_refusal_of_the_backend_reaches_the_client() {
    let front = Front::start().await;
    for status in [400, 401, 403, 404, 409, 429, 503] {
        let refused = front.refused(&format!("/refuse/{status}"), &[]).await;
        assert_eq!(refused.status, status);
        assert_eq!(refused.body, r#"{"detail":"Refused."}"#);
        assert_eq!(
            header(&refused.head, "content-type"),
            Some("application/json")
        );
    }
}

#[tokio::test]
async fn an_answer_that_is_none_is_a_bad_gateway() {
    let front = Front::start().await;
    assert_eq!(front.refused("/no-open", &[]).await.status, 502);
    let Front {
        process,
        backend,
        address,
        ..
    } = front;
    backend.stop().await;
    let refused = connect(&address, "/", &[]).await.err().expect("a refusal");
    assert_eq!(refused.status, 502);
    drop(process);
}

#[tokio::test]
async fn a_handshake_that_is_none_is_refused() {
    let front = Front::start().await;
    let version = front.refused("/", &[("Sec-WebSocket-Version", "8")]).await;
    assert_eq!(version.status, 426);
    assert_eq!(header(&version.head, "sec-websocket-version"), Some("13"));
    let key = front.refused("/", &[("Sec-WebSocket-Key", "short")]).await;
    assert_eq!(key.status, 400);
    assert!(front.backend.seen().is_empty());
}
