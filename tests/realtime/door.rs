//! Origins, hosts, signatures, and headers that only a gateway may set (docs/promises.md#11-closed-door).

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use futures::future::select_all;
use ring::hmac;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::{Scene, through_both};
use crate::support::{House, Request, Response, Server, Setup, V2, login};

const EVENTS: &str = "application/websocket-events";

through_both!(
    a_foreign_origin_is_refused,
    meta_headers_of_a_client_are_ignored,
    a_handshake_for_a_path_without_sockets_does_nothing,
);

async fn a_foreign_origin_is_refused(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let path = format!("/ws/{}", scene.chat);
    for origin in [
        "https://evil.example",
        "null",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
    ] {
        for protocol in [None, Some(("sec-websocket-protocol", V2))] {
            let mut headers = vec![("origin", origin)];
            headers.extend(protocol);
            let refused = scene.server.try_socket(&path, &headers).await;
            let refused = refused
                .err()
                .unwrap_or_else(|| panic!("{origin} is refused"));
            assert_eq!(refused.status, 403, "{origin}: {}", refused.body);
        }
    }
    for origin in ["http://localhost:3000", "http://127.0.0.1:5173"] {
        let opened = scene.server.try_socket(&path, &[("origin", origin)]).await;
        assert!(opened.is_ok(), "{origin}: {:?}", opened.err());
    }
}

async fn meta_headers_of_a_client_are_ignored(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let elsewhere = scene.server.chat(&scene.user, "elsewhere").await;
    let headers = [
        ("meta-session", "forged"),
        ("meta-user", "forged"),
        ("meta-chat", elsewhere.as_str()),
        ("meta-protocol", "kafka.v2"),
        ("grip-sig", "forged"),
        ("connection-id", "mine"),
    ];
    let opened = scene
        .server
        .try_socket(&format!("/ws/{}", scene.chat), &headers)
        .await;
    let mut socket = opened.expect("the headers do no harm");
    assert_eq!(socket.json().await["chat_id"], scene.chat);
    socket.send_text("hello").await;
    assert_eq!(socket.text().await, "Echo: hello");
}

/// Gateways make a POST of such a request.
async fn a_handshake_for_a_path_without_sockets_does_nothing(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let stop = format!("/chat/{}/stop", scene.chat);
    let messages = format!("/chat/{}/messages", scene.chat);
    for path in [
        stop.as_str(),
        &messages,
        "/ws/ticket",
        "/chat/new",
        "/auth/logout",
        "/file/upload",
        "/models/new",
    ] {
        let refused = scene.server.try_socket(path, &[]).await;
        let refused = refused.err().expect("nothing opens here");
        assert_eq!(refused.status, 404, "{path}: {}", refused.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_proxy_that_hides_its_client_is_refused_on_sockets() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let path = format!("/ws/{}", scene.chat);
    for (mark, value) in [
        ("x-real-ip", "192.0.2.1"),
        ("via", "1.1 proxy"),
        ("forwarded", "for=192.0.2.1"),
        ("x-forwarded-for", "192.0.2.1"),
    ] {
        let refused = scene.server.try_socket(&path, &[(mark, value)]).await;
        let status = refused.err().map(|refused| refused.status);
        assert_eq!(status, Some(403), "{mark}");
    }
    let local = [("x-forwarded-for", "127.0.0.1"), ("x-real-ip", "127.0.0.1")];
    assert!(scene.server.try_socket(&path, &local).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_foreign_host_is_refused_on_sockets() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let refused = scene
        .server
        .try_socket(
            &format!("/ws/{}", scene.chat),
            &[("host", "rebinding.example")],
        )
        .await;
    assert_eq!(refused.err().map(|refused| refused.status), Some(403));
}

/// What the gateway of [`behind_a_gateway`] signs with.
const GATEWAY_KEY: &[u8] = b"a key of thirty-two bytes or so.";

const NOT_SIGNED: &str = "This request was not signed by the gateway.";

/// Behind a gateway whose key the test knows.
fn behind_a_gateway(setup: Setup) -> Setup {
    let encoded = STANDARD.encode(GATEWAY_KEY).replace('+', "%2B");
    let url = format!("http://127.0.0.1:9/?verify-iss=gateway&verify-key=base64:{encoded}");
    let setup = setup.variable("grip_url", &url);
    setup.variable("grip_origin", "http://127.0.0.1:9")
}

fn seconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.expect("after 1970").as_secs()
}

/// What that gateway signs its requests with.
fn signature() -> String {
    let claims = json!({"iss": "gateway", "exp": seconds() + 60});
    jwt("HS256", &claims, GATEWAY_KEY)
}

/// What it doesn't, and what that is.
fn forged() -> [(&'static str, Option<String>); 10] {
    let claims = json!({"iss": "gateway", "exp": seconds() + 60});
    let expired = json!({"iss": "gateway", "exp": seconds() - 120});
    let strangers = json!({"iss": "stranger", "exp": seconds() + 60});
    let mut altered = signature();
    altered.pop();
    let other_key = b"another key of thirty-two bytes.";
    let unsigned = jwt("none", &claims, GATEWAY_KEY);
    let (head, _) = unsigned.rsplit_once('.').expect("three parts");
    [
        ("missing", None),
        ("empty", Some(String::new())),
        ("no JWT", Some("hello".to_owned())),
        ("altered", Some(altered)),
        ("another's key", Some(jwt("HS256", &claims, other_key))),
        ("expired", Some(jwt("HS256", &expired, GATEWAY_KEY))),
        (
            "another's name",
            Some(jwt("HS256", &strangers, GATEWAY_KEY)),
        ),
        ("alg none", Some(format!("{head}."))),
        ("alg none, signed", Some(unsigned)),
        ("alg HS512", Some(jwt("HS512", &claims, GATEWAY_KEY))),
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_gateways_signature_opens_the_relays_door() {
    let server = behind_a_gateway(Setup::app()).start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "The Trial").await;
    let opened = knock(&server, &chat, Some(&signature())).await;
    opened.has_status(200);
    assert!(opened.text().starts_with("OPEN\r\n"), "{}", opened.text());
    assert!(
        opened.text().contains("m:{\"chat_id\""),
        "{}",
        opened.text()
    );
    for (what, signature) in forged() {
        let refused = knock(&server, &chat, signature.as_deref()).await;
        assert_eq!(refused.status, 401, "{what}: {}", refused.text());
    }
}

/// A stranger who knows the hash of a session, from a copy of the database, forges a request of the gateway.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_token_mode_only_the_gateways_signature_makes_a_session_good() {
    let setup = behind_a_gateway(Setup::app()).variable("rate_limits", "");
    let house = House::token_with(setup).await;
    let owner = house.world("owner@example.com").await;
    let hashes = house.server.database().await;
    let hash = hashes
        .texts("SELECT token_hash FROM session")
        .await
        .remove(0);
    let bearer = format!("Bearer {}", owner.token().expect("token mode"));
    let frame = json!({"action": "new_message", "prompt": "Forged?", "model_id": owner.model});
    let frame = frame.to_string();
    let frame = format!("TEXT {:x}\r\n{frame}\r\n", frame.len());
    let knocks = [
        ("OPEN\r\n", ("authorization", bearer.as_str())),
        (frame.as_str(), ("meta-session", hash.as_str())),
    ];
    let before = house.dump().await;
    for (events, (name, value)) in knocks {
        for (what, signature) in forged() {
            let event = event(&house.server, &owner.chat, signature.as_deref());
            let refused = event
                .header(name, value)
                .body(EVENTS, events.to_owned())
                .send()
                .await;
            assert_eq!(refused.status, 401, "{events:?}, {what}: {refused:?}");
            refused.is_error(401, NOT_SIGNED);
        }
    }
    assert_eq!(house.dump().await, before);
    for (events, (name, value)) in knocks {
        let event = event(&house.server, &owner.chat, Some(&signature()));
        let answer = event
            .header(name, value)
            .body(EVENTS, events.to_owned())
            .send()
            .await;
        answer.has_status(200);
    }
    house.settles().await;
    assert!(house.dump().await.contains("Forged?"), "it was well-formed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_lists_of_events_are_refused() {
    let server = behind_a_gateway(Setup::app()).start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "The Trial").await;
    // Gateways write it in one way.
    for nearly in [
        "Application/Websocket-Events",
        "application/websocket-events ;x",
        "text/plain",
    ] {
        let event = event(&server, &chat, Some(&signature()));
        let answer = event.body(nearly, "OPEN\r\n").send().await;
        assert_eq!(answer.status, 426, "{nearly}: {answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_hosts_own_gateway_needs_its_signature_too() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "The Trial").await;
    let refused = knock(&server, &chat, None).await;
    assert_eq!(refused.status, 401, "{}", refused.text());
    let refused = server
        .post("/publish/")
        .json(r#"{"items":[{"channel":"chat-x-v1","formats":{"ws-message":{"content":"x"}}}]}"#)
        .send()
        .await;
    assert!(
        refused.status >= 400,
        "no client publishes without a signature: {}",
        refused.status
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_plain_request_for_a_socket_is_answered_with_its_purpose() {
    let server = Server::start().await;
    let answer = server.get("/ws/anything").send().await;
    assert!(
        (400..500).contains(&answer.status),
        "{} {}",
        answer.status,
        answer.text()
    );
    assert!(answer.json()["detail"].is_string());
}

/// Large frames are taken in one after the other, and only so many wait for their turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_large_frames_some_are_put_off() {
    let server = behind_a_gateway(Setup::app()).start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "The Trial").await;
    // All announce a large frame, and send nothing of it.
    let head = format!(
        "POST /ws/{chat} HTTP/1.1\r\nhost: {}\r\ncontent-type: {EVENTS}\r\ncontent-length: 1000000\r\n\
         grip-sig: {}\r\nx-forwarded-for: 127.0.0.1\r\n\r\n",
        server.address(),
        signature(),
    );
    let mut waiting = Vec::new();
    // More than all instances of a busy machine let wait.
    for _ in 0..120 {
        let mut stream = server.connect().await;
        let sent = stream.write_all(head.as_bytes()).await;
        sent.expect("the server reads");
        waiting.push(Box::pin(async move {
            let mut answer = vec![0; 4096];
            let read = stream.read(&mut answer).await.expect("an answer");
            String::from_utf8_lossy(&answer[..read]).to_lowercase()
        }));
        // In a burst, each would get an instance of its own. And short ones have room beside them.
        let opened = knock(&server, &chat, Some(&signature())).await;
        opened.has_status(200);
    }
    let answer = timeout(Duration::from_secs(20), select_all(waiting)).await;
    let (answer, _, waiting) = answer.expect("one is answered before any is read");
    assert!(answer.starts_with("http/1.1 503"), "{answer}");
    // A gateway sends it again.
    assert!(answer.contains("retry-after:"), "{answer}");
    assert!(
        answer.contains("too many large messages at once"),
        "{answer}"
    );
    drop(waiting);
    // The server notices one after the other that those are gone; until then, a gateway sends again, and so does this.
    let long = format!("OPEN\r\nTEXT 60000\r\n{}\r\n", "x".repeat(0x60000));
    let deadline = Instant::now() + Duration::from_secs(20);
    loop {
        let large = event(&server, &chat, Some(&signature())).body(EVENTS, long.clone());
        let answer = large.send().await;
        if answer.status != 503 || Instant::now() > deadline {
            answer.has_status(200);
            break;
        }
        assert_ne!(answer.header("retry-after"), "", "{answer:?}");
    }
}

/// Sends an opening event as a gateway does.
async fn knock(server: &Server, chat: &str, signature: Option<&str>) -> Response {
    let event = event(server, chat, signature);
    event.body(EVENTS, "OPEN\r\n").send().await
}

/// A request of a gateway, without its events.
fn event(server: &Server, chat: &str, signature: Option<&str>) -> Request {
    let request = server
        .post(&format!("/ws/{chat}"))
        .header("accept", EVENTS)
        .header("connection-id", "0b5f1a5e-1d1c-4a9c-8f5e-3f1c9a3f1c9a")
        .header("sec-websocket-extensions", "grip")
        .header("x-forwarded-for", "127.0.0.1");
    match signature {
        Some(signature) => request.header("grip-sig", signature),
        None => request,
    }
}

/// A token whose header names `alg`, and whose signature is HMAC-SHA-256.
fn jwt(alg: &str, claims: &serde_json::Value, key: &[u8]) -> String {
    let header = json!({"typ": "JWT", "alg": alg});
    let encode = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let message = format!(
        "{}.{}",
        encode(header.to_string().as_bytes()),
        encode(claims.to_string().as_bytes())
    );
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, key), message.as_bytes());
    format!("{message}.{}", encode(tag.as_ref()))
}
