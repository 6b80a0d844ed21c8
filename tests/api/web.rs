//! `GET /` and `GET /healthz`.

use crate::support::Server;

#[tokio::test]
async fn a_browser_gets_the_page() {
    let server = Server::start().await;
    let accept = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let response = server.get("/").header("accept", accept).send().await;
    response.has_status(200);
    assert!(response.header("content-type").starts_with("text/html"));
    let page = response.text().to_lowercase();
    assert!(page.starts_with("<!doctype html>"));
    assert!(page.contains("kafka"));
    assert!(page.contains("/docs"), "the page links to the docs");
}

#[tokio::test]
async fn everybody_else_gets_a_message() {
    let server = Server::start().await;
    for accept in [None, Some("*/*"), Some("application/json")] {
        let request = server.get("/");
        let request = match accept {
            Some(accept) => request.header("accept", accept),
            None => request,
        };
        let response = request.send().await;
        let message = response.string("/message");
        assert!(!message.is_empty());
        response.is(200, &serde_json::json!({ "message": message }).to_string());
    }
}

#[tokio::test]
async fn every_client_may_read_the_health() {
    let server = Server::start().await;
    server.get("/healthz").send().await.has_status(200);
    let stranger = server
        .get("/healthz")
        .header("host", "kafka.example.com")
        .header("origin", "https://evil.example")
        .header("x-forwarded-for", "203.0.113.9")
        .header("via", "1.1 proxy");
    stranger.send().await.has_status(200);
}

#[tokio::test]
async fn head_works_where_get_does() {
    let server = Server::start().await;
    for path in ["/", "/healthz"] {
        let (get, head) = (
            server.get(path).send().await,
            server.head(path).send().await,
        );
        head.has_status(200);
        assert!(head.body.is_empty());
        assert_eq!(head.header("content-type"), get.header("content-type"));
    }
}
