use proptest::prelude::*;

use super::{Error, Event, Fields, Shape, Splitter, Take};

const FILE: Fields = &[("id", Take::Whole), ("versions", Take::Each)];
const CHAT: Shape = Shape::Object(&[
    ("id", Take::Whole),
    ("settings", Take::Whole),
    ("messages", Take::Each),
    ("files", Take::Objects(FILE)),
]);

/// What a document brings that comes in pieces of this length.
fn split(shape: Shape, json: &str, length: usize) -> Result<Vec<String>, Error> {
    let mut splitter = Splitter::new(shape);
    let mut events = Vec::new();
    for piece in json.as_bytes().chunks(length) {
        splitter.push(piece, &mut events)?;
    }
    splitter.finish()?;
    let text = |event| match event {
        Event::Value(name, json) => format!("{name} {}", String::from_utf8_lossy(&json)),
        Event::Begin(name) => format!("+{name}"),
        Event::End => "-".to_owned(),
    };
    Ok(events.into_iter().map(text).collect())
}

#[test]
fn values_come_one_by_one() {
    let json = r#" { "id" : "a\"]}", "other": {"messages": [1, "x}"]}, "settings": {"a": [null]}, "number": 12,
        "messages": [{"n": 1}, 2 ,"three"], "files": [{"id": 1, "versions": []}, { }, {"versions":["}",{}],"id":true}]
    } "#;
    let expected = [
        r#"id "a\"]}""#,
        r#"settings {"a": [null]}"#,
        r#"messages {"n": 1}"#,
        "messages 2",
        r#"messages "three""#,
        "+files",
        "id 1",
        "-",
        "+files",
        "-",
        "+files",
        r#"versions "}""#,
        "versions {}",
        "id true",
        "-",
    ];
    for length in [1, 2, 7, 1000] {
        assert_eq!(split(CHAT, json, length).unwrap(), expected, "{length}");
    }
    assert_eq!(
        split(Shape::Array, "[1,{\"a\":2}]", 3).unwrap(),
        [" 1", " {\"a\":2}"]
    );
    assert!(split(Shape::Array, "[]", 3).unwrap().is_empty());
}

#[test]
fn what_is_wrong_is_an_error() {
    for (json, error) in [
        ("", Error::Incomplete),
        ("{", Error::Incomplete),
        (r#"{"id": "a"#, Error::Incomplete),
        (r#"{"messages": [{}"#, Error::Incomplete),
        ("[]", Error::Shape("the document")),
        ("null", Error::Shape("the document")),
        (r#"{"messages": {}}"#, Error::Shape("messages")),
        (r#"{"messages": null}"#, Error::Shape("messages")),
        (r#"{"files": [[]]}"#, Error::Shape("files")),
        (r#"{"files": [1]}"#, Error::Shape("files")),
        (r#"{"id" "a"}"#, Error::Malformed(6)),
        (r#"{"id": }"#, Error::Malformed(7)),
        (r#"{,}"#, Error::Malformed(1)),
        (r#"{} x"#, Error::Malformed(3)),
        (r#"{"messages": [1]]"#, Error::Malformed(16)),
        (r#"{"messages": [1}"#, Error::Malformed(15)),
    ] {
        assert_eq!(split(CHAT, json, 5), Err(error), "{json}");
    }
    let deep = format!(r#"{{"other": {}"#, "[".repeat(100));
    assert_eq!(split(CHAT, &deep, 64), Err(Error::TooDeep));
    let long = format!(r#"{{"id": "{}""#, "a".repeat(super::MAX_VALUE));
    assert_eq!(split(CHAT, &long, 4096), Err(Error::TooLong));
    let long = format!(r#"{{"other": "{}"}}"#, "a".repeat(super::MAX_VALUE));
    assert!(split(CHAT, &long, 4096).unwrap().is_empty());
}

proptest! {
    #[test]
    fn no_input_is_too_odd(json in r#"[\[\]{}:,"a1 \\]{0,40}"#, length in 1_usize..5) {
        let _ = split(CHAT, &json, length);
        let _ = split(Shape::Array, &json, length);
    }
}
