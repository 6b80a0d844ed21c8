use axum::extract::Request;
use axum::http::{HeaderMap, HeaderValue, header};
use futures::executor::block_on;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{JsonBody, MAX_BYTES, is_json};
use crate::config::Config;
use crate::email::Email;
use crate::error::Error;

const NAMES: &[&str] = &["email"];

fn email(body: &JsonBody) -> Result<String, Error> {
    #[derive(Deserialize)]
    struct Body {
        email: String,
    }
    body.get().map(|Body { email }| email)
}

/// The `detail` entry that a JSON body gets.
fn error_of(body: &[u8]) -> Value {
    first_error(JsonBody::parse(body, true, NAMES).map(|body| email(&body)))
}

fn first_error(outcome: Result<Result<String, Error>, Error>) -> Value {
    match outcome {
        Err(Error::Invalid(mut errors)) | Ok(Err(Error::Invalid(mut errors))) => {
            serde_json::to_value(errors.remove(0)).unwrap()
        }
        other => panic!("not a 422: {other:?}"),
    }
}

#[test]
fn missing_and_wrong_types() {
    let missing =
        json!({"type": "missing", "loc": ["body"], "msg": "Field required", "input": null});
    assert_eq!(error_of(b""), missing);
    assert_eq!(error_of(b"null"), missing);
    assert_eq!(
        error_of(b"{\"a\":[1]}"),
        json!({"type": "missing", "loc": ["body", "email"], "msg": "Field required", "input": {"a": [1]}})
    );
    for input in [
        json!(5),
        json!(null),
        json!(true),
        json!([1]),
        json!({"a": 1}),
    ] {
        let body = json!({ "email": input }).to_string();
        let expected = json!({
            "type": "string_type", "loc": ["body", "email"], "msg": "Input should be a valid string", "input": input
        });
        assert_eq!(error_of(body.as_bytes()), expected);
    }
    let msg = "Input should be a valid dictionary or object to extract fields from";
    for input in [json!([]), json!("x"), json!(1), json!(true)] {
        let expected =
            json!({"type": "model_attributes_type", "loc": ["body"], "msg": msg, "input": input});
        assert_eq!(error_of(input.to_string().as_bytes()), expected);
    }
    let not_json =
        first_error(JsonBody::parse(b"{\"email\":\"a\"}", false, NAMES).map(|body| email(&body)));
    let expected = json!({"type": "model_attributes_type", "loc": ["body"], "msg": msg, "input": "{\"email\":\"a\"}"});
    assert_eq!(not_json, expected);
}

#[test]
fn python_positions_and_messages() {
    let name = "Expecting property name enclosed in double quotes";
    let table: &[(&str, usize, &str)] = &[
        ("   ", 3, "Expecting value"),
        ("{\"email\": }", 10, "Expecting value"),
        ("{\"email\":", 9, "Expecting value"),
        ("nope", 0, "Expecting value"),
        ("[1,]", 3, "Expecting value"),
        ("[1,", 3, "Expecting value"),
        ("[", 1, "Expecting value"),
        ("-", 0, "Expecting value"),
        ("{", 1, name),
        ("{a: 1}", 1, name),
        ("{\"a\":1,}", 7, name),
        ("{'a': 1}", 1, name),
        ("{} x", 3, "Extra data"),
        ("01", 1, "Extra data"),
        ("1.", 1, "Extra data"),
        ("{\"a\":1 \"b\":2}", 7, "Expecting ',' delimiter"),
        ("{\"a\":1", 6, "Expecting ',' delimiter"),
        ("[1 2]", 3, "Expecting ',' delimiter"),
        ("[1}", 2, "Expecting ',' delimiter"),
        ("{\"a\" 1}", 5, "Expecting ':' delimiter"),
        ("{\"email\":\"abc", 9, "Unterminated string starting at"),
        ("\"a\\", 0, "Unterminated string starting at"),
        ("{\"a\":\"x\ny\"}", 7, "Invalid control character at"),
        ("{\"a\":\"\\x\"}", 6, "Invalid \\escape"),
        ("{\"a\":\"\\u12g4\"}", 7, "Invalid \\uXXXX escape"),
        ("\"\\u12", 2, "Invalid \\uXXXX escape"),
        ("{\"ä€😀\": }", 8, "Expecting value"),
    ];
    for (body, position, message) in table {
        let expected = json!({
            "type": "json_invalid", "loc": ["body", position], "msg": "JSON decode error", "input": {},
            "ctx": {"error": message}
        });
        assert_eq!(error_of(body.as_bytes()), expected, "{body}");
    }
}

#[test]
fn what_python_took_and_json_has_not_is_a_clear_422() {
    for body in [
        "{\"email\": NaN}",
        "{\"email\": Infinity}",
        "{\"email\": -Infinity}",
        "{\"email\": 1e999}",
    ] {
        assert_eq!(error_of(body.as_bytes())["type"], "json_invalid", "{body}");
    }
}

#[test]
fn half_an_emoji_is_a_replacement_character() {
    for (value, expected) in [
        ("\\ud83d\\ude00", "😀"),
        ("\\ud800", "\u{fffd}"),
        ("\\udc00a", "\u{fffd}a"),
        ("\\ud800\\u0041", "\u{fffd}A"),
    ] {
        let body = format!("{{\"\\ud800\": 1, \"email\": \"{value}\"}}");
        let body = JsonBody::parse(body.as_bytes(), true, NAMES).unwrap();
        assert_eq!(email(&body).unwrap(), expected);
    }
    let shown = error_of(b"{\"name\": \"\\ud83d\", \"email\": 1}");
    assert_eq!(shown["input"], 1);
    let shown = error_of(b"{\"\\ud83d\": \"\\ud83d\"}");
    assert_eq!(shown["input"], json!({ "\u{fffd}": "\u{fffd}" }));
    assert_eq!(error_of(b"\"\\ud83d\"")["input"], "\u{fffd}");
    let utf16: Vec<u8> = "{\"email\":\"?\"}"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let at = utf16.iter().position(|byte| *byte == b'?').unwrap();
    let half = [&utf16[..at], &[0x3d, 0xd8], &utf16[at + 2..]].concat();
    let half = JsonBody::parse(&half, true, NAMES).unwrap();
    assert_eq!(email(&half).unwrap(), "\u{fffd}");
}

#[test]
fn unreadable_bodies() {
    let deep_object = "{\"a\":".repeat(100_000);
    let just_too_deep = "[".repeat(128) + &"]".repeat(128);
    for body in [
        just_too_deep.as_bytes(),
        "[".repeat(100_000).as_bytes(),
        deep_object.as_bytes(),
        b"{\"a\":\"\xff\"}",
        b"\xff\xfe\x00",
    ] {
        assert!(matches!(
            JsonBody::parse(body, true, NAMES),
            Err(Error::BadRequest(_))
        ));
    }
}

#[test]
fn a_body_has_a_limit() {
    let read = |bytes: u64| {
        let spaces = vec![b' '; bytes as usize];
        let mut request = Request::new(spaces.into());
        let config: &'static Config = Box::leak(Box::default());
        request.extensions_mut().insert(config);
        block_on(JsonBody::read(request, NAMES))
    };
    assert!(matches!(read(MAX_BYTES), Err(Error::Invalid(_))));
    assert!(matches!(read(MAX_BYTES + 1), Err(Error::TooLarge)));
}

#[test]
fn encodings_and_duplicates() {
    let text = "{\"email\":\"ä\",\"email\":\"ö😀\"}";
    let utf16: Vec<u16> = text.encode_utf16().collect();
    let mut bodies = vec![
        text.as_bytes().to_vec(),
        [b"\xef\xbb\xbf", text.as_bytes()].concat(),
    ];
    for mark in ["", "\u{feff}"] {
        let units: Vec<u16> = mark.encode_utf16().chain(utf16.iter().copied()).collect();
        let chars = || mark.chars().chain(text.chars());
        bodies.push(units.iter().flat_map(|unit| unit.to_be_bytes()).collect());
        bodies.push(units.iter().flat_map(|unit| unit.to_le_bytes()).collect());
        bodies.push(chars().flat_map(|c| u32::from(c).to_be_bytes()).collect());
        bodies.push(chars().flat_map(|c| u32::from(c).to_le_bytes()).collect());
    }
    for body in bodies {
        let body = JsonBody::parse(&body, true, NAMES).unwrap();
        assert_eq!(email(&body).unwrap(), "ö😀");
    }
}

#[test]
fn content_types() {
    let with = |value: &'static [u8]| {
        is_json(&HeaderMap::from_iter([(
            header::CONTENT_TYPE,
            HeaderValue::from_bytes(value).unwrap(),
        )]))
    };
    assert!(is_json(&HeaderMap::new()));
    assert!(
        with(b"application/json")
            && with(b"Application/JSON; charset=x")
            && with(b"application/vnd.a+json")
    );
    assert!(
        !with(b"text/json")
            && !with(b"text/plain")
            && !with(b"application/jsonx")
            && !with(b"\xff")
    );
}

#[test]
fn a_bad_email_tells_its_reason() {
    let body = JsonBody::parse(b"{\"email\":\"foo\"}", true, NAMES).unwrap();
    #[derive(Debug, Deserialize)]
    #[expect(dead_code, reason = "it can't be read")]
    struct Address {
        email: Email,
    }
    let Err(Error::Invalid(errors)) = body.get::<Address>() else {
        panic!("accepted")
    };
    let reason = "An email address must have an @-sign.";
    assert_eq!(
        serde_json::to_value(&errors[0]).unwrap(),
        json!({
            "type": "value_error", "loc": ["body", "email"],
            "msg": format!("value is not a valid email address: {reason}"), "input": "foo", "ctx": {"reason": reason}
        })
    );
}

#[test]
fn of_a_long_body_only_known_fields_are_shown() {
    let body = format!("{{\"x\": [{}0], \"email\": [1]}}", "0,".repeat(20_000));
    assert_eq!(error_of(body.as_bytes())["input"], json!([]));
    let body = format!("{{\"x\": [{}0]}}", "0,".repeat(20_000));
    assert_eq!(error_of(body.as_bytes())["input"], json!({}));
}
