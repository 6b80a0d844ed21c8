//! Origins (docs/decisions.md#foreign-origins-are-refused).

use crate::support::{Multipart, Request, Response, Server, Setup, login};

const OWN: &str = "http://localhost:3000";
const FOREIGN: &str = "https://evil.example";

#[track_caller]
fn assert_allows(response: &Response, origin: &str) {
    assert_eq!(
        response.header("access-control-allow-origin"),
        origin,
        "{}",
        response.what
    );
    assert_eq!(
        response.header("access-control-allow-credentials"),
        "true",
        "{}",
        response.what
    );
    assert_eq!(
        response.list("access-control-expose-headers"),
        [
            "content-disposition",
            "content-range",
            "etag",
            "retry-after",
            "x-request-id"
        ],
    );
    let vary: Vec<String> = response
        .list("vary")
        .iter()
        .map(|name| name.to_lowercase())
        .collect();
    assert!(
        vary.contains(&"origin".to_owned()),
        "{} varies by origin: {vary:?}",
        response.what
    );
}

#[track_caller]
fn assert_has_no_cors_headers(response: &Response) {
    let named = response
        .headers
        .keys()
        .find(|name| name.as_str().starts_with("access-control-"));
    assert_eq!(named, None, "{}", response.what);
}

#[tokio::test]
async fn without_an_origin_there_are_no_headers() {
    let server = Server::start().await;
    assert_has_no_cors_headers(&server.login("someone@example.com").await);
    assert_has_no_cors_headers(&server.get("/nothing").send().await);
}

#[tokio::test]
async fn every_answer_to_an_own_origin_allows_it() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "a.txt", "a").await;
    let from_own = |request: Request| request.header("origin", OWN).send();
    let login_body = r#"{"email":"someone@example.com"}"#;
    for (status, request) in [
        (200, server.post("/auth/login").json(login_body)),
        (200, server.get("/healthz")),
        (200, server.get("/")),
        (200, server.get(&format!("/file/{file}/content"))),
        (
            206,
            server
                .get(&format!("/file/{file}/content"))
                .header("range", "bytes=0-0"),
        ),
        (307, server.post("/auth/login/")),
        (
            400,
            server.post("/chat/new").body("multipart/form-data", "x"),
        ),
        (404, server.get("/nothing")),
        (404, server.delete("/chat/x")),
        (405, server.get("/auth/login")),
        (422, server.post("/auth/login").json("{}")),
        (422, server.post("/file/upload").multipart(Multipart::new())),
    ] {
        let response = from_own(request).await;
        response.has_status(status);
        assert_allows(&response, OWN);
    }
}

#[tokio::test]
async fn the_same_machine_is_allowed_on_any_port() {
    let server = Server::start().await;
    let own = format!("http://{}", server.address());
    for origin in [
        own.as_str(),
        "http://localhost",
        "https://localhost:8443",
        "http://127.0.0.1:5173",
        "http://[::1]:3000",
    ] {
        let response = server.get("/").header("origin", origin).send().await;
        response.has_status(200);
        assert_allows(&response, origin);
    }
}

#[tokio::test]
async fn a_foreign_origin_is_refused_and_changes_nothing() {
    let server = Server::start().await;
    login(&server, "someone@example.com").await;
    for origin in [
        FOREIGN,
        "null",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example:3000",
        "http://evil-localhost",
        "http://localhost@evil.example",
        "http://evil.example#localhost",
        "http://10.0.0.1:3000",
        "file://",
        "localhost",
        "http://localhost:3000, https://evil.example",
        "http://localhost:port",
        "",
    ] {
        let body = r#"{"email":"victim@example.com"}"#;
        let response = server
            .post("/auth/login")
            .header("origin", origin)
            .json(body)
            .send()
            .await;
        assert_eq!(response.status, 403, "{origin:?}: {}", response.text());
        assert!(
            response.string("/detail").contains("allowed_origins"),
            "the answer names the setting"
        );
        // The page may read that, and nothing else.
        assert_eq!(response.header("access-control-allow-origin"), origin);
        let credentials = "access-control-allow-credentials";
        assert_eq!(response.header(credentials), "", "{origin:?}");
    }
    assert_eq!(server.database().await.count("user").await, 1);
}

#[tokio::test]
async fn preflights_of_own_origins_are_answered_for_any_path() {
    let server = Server::start().await;
    for path in [
        "/auth/login",
        "/chat/rename",
        "/chat/some-id",
        "/file/x/content",
        "/nothing/at/all",
        "/",
        "/auth/login/",
    ] {
        let response = server
            .request("OPTIONS", path)
            .header("origin", OWN)
            .header("access-control-request-method", "PATCH")
            .header("access-control-request-headers", "content-type, x-custom")
            .send()
            .await;
        response.has_status(200);
        assert_eq!(response.text(), "OK");
        assert_eq!(response.header("content-type"), "text/plain; charset=utf-8");
        assert_allows(&response, OWN);
        assert_eq!(response.header("access-control-max-age"), "600");
        assert_eq!(
            response.list("access-control-allow-methods"),
            ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"],
        );
        assert_eq!(
            response.header("access-control-allow-headers"),
            "content-type, x-custom"
        );
    }
    let without_headers = server
        .request("OPTIONS", "/auth/login")
        .header("origin", OWN)
        .header("access-control-request-method", "POST")
        .send()
        .await;
    without_headers.has_status(200);
    assert_eq!(without_headers.header("access-control-allow-headers"), "");
}

#[tokio::test]
async fn preflights_of_foreign_origins_and_odd_methods_are_refused() {
    let server = Server::start().await;
    let preflight = |origin: &str, method: &str| {
        server
            .request("OPTIONS", "/auth/login")
            .header("origin", origin)
            .header("access-control-request-method", method)
            .send()
    };
    let foreign = preflight(FOREIGN, "POST").await;
    foreign.has_status(400);
    assert_eq!(foreign.header("access-control-allow-methods"), "");
    for method in ["TRACE", "FOO"] {
        let response = preflight(OWN, method).await;
        response.has_status(400);
        assert_eq!(response.text(), "Disallowed CORS method");
        assert_allows(&response, OWN);
    }
}

#[tokio::test]
async fn other_origins_can_be_allowed() {
    let allowed = "https://app.example.com";
    let server = Setup::app()
        .variable("allowed_origins", allowed)
        .start()
        .await;
    let response = server.get("/").header("origin", allowed).send().await;
    response.has_status(200);
    assert_allows(&response, allowed);
    server
        .get("/")
        .header("origin", FOREIGN)
        .send()
        .await
        .has_status(403);
    server
        .get("/")
        .header("origin", "https://app.example.com.evil.example")
        .send()
        .await
        .has_status(403);
    server
        .get("/")
        .header("origin", "http://app.example.com")
        .send()
        .await
        .has_status(403);
}
