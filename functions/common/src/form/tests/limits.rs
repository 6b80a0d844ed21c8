//! Bodies that are no forms, too large, or cut off.

use axum::body::Body;
use bytes::Bytes;
use futures::executor::block_on;
use http_body_util::StreamBody;
use serde_json::json;

use super::{
    MULTIPART, Memory, UPLOAD, URLENCODED, VALID, answer, multipart, read, refusal, request,
};
use crate::config::Config;
use crate::error::Error;
use crate::form::receive;

#[test]
fn unreadable_bodies() {
    let parsing = json!("There was an error parsing the body");
    assert_eq!(
        refusal("multipart/form-data", "x"),
        (400, json!("Missing boundary in multipart."))
    );
    assert_eq!(refusal(MULTIPART, "garbage"), (400, parsing.clone()));
    assert_eq!(
        refusal(MULTIPART, multipart(&VALID).replace("\r\n", "\n")),
        (400, parsing.clone())
    );
    let nameless = json!("The Content-Disposition header field \"name\" must be provided.");
    assert_eq!(
        refusal(MULTIPART, multipart(&[("x=y", "")])),
        (400, nameless)
    );
    let broken = Body::new(StreamBody::new(futures::stream::iter([
        Ok(http_body::Frame::data(Bytes::from(multipart(&VALID)))),
        Err(std::io::Error::other("connection reset")),
    ])));
    assert_eq!(refusal(MULTIPART, broken), (400, parsing));
}

#[test]
fn a_truncated_body_has_fewer_fields() {
    let body = multipart(&VALID);
    let (status, detail) = refusal(MULTIPART, body[..body.len() - 8].to_owned());
    assert_eq!(
        (status, &detail[0]["loc"]),
        (422, &json!(["body", "is_chat"]))
    );
}

#[test]
fn limits() {
    let big = "x".repeat(1024 * 1024 + 1);
    for name in ["name=note", "name=unknown"] {
        let expected = (400, json!("Part exceeded maximum size of 1024KB."));
        assert_eq!(refusal(MULTIPART, multipart(&[(name, &big)])), expected);
        assert!(
            read(
                MULTIPART,
                multipart(&[(name, &big[1..]), VALID[0], VALID[1]])
            )
            .is_ok()
        );
    }
    let expected = (
        400,
        json!("Too many fields. Maximum number of fields is 1000."),
    );
    assert_eq!(
        refusal(MULTIPART, multipart(&[("name=x", ""); 1001])),
        expected
    );
    assert_eq!(refusal(URLENCODED, "x=&".repeat(1001)), expected);
    let expected = (
        400,
        json!("Too many files. Maximum number of files is 1000."),
    );
    assert_eq!(
        refusal(MULTIPART, multipart(&[("name=x; filename=f", ""); 1001])),
        expected
    );
    assert_eq!(refusal(URLENCODED, "x".repeat(2 * 1024 * 1024 + 1)).0, 413);
    assert_eq!(
        refusal(MULTIPART, multipart(&[("name=tags", &big[1..]); 5])).0,
        413
    );
}

#[test]
fn long_texts_that_are_wrong_are_shown_in_part() {
    let long = "\u{1}".repeat(100_000);
    let parts = ["is_chat", "target_id", "tags", "files"].map(|name| format!("name={name}"));
    let parts: Vec<_> = parts
        .iter()
        .map(|part| (part.as_str(), long.as_str()))
        .collect();
    let (status, detail) = refusal(MULTIPART, multipart(&parts));
    assert_eq!((status, detail.as_array().unwrap().len()), (422, 4));
    for error in detail.as_array().unwrap() {
        let shown = error["input"].as_str().unwrap();
        assert_eq!(shown, &long[..512], "{}", error["loc"]);
    }
}

#[test]
fn without_a_configuration_nothing_is_read() {
    let mut request = request(MULTIPART, multipart(&[VALID[0], VALID[1]]));
    request.extensions_mut().clear();
    let received = block_on(receive(request, UPLOAD, Memory::default()));
    assert!(matches!(received, Err(Error::Internal(_))));
}

#[test]
fn bodies_over_the_limit() {
    let config: &'static Config = Box::leak(Box::new(Config {
        max_upload_bytes: 300,
        ..Config::default()
    }));
    let too_large = (413, json!({"detail": "Request body too large."}));
    let send = |announced: Option<&str>, file: usize| {
        let file = "x".repeat(file);
        let body = multipart(&[VALID[0], VALID[1], ("name=files; filename=f", &file)]);
        let mut request = request(MULTIPART, body);
        request.extensions_mut().insert(config);
        if let Some(length) = announced {
            request
                .headers_mut()
                .insert("content-length", length.parse().unwrap());
        }
        block_on(receive(request, UPLOAD, Memory::default()))
    };
    assert!(send(None, 100).is_ok());
    assert_eq!(answer(send(None, 200).unwrap_err()), too_large);
    assert_eq!(answer(send(Some("301"), 100).unwrap_err()), too_large);
}
