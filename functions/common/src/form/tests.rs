mod limits;

use std::sync::{Arc, Mutex};

use axum::body::Body;
use axum::extract::Request;
use axum::http::Response;
use axum::response::IntoResponse;
use bytes::Bytes;
use futures::executor::block_on;
use http_body_util::BodyExt;
use serde_json::{Value, json};

use super::{FileSink, NoFiles, receive};
use crate::api::chat::NewChat;
use crate::api::form::{Field, FieldKind, FieldValue, FormSpec};
use crate::api::id::FileId;
use crate::config::Config;
use crate::error::{Error, Result};

/// Name, content type and content of a file.
type File = (String, Option<String>, Vec<u8>);

/// Remembers everything it is given.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<File>>>);

impl FileSink for Memory {
    /// The name of the file.
    type Stored = String;

    async fn begin(&mut self, filename: &str, content_type: Option<&str>) -> Result<()> {
        let file = (
            filename.to_owned(),
            content_type.map(str::to_owned),
            Vec::new(),
        );
        self.0.lock().unwrap().push(file);
        Ok(())
    }

    async fn chunk(&mut self, bytes: Bytes) -> Result<()> {
        let mut files = self.0.lock().unwrap();
        let content = &mut files.last_mut().unwrap().2;
        if bytes == "full" {
            return Err(Error::unavailable("The disk is full."));
        }
        content.extend_from_slice(&bytes);
        Ok(())
    }

    async fn end(&mut self) -> Result<String> {
        Ok(self.0.lock().unwrap().last().unwrap().0.clone())
    }
}

const MULTIPART: &str = "multipart/form-data; boundary=b";
const URLENCODED: &str = "application/x-www-form-urlencoded";

const UPLOAD: &FormSpec = &[
    Field::new("target_id", FieldKind::Text { required: true }).max_chars(8),
    Field::new("is_chat", FieldKind::Boolean { required: true }),
    Field::new("tags", FieldKind::Texts).max_chars(8),
    Field::new("files", FieldKind::Files { required: false }),
    Field::new("note", FieldKind::Text { required: false }),
];

fn request(content_type: &str, body: impl Into<Body>) -> Request {
    let config: &'static Config = Box::leak(Box::default());
    Request::builder()
        .header("content-type", content_type)
        .extension(config)
        .body(body.into())
        .unwrap()
}

fn read(content_type: &str, body: impl Into<Body>) -> Result<Vec<FieldValue<String>>> {
    let request = request(content_type, body);
    block_on(receive(request, UPLOAD, Memory::default()))
}

fn answer(error: Error) -> (u16, Value) {
    let response: Response<Body> = error.into_response();
    let status = response.status().as_u16();
    let body = block_on(response.into_body().collect()).unwrap().to_bytes();
    (status, serde_json::from_slice(&body).unwrap())
}

/// Status and `detail`.
fn refusal(content_type: &str, body: impl Into<Body>) -> (u16, Value) {
    let (status, mut body) = answer(read(content_type, body).unwrap_err());
    (status, body["detail"].take())
}

fn part(disposition: &str, content: &str) -> String {
    format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\n{content}\r\n")
}

fn multipart(parts: &[(&str, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(disposition, content)| part(disposition, content))
        .collect();
    format!("{parts}--b--\r\n")
}

const VALID: [(&str, &str); 2] = [("name=target_id", "t"), ("name=is_chat", "no")];

#[test]
fn both_types_give_the_same() {
    let parts = [
        ("name=target_id", "first"),
        ("name=target_id", "ä b"),
        ("name=is_chat", "TRUE"),
        ("name=tags", "x"),
        ("name=unknown", "?"),
        ("name=tags", ""),
    ];
    let urlencoded = "target_id=first&target_id=%C3%A4+b&is_chat=TRUE&tags=x&unknown=%3F&tags=";
    let expected =
        r#"[Text(Some("ä b")), Boolean(Some(true)), Texts(["x", ""]), Files([]), Text(None)]"#;
    for form in [
        read(MULTIPART, multipart(&parts)).unwrap(),
        read(URLENCODED, urlencoded).unwrap(),
    ] {
        assert_eq!(format!("{form:?}"), expected);
    }
}

#[test]
fn nothing_declared_was_sent() {
    let missing = |name: &str| json!({"type": "missing", "loc": ["body", name], "msg": "Field required", "input": null});
    let expected = (422, json!([missing("target_id"), missing("is_chat")]));
    for content_type in [
        MULTIPART,
        URLENCODED,
        "application/json",
        "text/plain",
        "Multipart/Form-Data; boundary=b",
    ] {
        assert_eq!(refusal(content_type, ""), expected, "{content_type}");
    }
    assert_eq!(refusal("text/plain", "target_id=a&is_chat=1"), expected);
}

#[test]
fn booleans() {
    let read = |value: &str| read(URLENCODED, format!("target_id=&is_chat={value}"));
    for value in ["1", "true", "True", "t", "yes", "Y", "on", "ON"] {
        assert!(
            matches!(read(value).unwrap()[1], FieldValue::Boolean(Some(true))),
            "{value}"
        );
    }
    for value in ["0", "false", "F", "no", "n", "off"] {
        assert!(
            matches!(read(value).unwrap()[1], FieldValue::Boolean(Some(false))),
            "{value}"
        );
    }
    for value in ["", "maybe", " true", "2", "10"] {
        let expected = json!([{
            "type": "bool_parsing", "loc": ["body", "is_chat"],
            "msg": "Input should be a valid boolean, unable to interpret input", "input": value
        }]);
        assert_eq!(
            answer(read(value).unwrap_err()),
            (422, json!({ "detail": expected }))
        );
    }
}

#[test]
fn errors_come_in_declaration_order() {
    let parts = [
        ("name=files", "abc"),
        ("name=tags; filename=t", "file"),
        ("name=is_chat; filename=c", "x"),
        ("name=target_id; filename=n", "123456"),
        ("name=tags", "123456789"),
        ("name=note", ""),
    ];
    let (status, detail) = refusal(MULTIPART, multipart(&parts));
    let file = |name: &str, size: u64| json!({"filename": name, "size": size, "headers": {}});
    let string_type = "Input should be a valid string";
    let expected = json!([
        {"type": "string_type", "loc": ["body", "target_id"], "msg": string_type, "input": file("n", 6)},
        {"type": "bool_type", "loc": ["body", "is_chat"], "msg": "Input should be a valid boolean",
         "input": file("c", 1)},
        {"type": "string_type", "loc": ["body", "tags", 0], "msg": string_type, "input": file("t", 4)},
        {"type": "string_too_long", "loc": ["body", "tags", 1], "msg": "String should have at most 8 characters",
         "input": "123456789", "ctx": {"max_length": 8}},
        {"type": "value_error", "loc": ["body", "files", 0],
         "msg": "Value error, Expected UploadFile, received: <class 'str'>", "input": "abc", "ctx": {"error": {}}},
    ]);
    assert_eq!((status, detail), (422, expected));
}

#[test]
fn lengths_count_characters() {
    assert!(
        read(
            URLENCODED,
            "is_chat=1&target_id=%C3%A4ääääää".replace('ä', "%C3%A4")
        )
        .is_ok()
    );
    assert_eq!(
        refusal(URLENCODED, "is_chat=1&target_id=123456789").1[0]["type"],
        "string_too_long"
    );
}

#[test]
fn files_go_to_the_sink_in_order() {
    let memory = Memory::default();
    let body = format!(
        "{}--b\r\nContent-Disposition: form-data; name=files; filename=\"C:\\x\\b.txt\"\r\nContent-Type: text/x\r\n\r\n\
         second\r\n{}",
        part("name=files; filename=\"\"", ""),
        multipart(&[("name=other; filename=o", "ignored"), VALID[0], VALID[1]])
    );
    let request = request(MULTIPART, body);
    let form = block_on(receive(request, UPLOAD, memory.clone())).unwrap();
    assert!(matches!(&form[3], FieldValue::Files(files) if *files == ["", "b.txt"]));
    let expected = [
        (String::new(), None, Vec::new()),
        (
            "b.txt".to_owned(),
            Some("text/x".to_owned()),
            b"second".to_vec(),
        ),
    ];
    assert_eq!(*memory.0.lock().unwrap(), expected);
}

#[test]
fn a_doomed_form_stores_no_more_files() {
    let memory = Memory::default();
    let long = format!("name=files; filename={}", "x".repeat(1025));
    let parts = [
        ("name=files; filename=1", "a"),
        (long.as_str(), "b"),
        ("name=files; filename=3", "c"),
        VALID[0],
        VALID[1],
    ];
    let request = request(MULTIPART, multipart(&parts));
    let error = block_on(receive(request, UPLOAD, memory.clone())).unwrap_err();
    let (status, body) = answer(error);
    assert_eq!((status, body["detail"].as_array().unwrap().len()), (422, 1));
    assert_eq!(body["detail"][0]["loc"], json!(["body", "files", 1]));
    assert_eq!(memory.0.lock().unwrap().len(), 1);
}

#[test]
fn a_sink_that_fails_decides_the_answer() {
    let (status, detail) = refusal(MULTIPART, multipart(&[("name=files; filename=f", "full")]));
    assert_eq!((status, detail), (503, json!("The disk is full.")));
}

#[test]
fn forms_without_files() {
    const SPEC: &FormSpec = &[Field::new("a", FieldKind::Text { required: true })];
    let body = multipart(&[("name=a", "1"), ("name=b; filename=x", "ignored")]);
    let form = block_on(receive(request(MULTIPART, body), SPEC, NoFiles)).unwrap();
    assert!(matches!(&form[..], [FieldValue::Text(Some(text))] if text == "1"));
}

#[test]
fn forms_are_structs() {
    let body = "user_id=u&workspace_id=w&chat_name=%C3%A4&selected_file_ids=a&selected_file_ids=b";
    let form: NewChat = block_on(super::read(request(URLENCODED, body), NoFiles)).unwrap();
    assert_eq!((form.user_id.as_str(), form.chat_name.as_str()), ("u", "ä"));
    assert_eq!(form.selected_file_ids, ["a", "b"].map(FileId::from));
    let missing = block_on(super::read::<NewChat, _>(
        request(URLENCODED, "user_id=u"),
        NoFiles,
    ));
    assert_eq!(
        answer(missing.unwrap_err()).1["detail"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
}
