//! Sizes are bounded (docs/promises.md#8-bounded-sizes).

use std::fs;

use hyper::body::Bytes;

use crate::support::{Multipart, Server, Setup, login, repository};

/// A component has at most 4 MB, and the application 25 MB (docs/decisions.md#no-byte-budget).
#[tokio::test]
async fn components_are_bounded() {
    // It builds them.
    let _server = Server::start().await;
    let manifest = fs::read_to_string(repository().join("spin.toml")).expect("a manifest");
    let sources = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("source = \"")?.strip_suffix('"'));
    let size = |source| fs::metadata(repository().join(source)).expect(source).len();
    let sizes: Vec<u64> = sources.map(size).collect();
    assert_eq!(sizes.len(), 11);
    assert!(sizes.iter().all(|size| *size <= 4_000_000), "{sizes:?}");
    assert!(sizes.iter().sum::<u64>() <= 25_000_000, "{sizes:?}");
}

const TOO_LARGE: &str = "Request body too large.";

async fn small_server() -> Server {
    Setup::app()
        .variable("max_upload_bytes", "100000")
        .start()
        .await
}

#[tokio::test]
async fn every_kind_of_body_is_bounded() {
    let server = small_server().await;
    let user = login(&server, "someone@example.com").await;
    let big = "x".repeat(100_001);
    let form = [
        ("user_id", user.id.as_str()),
        ("workspace_id", &user.workspace),
        ("chat_name", &big),
    ];
    server
        .post("/chat/new")
        .form(&form)
        .send()
        .await
        .is_error(413, TOO_LARGE);
    let text = Multipart::new()
        .text("user_id", &user.id)
        .text("chat_name", &big);
    server
        .post("/chat/new")
        .multipart(text)
        .send()
        .await
        .is_error(413, TOO_LARGE);
    let json = format!(r#"{{"email":"a@example.com","more":"{big}"}}"#);
    server
        .post("/auth/login")
        .json(json)
        .send()
        .await
        .is_error(413, TOO_LARGE);
    let file = user.to_workspace().file("files", "big", &big);
    server.upload(file).await.is_error(413, TOO_LARGE);
    let database = server.database().await;
    assert_eq!(database.count("file").await, 0);
    assert_eq!(database.count("chat").await, 0);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_bounded_too() {
    let server = small_server().await;
    let pieces = (0..1000).map(|_| Bytes::from_static(&[b' '; 1000]));
    let response = server
        .post("/auth/login")
        .chunked("application/json", pieces)
        .send()
        .await;
    response.is_error(413, TOO_LARGE);
    let (content_type, head) = file_head();
    let pieces = std::iter::once(head).chain((0..1000).map(|_| Bytes::from_static(&[b'x'; 1000])));
    let response = server
        .post("/workspace/new")
        .chunked(&content_type, pieces)
        .send()
        .await;
    response.is_error(413, TOO_LARGE);
}

/// The beginning of a form whose file never ends.
fn file_head() -> (String, Bytes) {
    let form = Multipart::new().text("name", "x").begin_file("big");
    (form.content_type(), form.into_truncated_bytes().into())
}

#[tokio::test]
async fn a_length_that_is_too_large_is_refused_before_the_body_comes() {
    let server = small_server().await;
    let request = format!(
        "POST /file/upload HTTP/1.1\r\nhost: {}\r\ncontent-type: multipart/form-data; boundary=x\r\ncontent-length: 100001\r\nconnection: close\r\n\r\n",
        server.address(),
    );
    // The body never comes; a server that waited for it would answer 408.
    let response = server.raw(request).await;
    assert_eq!(response.status, 413, "{response:?}");
    assert!(response.body.contains(TOO_LARGE), "{response:?}");
}

#[tokio::test]
async fn as_much_as_is_allowed_is_stored() {
    let server = small_server().await;
    let user = login(&server, "someone@example.com").await;
    let content = vec![b'x'; 99_000];
    let file = server.file(&user, "almost", &content).await;
    let stored = server.get(&format!("/file/{file}/content")).send().await;
    assert!(stored.body == content);
}

#[tokio::test]
async fn the_door_stays_open_after_a_refusal() {
    let server = small_server().await;
    for _ in 0..20 {
        let response = server
            .post("/auth/login")
            .json("x".repeat(300_000))
            .send()
            .await;
        response.is_error(413, TOO_LARGE);
        server.login("someone@example.com").await.has_status(200);
    }
}
