//! JSON bodies (docs/http-compatibility.md#json-bodies), on the one endpoint that reads JSON as the original did.

use serde_json::{Value, json};

use crate::support::{Response, Server};

async fn post(server: &Server, body: impl Into<hyper::body::Bytes>) -> Response {
    server.post("/auth/login").json(body).send().await
}

#[tokio::test]
async fn a_missing_field_is_answered_with_the_received_body() {
    let server = Server::start().await;
    post(&server, "{}").await.is(
        422,
        r#"{"detail":[{"type":"missing","loc":["body","email"],"msg":"Field required","input":{}}]}"#,
    );
    post(&server, r#"{ "mail": "ü", "n": [1, 2.5, null, true] }"#).await.is(
        422,
        r#"{"detail":[{"type":"missing","loc":["body","email"],"msg":"Field required","input":{"mail":"ü","n":[1,2.5,null,true]}}]}"#,
    );
}

#[tokio::test]
async fn no_body_and_null_are_a_missing_body() {
    let server = Server::start().await;
    let expected =
        r#"{"detail":[{"type":"missing","loc":["body"],"msg":"Field required","input":null}]}"#;
    server.post("/auth/login").send().await.is(422, expected);
    post(&server, "").await.is(422, expected);
    post(&server, "null").await.is(422, expected);
}

#[tokio::test]
async fn an_email_that_is_no_string_is_in_the_error() {
    let server = Server::start().await;
    for input in [
        "5",
        "1.5",
        "null",
        "true",
        "[]",
        r#"["a@b.com"]"#,
        r#"{"a":{"b":[1]}}"#,
    ] {
        post(&server, format!(r#"{{"email": {input}}}"#)).await.is(
            422,
            &format!(
                r#"{{"detail":[{{"type":"string_type","loc":["body","email"],"msg":"Input should be a valid string","input":{input}}}]}}"#
            ),
        );
    }
}

#[tokio::test]
async fn a_body_that_is_no_object_is_in_the_error() {
    let server = Server::start().await;
    for input in ["[]", "5", "true", "\"a@example.com\"", "[1,\"é\"]"] {
        post(&server, input).await.is(
            422,
            &format!(
                r#"{{"detail":[{{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":{input}}}]}}"#
            ),
        );
    }
}

#[tokio::test]
async fn other_content_types_are_not_read_as_json() {
    let server = Server::start().await;
    let body = r#"{"email":"a@example.com"}"#;
    for content_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/jsonp",
        "text/json",
    ] {
        server.post("/auth/login").body(content_type, body).send().await.is(
            422,
            r#"{"detail":[{"type":"model_attributes_type","loc":["body"],"msg":"Input should be a valid dictionary or object to extract fields from","input":"{\"email\":\"a@example.com\"}"}]}"#,
        );
    }
    for content_type in [
        "application/json",
        "Application/JSON",
        "application/json; charset=latin1",
        "application/vnd.api+json",
    ] {
        server
            .post("/auth/login")
            .body(content_type, body)
            .send()
            .await
            .has_status(200);
    }
    server
        .post("/auth/login")
        .untyped_body(body)
        .send()
        .await
        .has_status(200);
}

#[tokio::test]
async fn a_body_that_is_no_json_is_refused_in_the_same_shape() {
    let server = Server::start().await;
    for body in [
        "{",
        "}",
        "{\"email\"",
        "{\"email\":",
        "{\"email\":\"a",
        "{\"email\":\"a\"",
        "{\"email\":\"a\",}",
        "{} {}",
        "  ",
        "nul",
        "'a'",
        "{'email':1}",
        "{\"email\":\"\\x\"}",
        "{\"email\":\"\\u12\"}",
        "{\"email\":\"\n\"}",
        "[1 2]",
        "01",
        "+1",
        "{\"email\":1 \"x\":2}",
    ] {
        let response = post(&server, body).await;
        response.has_status(422);
        let error = &response.json()["detail"][0];
        assert_eq!(error["type"], "json_invalid", "{body}");
        assert_eq!(error["loc"][0], "body", "{body}");
        assert!(error["loc"][1].is_u64(), "{body}");
        assert_eq!(error["msg"], "JSON decode error", "{body}");
        assert_eq!(error["input"], json!({}), "{body}");
        assert!(error["ctx"]["error"].is_string(), "{body}");
    }
    post(&server, r#"{"email": }"#).await.is(
        422,
        r#"{"detail":[{"type":"json_invalid","loc":["body",10],"msg":"JSON decode error","input":{},"ctx":{"error":"Expecting value"}}]}"#,
    );
}

#[tokio::test]
async fn bytes_that_are_no_text_and_endless_nesting_are_refused() {
    let server = Server::start().await;
    let detail = "There was an error parsing the body";
    post(&server, &b"{\"email\":\"\xff\xfe\xff\"}"[..])
        .await
        .is_error(400, detail);
    post(&server, "[".repeat(100_000))
        .await
        .is_error(400, detail);
    post(&server, "{\"a\":".repeat(100_000))
        .await
        .is_error(400, detail);
    server.login("still@example.com").await.has_status(200);
}

#[tokio::test]
async fn bodies_that_broke_the_original_are_refused() {
    let server = Server::start().await;
    for body in [
        r#"{"email": NaN}"#,
        r#"{"email": Infinity}"#,
        r#"{"email": -Infinity}"#,
        r#"{"email": 1e999}"#,
        r#"{"email": "a\u0000@example.com"}"#,
        r#"{"email": 123456789012345678901234567890123456789012345678901234567890}"#,
    ] {
        let response = post(&server, body).await;
        assert!(
            matches!(response.status, 400 | 422),
            "{body}: {} {}",
            response.status,
            response.text()
        );
        assert!(
            matches!(
                &response.json()["detail"],
                Value::Array(_) | Value::String(_)
            ),
            "{body}"
        );
    }
}

#[tokio::test]
async fn half_an_emoji_is_a_replacement_character() {
    let server = Server::start().await;
    let response = post(
        &server,
        r#"{"\ud83d": "\ude00", "email": "half@example.com", "x": {"\ud83d": ["\ud83d"]}}"#,
    )
    .await;
    response.has_status(200);
    assert_eq!(response.string("/email"), "half@example.com");
    let response = post(&server, r#"{"email": ["\ud83d", "\ud83d\ude00"]}"#).await;
    response.has_status(422);
    assert_eq!(
        response.json()["detail"][0]["input"],
        json!(["\u{fffd}", "😀"])
    );
    let response = post(&server, r#"{"email": "\ud83d"} x"#).await;
    // Counted in what was sent.
    assert_eq!(response.json()["detail"][0]["loc"], json!(["body", 20]));
}

#[tokio::test]
async fn other_members_are_ignored_and_the_last_of_equal_ones_counts() {
    let server = Server::start().await;
    let response = post(
        &server,
        r#"{"email":"first@example.com","x":{"y":[]},"email":"last@example.com"}"#,
    )
    .await;
    assert_eq!(response.string("/email"), "last@example.com");
}

#[tokio::test]
async fn a_byte_order_mark_and_utf16_are_read() {
    let server = Server::start().await;
    let body = r#"{"email":"bom@example.com"}"#;
    post(&server, format!("\u{feff}{body}"))
        .await
        .has_status(200);
    let utf16: Vec<u8> = body.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let response = post(&server, utf16).await;
    assert_eq!(response.string("/email"), "bom@example.com");
}
