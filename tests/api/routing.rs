//! Paths and methods (docs/http-compatibility.md#paths-and-methods).

use super::UNKNOWN_ID;
use crate::support::Server;

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let server = Server::start().await;
    for path in [
        "/nothing",
        "/auth",
        "/auth/",
        "/chat/",
        "/auth/signup",
        "/uploads/files/x",
        "/AUTH/login",
        "/auth/Login",
        "//auth/login",
        "/auth//login",
        "/auth/login/x",
        "/chat/new/x",
        "/file",
        "/chat-file",
        "/chat-file/x",
        "/static/../Cargo.toml",
        "/..%2f..%2fetc/passwd",
        "/%2e%2e/etc/passwd",
        "/index.html/x",
        "/file/x/y",
        "/workspace/x/y",
        "/chat/x/y",
    ] {
        server.get(path).send().await.is_error(404, "Not Found");
    }
    server
        .post("/nothing")
        .json("{")
        .send()
        .await
        .is_error(404, "Not Found");
    server
        .delete("/chat/")
        .send()
        .await
        .is_error(404, "Not Found");
}

#[tokio::test]
async fn a_slash_inside_an_id_is_another_path() {
    let server = Server::start().await;
    for path in ["/chat/a%2Fb", "/chat/%2F", "/chat/a%2fb"] {
        server.delete(path).send().await.is_error(404, "Not Found");
    }
    server
        .get("/file/a%2Fb/content")
        .send()
        .await
        .is_error(404, "Not Found");
}

#[tokio::test]
async fn an_id_that_is_no_text_is_not_found() {
    let server = Server::start().await;
    server.delete("/chat/%FF").send().await.has_status(404);
    server
        .get("/file/%FF%FE/content")
        .send()
        .await
        .has_status(404);
}

#[tokio::test]
async fn wrong_methods_are_answered_with_the_right_ones() {
    let server = Server::start().await;
    for (method, path, allowed) in [
        ("GET", "/auth/login", vec!["POST"]),
        ("PUT", "/auth/login", vec!["POST"]),
        ("DELETE", "/workspace/new", vec!["POST"]),
        ("GET", "/file/upload", vec!["POST"]),
        ("POST", "/chat/x", vec!["DELETE", "GET", "HEAD", "PATCH"]),
        ("PUT", "/chat/x", vec!["DELETE", "GET", "HEAD", "PATCH"]),
        ("POST", "/chats", vec!["GET", "HEAD"]),
        ("POST", "/usage", vec!["GET", "HEAD"]),
        ("DELETE", "/workspace/x", vec!["GET", "HEAD", "PATCH"]),
        ("GET", "/workspace/rename", vec!["PATCH"]),
        ("POST", "/user/x/settings", vec!["GET", "HEAD", "PATCH"]),
        ("POST", "/user/x/events", vec!["GET", "HEAD"]),
        ("DELETE", "/ws/user/x", vec!["GET", "HEAD", "POST"]),
        ("GET", "/file/delete/x", vec!["DELETE"]),
        ("PUT", "/chat-file/x/versions", vec!["GET", "HEAD", "POST"]),
        // Also the ids of chats, as far as DELETE is concerned.
        ("GET", "/chat/new", vec!["DELETE", "POST"]),
        ("POST", "/chat/rename", vec!["DELETE", "PATCH"]),
        ("POST", "/file/x/content", vec!["GET", "HEAD"]),
        ("POST", "/", vec!["GET", "HEAD"]),
        ("DELETE", "/healthz", vec!["GET", "HEAD"]),
        // No Access-Control-Request-Method, so no preflight.
        ("OPTIONS", "/auth/login", vec!["POST"]),
        ("HEAD", "/auth/login", vec!["POST"]),
    ] {
        let response = server.request(method, path).send().await;
        response.has_status(405);
        assert_eq!(response.list("allow"), allowed, "{method} {path}");
        if method != "HEAD" {
            response.is_error(405, "Method Not Allowed");
        }
    }
}

#[tokio::test]
async fn a_trailing_slash_is_redirected() {
    let server = Server::start().await;
    for (method, path, target) in [
        ("POST", "/auth/login/", "/auth/login"),
        ("GET", "/auth/login/", "/auth/login"),
        ("POST", "/chat/new/?a=1&b=%20", "/chat/new?a=1&b=%20"),
        ("PATCH", "/chat/rename/", "/chat/rename"),
        ("DELETE", "/chat/some-id/", "/chat/some-id"),
        ("POST", "/workspace/new/", "/workspace/new"),
        ("POST", "/file/upload/", "/file/upload"),
        ("GET", "/healthz/", "/healthz"),
    ] {
        let response = server.request(method, path).send().await;
        response.has_status(307);
        assert_eq!(
            response.header("location"),
            format!("http://{}{target}", server.address()),
            "{path}"
        );
        assert!(response.body.is_empty());
    }
    let port = server.address().rsplit(':').next().expect("a port");
    let named = server
        .post("/auth/login/")
        .header("host", &format!("localhost:{port}"))
        .send()
        .await;
    assert_eq!(
        named.header("location"),
        format!("http://localhost:{port}/auth/login")
    );
}

#[tokio::test]
async fn unknown_verbs_are_refused_politely() {
    let server = Server::start().await;
    for method in ["FOO", "TRACE", "PROPFIND"] {
        let response = server.request(method, "/auth/login").send().await;
        assert!(
            matches!(response.status, 400 | 405),
            "{method}: {}",
            response.status
        );
    }
    server
        .delete(&format!("/chat/{UNKNOWN_ID}"))
        .send()
        .await
        .is_error(404, "Chat not found.");
}

#[tokio::test]
async fn nothing_that_is_no_request_breaks_the_server() {
    let server = Server::start().await;
    let host = server.address();
    let long = "x".repeat(1 << 20);
    for bytes in [
        "\r\n\r\n".to_owned(),
        "nonsense\r\n\r\n".to_owned(),
        "GET\r\n\r\n".to_owned(),
        "\u{0}\u{1}\u{2}\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        format!("GET /{long} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: {host}\r\nx: {long}\r\nconnection: close\r\n\r\n"),
        format!(
            "GET / HTTP/1.1\r\nhost: {host}\r\n{}connection: close\r\n\r\n",
            "x: y\r\n".repeat(5000)
        ),
        format!("POST /auth/login HTTP/1.1\r\nhost: {host}\r\ncontent-length: nonsense\r\n\r\n"),
        format!("POST /auth/login HTTP/1.1\r\nhost: {host}\r\ncontent-length: -1\r\n\r\n"),
        format!(
            "POST /auth/login HTTP/1.1\r\nhost: {host}\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello"
        ),
        format!(
            "POST /auth/login HTTP/1.1\r\nhost: {host}\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
        ),
        format!("GET /%zz%f HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"),
        format!("GET / HTTP/1.1\r\nhost: {host}\r\nhost: {host}\r\nconnection: close\r\n\r\n"),
        "GET / HTTP/1.1\r\nconnection: close\r\n\r\n".to_owned(),
    ] {
        let response = server.raw(&bytes).await;
        let excerpt: String = bytes.chars().take(60).collect();
        // Bytes that are no HTTP may also be answered by hanging up.
        assert!(
            matches!(response.status, 0 | 200 | 400..=499 | 505),
            "{excerpt:?}: {response:?}"
        );
    }
    server.get("/healthz").send().await.has_status(200);
}

#[tokio::test]
async fn connections_are_kept_and_chunked_bodies_and_expectations_work() {
    let server = Server::start().await;
    let host = server.address();
    let body = r#"{"email":"someone@example.com"}"#;
    let pieces = body
        .as_bytes()
        .chunks(7)
        .map(hyper::body::Bytes::copy_from_slice)
        .collect::<Vec<_>>();
    let response = server
        .post("/auth/login")
        .chunked("application/json", pieces.into_iter())
        .send()
        .await;
    response.has_status(200);
    let twice = format!(
        "GET /healthz HTTP/1.1\r\nhost: {host}\r\n\r\nGET /healthz HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
    );
    let both = server.raw(twice).await;
    assert_eq!(both.status, 200);
    assert!(
        both.body.contains("HTTP/1.1 200"),
        "two answers on one connection: {both:?}"
    );
    let expecting = format!(
        "POST /auth/login HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len(),
    );
    let response = server.raw(expecting).await;
    assert_eq!(response.status, 100);
    assert!(response.body.starts_with("HTTP/1.1 200"), "{response:?}");
    let refused = format!(
        "POST /auth/login HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: 1000000000\r\n\r\n"
    );
    let response = server.raw(refused).await;
    assert_eq!(
        response.status, 413,
        "no client is invited to send too much"
    );
}
