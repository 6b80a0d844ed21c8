use http::{HeaderMap, HeaderValue, header};
use serde_json::{Value, json};
use std::time::Duration;

use super::scrub::scrub;
use super::{EndpointError, Failure, FailureKind, retry_after};

const KEY: &str = "sk-proj-MARKER/0123456789+abcdef";

fn answer(status: u16, body: &str) -> Failure {
    Failure::of_answer(status, &HeaderMap::new(), body.as_bytes(), KEY)
}

#[test]
fn statuses_in_words() {
    for (status, kind, part) in [
        (401, FailureKind::Key, "API key"),
        (403, FailureKind::Key, "API key"),
        (404, FailureKind::NotFound, "base URL"),
        (405, FailureKind::NotFound, "base URL"),
        (
            402,
            FailureKind::RateLimited { retry_after: None },
            "credit",
        ),
        (429, FailureKind::RateLimited { retry_after: None }, "later"),
        (400, FailureKind::Refused { status: 400 }, "refused"),
        (422, FailureKind::Refused { status: 422 }, "refused"),
        (413, FailureKind::Refused { status: 413 }, "refused"),
        (500, FailureKind::Server, "failed"),
        (503, FailureKind::Server, "later"),
        (302, FailureKind::Redirect, "not followed"),
    ] {
        let failure = answer(status, "");
        assert_eq!(failure.kind, kind, "{status}");
        assert!(failure.message.contains(part), "{}", failure.message);
        assert!(failure.message.contains(&status.to_string()));
    }
}

#[test]
fn the_text_of_the_endpoint_is_quoted() {
    for body in [
        json!({"error": {"message": "No such model.", "type": "x"}}).to_string(),
        json!({"error": "No such model."}).to_string(),
        json!({"message": "No such model.", "code": 5}).to_string(),
        json!({"detail": [{"msg": "No such model.", "loc": []}]}).to_string(),
        json!([{"error": {"message": "No such model."}}]).to_string(),
        "No\r\n such \x1b model.".to_owned(),
        json!({"statusCode": 404, "error": "Not Found", "message": "No such model."}).to_string(),
        json!({"error": "invalid_request", "error_description": "No such model."}).to_string(),
        json!({"Message": "No such model."}).to_string(),
        json!({"fault": {"faultstring": "No such model."}}).to_string(),
        json!({"data": {"message": "No such model."}}).to_string(),
        "<?xml version=\"1.0\"?><Error><Message>No such model.</Message></Error>".to_owned(),
    ] {
        let message = answer(404, &body).message;
        assert!(
            message.ends_with(" It said: “No such model.”"),
            "{body}: {message}"
        );
    }
    let unknown = answer(404, r#"{"what":{"is":"this"}}"#).message;
    assert!(
        unknown.ends_with(r#" It said: “{"what":{"is":"this"}}”"#),
        "{unknown}"
    );
    for body in ["<html>Not Found</html>", "", "{}", " <!doctype html>"] {
        assert!(!answer(404, body).message.contains("said"));
    }
    assert!(answer(500, &"é".repeat(100_000)).message.chars().count() < 500);
}

#[test]
fn when_to_try_again() {
    let mut headers = HeaderMap::new();
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("30"));
    let failure = Failure::of_answer(429, &headers, b"", KEY);
    let after = Some(Duration::from_secs(30));
    assert_eq!(
        failure.kind,
        FailureKind::RateLimited { retry_after: after }
    );
    assert!(failure.message.contains("Try again in 30 seconds."));
    headers.insert(header::RETRY_AFTER, HeaderValue::from_static("3600"));
    let failure = Failure::of_answer(503, &headers, b"", KEY);
    assert!(failure.message.contains("Try again in 60 minutes."));

    let now = httpdate::parse_http_date("Mon, 23 Nov 2026 12:00:00 GMT").expect("a date");
    for (value, after) in [
        ("Mon, 23 Nov 2026 12:01:30 GMT", Some(90)),
        ("Mon, 23 Nov 2026 11:00:00 GMT", None),
        ("soon", None),
        ("-1", None),
        ("99999999999999999999999", None),
    ] {
        headers.insert(header::RETRY_AFTER, HeaderValue::from_static(value));
        let found = retry_after(&headers, now);
        assert_eq!(found, after.map(Duration::from_secs), "{value}");
    }
}

#[test]
fn a_redirect_names_its_target() {
    let mut headers = HeaderMap::new();
    let to = format!("https://example.com/v1?key={KEY}");
    headers.insert(header::LOCATION, HeaderValue::from_str(&to).unwrap());
    let failure = Failure::of_answer(301, &headers, b"", KEY);
    assert!(failure.message.contains("https://example.com/v1"));
    assert!(!failure.message.contains("MARKER"));
}

#[test]
fn the_key_is_never_in_a_message() {
    let escaped = KEY.replace('/', "%2F").replace('+', "%2B");
    for body in [
        format!("Bad key {KEY}."),
        format!("Authorization: Bearer {}", KEY.to_uppercase()),
        format!("x{KEY}{KEY}y"),
        format!("?key={escaped}&"),
        json!({"error": {"message": format!("Incorrect API key provided: {KEY}")}}).to_string(),
        "Incorrect API key provided: sk-proj-*******************cdef.".to_owned(),
        "Your api key: ****cdef is invalid".to_owned(),
        format!("{}{KEY}", "a".repeat(290)),
        format!("cut: {}", &KEY[..20]),
    ] {
        let message = answer(401, &body).message;
        assert!(message.contains("[key]"), "{message}");
        for part in ["MARKER", "marker", "0123456789", "cdef"] {
            assert!(!message.contains(part), "{message}");
        }
    }
}

#[test]
fn short_keys_do_not_eat_words() {
    assert_eq!(
        scrub("ollama runs; key 'ollama'. Ollamas", "ollama"),
        "[key] runs; key [key] Ollamas"
    );
    assert_eq!(scrub("a-b - c", "-"), "a-b [key] c");
    assert_eq!(scrub("as it was", ""), "as it was");
}

#[test]
fn errors_inside_a_reply() {
    let in_reply =
        |json: Value| Failure::in_reply(&EndpointError::parse(&json.to_string()).unwrap(), KEY);
    let failure = in_reply(json!({"message": "Overloaded", "code": "x"}));
    assert_eq!(failure.kind, FailureKind::InReply);
    assert!(failure.message.ends_with("“Overloaded”"));
    let failure = in_reply(json!({"message": "Slow down", "code": 429}));
    assert_eq!(failure.kind, FailureKind::RateLimited { retry_after: None });
    assert!(failure.message.ends_with("“Slow down”"));
}
