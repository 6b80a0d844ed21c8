//! Answers of real models (`cases/upstream`), read as a chat reads them.

use std::fs;
use std::path::Path;

use http::{HeaderMap, HeaderName, HeaderValue};
use kafka_llm::{Adaptation, Answer, Event, Failure, Learnt, Objection, Role, Turn};

fn case(name: &str) -> Vec<u8> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/upstream");
    fs::read(folder.join(name)).expect("the case")
}

/// What an answer becomes.
#[derive(Debug, Default, PartialEq)]
struct Reply {
    reasoning: String,
    text: String,
    finish: Option<String>,
    error: Option<String>,
}

fn read(headers: &HeaderMap, body: &[u8], size: usize) -> Reply {
    let mut answer = Answer::new(headers, "key-0123456789").expect("a coding that is read");
    let mut events: Vec<Event> = body
        .chunks(size)
        .flat_map(|piece| answer.feed(piece))
        .collect();
    events.extend(answer.end());
    let mut reply = Reply::default();
    for event in events {
        match event {
            Event::Reasoning(piece) => reply.reasoning += &piece,
            Event::Delta(piece) => reply.text += &piece,
            Event::Finish(reason) => reply.finish = Some(reason),
            Event::Error(failure) => reply.error = Some(failure.message),
            Event::Usage(_) | Event::Done => {}
        }
    }
    reply
}

/// Of a body or of an answer with its head.
fn reply(name: &str) -> Reply {
    let bytes = case(name);
    let (headers, body) = match name.ends_with(".http") {
        true => {
            let end = bytes
                .windows(4)
                .position(|end| end == b"\r\n\r\n")
                .expect("a head");
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let lines = head
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(": "));
            let headers = lines.map(|(name, value)| {
                let name: HeaderName = name.parse().expect("a name");
                (name, HeaderValue::from_str(value).expect("a value"))
            });
            (headers.collect(), bytes[end + 4..].to_vec())
        }
        false => (HeaderMap::new(), bytes),
    };
    let whole = read(&headers, &body, usize::MAX);
    for size in [1, 2, 3, 10, 100] {
        assert_eq!(read(&headers, &body, size), whole, "{name} by {size}");
    }
    whole
}

fn expect(name: &str, reasoning: &str, text: &str, finish: &str, error: Option<&str>) {
    let expected = Reply {
        reasoning: reasoning.to_owned(),
        text: text.to_owned(),
        finish: Some(finish.to_owned()),
        error: error.map(str::to_owned),
    };
    assert_eq!(reply(name), expected, "{name}");
}

#[test]
fn no_failure_is_a_success() {
    let thought = "The model thought and did not answer.";
    expect(
        "reasoning-only.sse",
        "The answer is 8.",
        "",
        "stop",
        Some(thought),
    );
    let filter = "The provider's filter withheld the answer.";
    expect("content-filter.sse", "", "", "content_filter", Some(filter));
    let tool = "The model wanted to call a tool (web_search), which is not possible here, and did not answer.";
    expect("tool-calls-only.sse", "", "", "tool_calls", Some(tool));
    let half = "The model's endpoint ended its reply with an error.";
    expect(
        "finish-error-only.sse",
        "",
        "Half an ans",
        "error",
        Some(half),
    );
    let choice = reply("choice-level-error.sse");
    let message = choice.error.expect("an error");
    assert!(
        message.ends_with("It said: “worker limit reached”"),
        "{message}"
    );
}

#[test]
fn what_the_bytes_are_counts() {
    let reply = reply("gzip.http");
    assert_eq!(reply.error, None, "{reply:?}");
    assert!(!reply.text.is_empty());
    expect("text-html-content-type.http", "", "hello", "stop", None);
}

#[test]
fn a_model_without_a_system_role_is_asked_again() {
    let failure = Failure::of_answer(400, &HeaderMap::new(), &case("system-role-400.json"), "");
    assert_eq!(failure.objection, Some(Objection::SystemRole));
    assert!(failure.message.ends_with("“System role not supported”"));
    let messages = [
        Turn::new(Role::System, "Be brief."),
        Turn::new(Role::User, "Hi"),
    ];
    let mut adaptation = Adaptation::new(Learnt::default());
    assert!(adaptation.refused(&failure, &messages));
    let again = adaptation.way().adapt(&messages).into_owned();
    assert_eq!(again, [Turn::new(Role::User, "Be brief.\n\nHi")]);
    assert!(
        adaptation
            .lesson()
            .is_some_and(|lesson| lesson.no_system_role)
    );
}
