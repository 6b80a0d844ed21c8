use axum::Router;
use axum::body::Body;
use axum::extract::{Path, Request};
use axum::http::{Response, StatusCode};
use axum::routing::{delete, get, patch, post};
use futures::executor::block_on;
use http_body_util::BodyExt;

use super::{Sockets, respond, routing};
use crate::access::Access;
use crate::config::{AuthMode, Config};
use crate::error::Error;
use crate::sender::origins::AllowedOrigins;

fn router() -> Router {
    let routes = Router::new()
        .route("/", get(async || "page"))
        .route("/healthz", get(async || "fine"))
        .route("/readyz", get(async || "ready"))
        .route("/auth/login", post(async || "in"))
        .route("/ws/{chat_id}", post(async || "events"))
        .route("/ws/ticket/more", post(async || "more"))
        .route(
            "/chat/rename",
            patch(async |_: Access| "renamed").delete(async || Error::chat_not_found()),
        )
        .route("/chat/{id}", delete(async |Path(id): Path<String>| id))
        .route("/unchanged", get(async || StatusCode::NOT_MODIFIED))
        .route(
            "/broken",
            get(async || Error::internal(anyhow::anyhow!("secret\ncause"))),
        );
    routing::complete(routes)
}

struct Answer {
    response: Response<()>,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        self.response
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    }
}

fn send_with(config: Config, method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header("host", "localhost:8000");
    if headers.iter().all(|(name, _)| *name != "spin-client-addr") {
        request = request.header("spin-client-addr", "127.0.0.1:5000");
    }
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::empty()).unwrap();
    block_on(async {
        let routes = (router(), Sockets::at(vec!["/ws/{chat_id}"]));
        let (parts, body) = respond(request, Ok(Box::leak(Box::new(config))), routes)
            .await
            .into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer {
            response: Response::from_parts(parts, ()),
            body: String::from_utf8(body.to_vec()).unwrap(),
        }
    })
}

fn send(method: &str, uri: &str, headers: &[(&str, &str)]) -> Answer {
    send_with(Config::default(), method, uri, headers)
}

fn status(method: &str, uri: &str) -> u16 {
    send(method, uri, &[]).response.status().as_u16()
}

const PAGE: &str = "http://localhost:3000";
const STRANGER: &str = "https://evil.example";

#[test]
fn unknown_paths_and_methods() {
    let answer = send("GET", "/nowhere", &[]);
    assert_eq!(
        (answer.response.status(), answer.body.as_str()),
        (StatusCode::NOT_FOUND, "{\"detail\":\"Not Found\"}")
    );
    assert_eq!(answer.header("content-length"), Some("22"));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let answer = send("GET", "/auth/login", &[]);
    assert_eq!(answer.response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(answer.body, "{\"detail\":\"Method Not Allowed\"}");
    assert_eq!(answer.header("allow"), Some("POST"));
    assert_eq!(
        send("POST", "/chat/rename", &[]).header("allow"),
        Some("DELETE, PATCH")
    );
    assert_eq!(send("POST", "/", &[]).header("allow"), Some("GET, HEAD"));
    assert_eq!(
        send("OPTIONS", "/auth/login", &[]).response.status(),
        StatusCode::METHOD_NOT_ALLOWED
    );
    let answer = send("FOO", "/", &[]);
    assert_eq!(
        (answer.response.status().as_u16(), answer.body.as_str()),
        (400, "Invalid HTTP request received.")
    );
}

#[test]
fn head_is_get_with_its_length() {
    let answer = send("HEAD", "/", &[]);
    assert_eq!(answer.response.status(), StatusCode::OK);
    assert_eq!(answer.header("content-length"), Some("4"));
    assert_eq!(status("HEAD", "/auth/login"), 405);
}

#[test]
fn an_unchanged_thing_has_no_length() {
    let answer = send("GET", "/unchanged", &[]);
    assert_eq!(answer.response.status(), StatusCode::NOT_MODIFIED);
    assert_eq!(answer.header("content-length"), None);
}

#[test]
fn handlers_get_the_access_decision() {
    let answer = send("PATCH", "/chat/rename", &[]);
    assert_eq!(
        (answer.response.status(), answer.body.as_str()),
        (StatusCode::OK, "renamed")
    );
}

#[test]
fn paths_that_need_care() {
    assert_eq!(status("POST", "//auth/login"), 404);
    assert_eq!(status("POST", "/auth//login"), 404);
    assert_eq!(status("POST", "/Auth/login"), 404);
    assert_eq!(status("DELETE", "/chat/a%2Fb"), 404);
    assert_eq!(status("DELETE", "/chat/a%2fb"), 404);
    assert_eq!(status("POST", "/auth%2Flogin"), 404);
    assert_eq!(status("DELETE", "/chat/%FF"), 404);
    assert_eq!(status("DELETE", "/chat/a%"), 200);
    assert_eq!(send("DELETE", "/chat/a%20%00%C3%A4", &[]).body, "a \0ä");
}

#[test]
fn trailing_slash() {
    for method in ["GET", "POST", "DELETE"] {
        let answer = send(method, "/chat/x/?a=1&b=%2F", &[]);
        assert_eq!(answer.response.status(), StatusCode::TEMPORARY_REDIRECT);
        assert_eq!(
            answer.header("location"),
            Some("http://localhost:8000/chat/x?a=1&b=%2F")
        );
        assert_eq!(
            (answer.header("content-length"), answer.body.as_str()),
            (Some("0"), "")
        );
    }
    assert_eq!(
        send("POST", "/auth/login/", &[]).header("location"),
        Some("http://localhost:8000/auth/login")
    );
    let answer = send("POST", "https://localhost:8000/auth/login/", &[]);
    assert_eq!(
        answer.header("location"),
        Some("https://localhost:8000/auth/login")
    );
    for path in ["/chat/", "/auth/", "//", "/nowhere/"] {
        assert_eq!(status("GET", path), 404, "{path}");
    }
}

#[test]
fn internal_errors_show_nothing_but_an_id() {
    let answer = send(
        "GET",
        "/broken",
        &[("origin", PAGE), ("kafka-request-id", "abc-1")],
    );
    assert_eq!(answer.response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(
        answer.body,
        "{\"detail\":\"Internal Server Error\",\"request_id\":\"abc-1\"}"
    );
    assert_eq!(answer.header("x-request-id"), Some("abc-1"));
    assert_eq!(answer.header("content-length"), Some("55"));
    assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
}

#[test]
fn request_ids() {
    let made = |headers: &[(&str, &str)]| {
        send("GET", "/", headers)
            .header("x-request-id")
            .unwrap()
            .to_owned()
    };
    assert_eq!(made(&[]).len(), 36);
    assert_ne!(made(&[]), made(&[]));
    assert_eq!(made(&[("x-request-id", "mine")]).len(), 36);
    assert_eq!(made(&[("kafka-request-id", "a b")]).len(), 36);
}

#[test]
fn cors_headers_are_on_every_response_to_an_allowed_origin() {
    let requests = [
        ("GET", "/", 200),
        ("GET", "/nowhere", 404),
        ("GET", "/auth/login", 405),
        ("GET", "/chat/x/", 307),
    ];
    for (method, path, status) in requests {
        let answer = send(method, path, &[("origin", PAGE)]);
        assert_eq!(answer.response.status().as_u16(), status);
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
        assert_eq!(
            answer.header("access-control-allow-credentials"),
            Some("true")
        );
        assert_eq!(answer.header("vary"), Some("Origin"));
        let answer = send(method, path, &[]);
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
}

#[test]
fn preflights() {
    let ask = |origin: &'static str, method: &'static str| {
        let headers = [
            ("origin", origin),
            ("access-control-request-method", method),
            ("access-control-request-headers", "content-type, x-y"),
        ];
        send("OPTIONS", "/no/such/path", &headers)
    };
    let answer = ask(PAGE, "PATCH");
    assert_eq!(
        (answer.response.status(), answer.body.as_str()),
        (StatusCode::OK, "OK")
    );
    let expected = [
        ("content-type", "text/plain; charset=utf-8"),
        ("vary", "Origin"),
        (
            "access-control-allow-methods",
            "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT",
        ),
        ("access-control-max-age", "600"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-origin", PAGE),
        ("access-control-allow-headers", "content-type, x-y"),
    ];
    for (name, value) in expected {
        assert_eq!(answer.header(name), Some(value), "{name}");
    }
    for method in ["TRACE", "FOO"] {
        let answer = ask(PAGE, method);
        assert_eq!(
            (answer.response.status().as_u16(), answer.body.as_str()),
            (400, "Disallowed CORS method")
        );
        assert_eq!(answer.header("access-control-allow-origin"), Some(PAGE));
    }
    let answer = ask(STRANGER, "GET");
    assert_eq!(
        (answer.response.status().as_u16(), answer.body.as_str()),
        (400, "Disallowed CORS origin")
    );
    assert_eq!(answer.header("access-control-allow-origin"), None);
}

#[test]
fn strangers_are_refused_except_where_monitors_ask() {
    let remote = ("spin-client-addr", "10.0.0.1:1");
    for headers in [
        &[("origin", STRANGER)][..],
        &[("origin", "null")],
        &[remote],
        &[("via", "1.1 proxy")],
    ] {
        let answer = send("DELETE", "/chat/x", headers);
        assert_eq!(answer.response.status(), StatusCode::FORBIDDEN);
        assert!(answer.body.starts_with("{\"detail\":\""));
        // The page may read why, and nothing else.
        let origin = headers.iter().find(|(name, _)| *name == "origin");
        let origin = origin.map(|(_, origin)| *origin);
        assert_eq!(answer.header("access-control-allow-origin"), origin);
        assert_eq!(answer.header("access-control-allow-credentials"), None);
        for path in ["/healthz", "/readyz"] {
            let healthy = send("GET", path, headers);
            assert_eq!(healthy.response.status(), StatusCode::OK);
            assert_eq!(healthy.header("access-control-allow-origin"), None);
        }
    }
}

#[test]
fn in_token_mode_everybody_is_asked_who_they_are() {
    let config = || Config {
        auth_mode: AuthMode::Token,
        ..Config::default()
    };
    let remote = ("spin-client-addr", "203.0.113.7:1");
    let host = ("host", "app.example");
    // What needs no login is there for everybody, but not for other sites' pages.
    let page = send_with(config(), "GET", "/", &[remote, host]);
    assert_eq!(page.body, "page");
    let foreign = send_with(config(), "GET", "/", &[remote, host, ("origin", STRANGER)]);
    assert_eq!(foreign.response.status(), StatusCode::FORBIDDEN);
    let refused = send_with(config(), "PATCH", "/chat/rename", &[remote, host]);
    assert_eq!(refused.response.status(), StatusCode::UNAUTHORIZED);
    assert_eq!(refused.body, "{\"detail\":\"Not authenticated\"}");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    // A cookie that another site's page sent along is not even looked at.
    let cookie = ("cookie", "kafka_session=x");
    let site = ("sec-fetch-site", "cross-site");
    let forged = send_with(config(), "PATCH", "/chat/rename", &[cookie, site]);
    assert_eq!(forged.response.status(), StatusCode::FORBIDDEN);
    // Nor one with a page that anybody on its way may have written, though its origin may call.
    let page = "http://app.example";
    let config = Config {
        allowed_origins: AllowedOrigins::parse([page].into_iter()).unwrap(),
        ..config()
    };
    let headers = [remote, cookie, ("origin", page)];
    let unencrypted = send_with(config, "PATCH", "/chat/rename", &headers);
    assert_eq!(unencrypted.response.status(), StatusCode::FORBIDDEN);
    assert!(unencrypted.body.contains("unencrypted"));
}

#[test]
fn nobody_says_themselves_where_they_come_from() {
    for auth_mode in [AuthMode::Token, AuthMode::Open] {
        let config = Config {
            auth_mode,
            ..Config::default()
        };
        // A platform that adds its word to a client's.
        let headers = [
            ("spin-client-addr", "127.0.0.1:1"),
            ("spin-client-addr", "127.0.0.1:2"),
            ("host", "localhost"),
        ];
        let answer = send_with(config, "GET", "/", &headers);
        assert_eq!(answer.response.status(), StatusCode::FORBIDDEN);
        assert!(answer.body.contains("spin-client-addr"), "{}", answer.body);
    }
}

#[test]
fn events_of_sockets_arrive_where_sockets_are_and_nowhere_else() {
    let events = |content_type: &str, path: &str| {
        let headers = [("content-type", content_type)];
        let answer = send_with(Config::default(), "POST", path, &headers);
        (answer.response.status().as_u16(), answer.body)
    };
    let nothing = (
        404,
        r#"{"detail":"There is no WebSocket here."}"#.to_owned(),
    );
    let known = "application/websocket-events";
    assert_eq!(events(known, "/ws/1"), (200, "events".into()));
    for path in [
        "/auth/login",
        "/ws/ticket/more",
        "/ws/",
        "/ws",
        "/ws/1/",
        "/none",
    ] {
        assert_eq!(events(known, path), nothing, "{path}");
    }
    for spelling in [
        "Application/WebSocket-Events; a=b",
        " application/websocket-events",
    ] {
        assert_eq!(events(spelling, "/auth/login"), nothing);
    }
    assert_eq!(events("application/json", "/auth/login").0, 200);
}
