mod bounds;

use serde_json::{Value, json};

use super::{Event, Stream};
use crate::FailureKind;

const KEY: &str = "sk-MARKER-0123456789";

/// The events of a whole body, cut into pieces of `size` bytes.
fn cut(body: &[u8], size: usize) -> Vec<Event> {
    let mut stream = Stream::new(KEY);
    let mut events: Vec<Event> = body
        .chunks(size)
        .flat_map(|piece| stream.feed(piece))
        .collect();
    events.extend(stream.end());
    assert_eq!(stream.feed(b"data: {}\n\n"), [], "after the end");
    assert_eq!(stream.end(), [], "after the end");
    events
}

/// The events of a whole body, which must not depend on how it is cut.
fn events(body: impl AsRef<[u8]>) -> Vec<Event> {
    let body = body.as_ref();
    let whole = cut(body, usize::MAX);
    for size in [1, 2, 3, 5, 7, 16, 64] {
        assert_eq!(cut(body, size), whole, "in pieces of {size}");
    }
    for at in 1..body.len().min(400) {
        let mut stream = Stream::new(KEY);
        let mut events = stream.feed(&body[..at]);
        events.extend(stream.feed(b""));
        events.extend(stream.feed(&body[at..]));
        events.extend(stream.end());
        assert_eq!(events, whole, "cut at {at}");
    }
    whole
}

fn piece(text: &str) -> String {
    let chunk =
        json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]});
    format!("data: {chunk}\n\n")
}

fn delta(text: &str) -> Event {
    Event::Delta(text.to_owned())
}

fn stop() -> Event {
    Event::Finish("stop".to_owned())
}

fn error_of(events: &[Event]) -> (FailureKind, &str) {
    match events.last() {
        Some(Event::Error(failure)) => (failure.kind, &failure.message),
        other => panic!("no error but {other:?}"),
    }
}

const STOP: &str = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";

#[test]
fn an_ordinary_stream() {
    let body = [
        "data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}],\"usage\":null}\n\n",
        &piece("Grüße, "),
        &piece("世界 🌍"),
        &piece("\r\n"),
        STOP,
        "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens_details\":{\"reasoning_tokens\":0},\"service\":\"x\"}}\n\n",
        "data: [DONE]\n\n",
    ]
    .concat();
    let usage = json!({"prompt_tokens": 3, "completion_tokens_details": {"reasoning_tokens": 0}});
    assert_eq!(
        events(&body),
        [
            delta("Grüße, "),
            delta("世界 🌍"),
            delta("\r\n"),
            stop(),
            Event::Usage(usage),
            Event::Done
        ]
    );
    // The standard's other line ends, a byte order mark, comments, other fields, and none of the optional spaces.
    let expected = events(&body);
    assert_eq!(events(body.replace('\n', "\r\n")), expected);
    assert_eq!(events(body.replace('\n', "\r")), expected);
    assert_eq!(events(format!("\u{feff}{body}")), expected);
    assert_eq!(events(format!("\r\n\n{body}")), expected);
    assert_eq!(events(body.replace("data: ", "data:")), expected);
    let noisy = body.replace(
        "data: ",
        ": ping\nid: 7\nretry: 1\nevent: message\nfoo\ndata: ",
    );
    assert_eq!(events(noisy), expected);
    // No empty lines between events, none at the end, no [DONE].
    assert_eq!(events(body.replace("\n\n", "\n")), expected);
    assert_eq!(events(body.trim_end()), expected);
    assert_eq!(events(body.replace("data: [DONE]\n\n", "")), expected);
    // JSON over several lines.
    let lines = body.replace(",\"delta\"", ",\ndata: \"delta\"");
    assert_eq!(events(lines), expected);
}

#[test]
fn how_a_stream_may_end() {
    let text = piece("a");
    assert_eq!(
        events(format!("{text}data: [DONE]\n\n{text}")),
        [delta("a"), Event::Done]
    );
    assert_eq!(
        events(format!("{text}{STOP}")),
        [delta("a"), stop(), Event::Done]
    );
    assert_eq!(
        events(format!("{text}{STOP}{STOP}data: {{\"choi")).last(),
        Some(&Event::Error(super::Failure::garbled()))
    );
    let broken = events(&text);
    assert_eq!(broken.len(), 2);
    assert_eq!(error_of(&broken).0, FailureKind::Broken);
    assert_eq!(
        error_of(&events(format!("{text}data: {{\"cho"))).0,
        FailureKind::Broken
    );
    for nothing in [
        "",
        "\n",
        "OK",
        "data: OK\n\n",
        ": ping\n\n",
        "data: 5\n\n",
        "[]",
        "{}",
        "{\"a\":1}",
        "{\"a",
        "null",
    ] {
        let events = events(nothing);
        assert_eq!(events.len(), 1, "{nothing}");
        assert_eq!(error_of(&events).0, FailureKind::NotAModel, "{nothing}");
    }
    for page in ["<html>", "\r\n <!doctype html><p>Hi"] {
        assert_eq!(error_of(&events(page)).0, FailureKind::NotAModel);
    }

    let mut stream = Stream::new(KEY);
    stream.feed(text.as_bytes());
    let failure = super::Failure::broken();
    assert_eq!(
        stream.give_up(failure.clone()),
        [Event::Error(failure.clone())]
    );
    let mut stream = Stream::new(KEY);
    stream.feed(STOP.as_bytes());
    assert!(stream.finished());
    assert_eq!(stream.give_up(failure), [Event::Done]);
}

#[test]
fn what_servers_send_instead_of_text() {
    let chunk = |choice: Value| format!("data: {}\n\n", json!({"choices": [choice]}));
    for (choice, text) in [
        (json!({"delta": {"content": null}}), ""),
        (json!({"delta": null}), ""),
        (json!({"delta": {"content": 5}}), ""),
        (json!({"delta": {"reasoning_content": "Hm."}}), ""),
        (json!({"delta": {"tool_calls": [{}]}}), ""),
        (json!({"index": 1, "delta": {"content": "b"}}), ""),
        (json!(null), ""),
        (json!({"delta": {"refusal": "No."}}), "No."),
        (
            json!({"delta": {"content": [{"type": "text", "text": "a"}, {"x": 1}]}}),
            "a",
        ),
        (json!({"text": "a"}), "a"),
        (json!({"delta": null, "message": {"content": "a"}}), "a"),
    ] {
        let mut expected = vec![delta(text), stop(), Event::Done];
        if text.is_empty() {
            expected.remove(0);
        }
        assert_eq!(events(chunk(choice.clone()) + STOP), expected, "{choice}");
    }
    let late =
        "data: {\"choices\":[{\"delta\":{\"content\":\"z\"},\"finish_reason\":\"length\"}]}\n\n";
    assert_eq!(
        events(late),
        [delta("z"), Event::Finish("length".to_owned()), Event::Done]
    );
    assert_eq!(
        events(format!(
            "data: {{}}\n\ndata: {{\"type\":\"ping\"}}\n\n{STOP}"
        )),
        [stop(), Event::Done]
    );
}

#[test]
fn text_that_is_not_text() {
    let broken = [
        b"data: {\"choices\":[{\"delta\":{\"content\":\"a\xff\xf0\x9fb\"}}]}\n\n".as_slice(),
        STOP.as_bytes(),
    ];
    assert_eq!(
        events(broken.concat()),
        [delta("a\u{fffd}\u{fffd}b"), stop(), Event::Done]
    );
    for (escaped, text) in [
        (r"\ud83d", "\u{fffd}"),
        (r"\ude00x", "\u{fffd}x"),
        (r"\ud83d\ud83d\ude00", "\u{fffd}😀"),
        (r"\ud83dx\\ud83d\n", "\u{fffd}x\\ud83d\n"),
    ] {
        let body = format!(
            "data: {{\"choices\":[{{\"delta\":{{\"content\":\"{escaped}\"}}}}]}}\n\n{STOP}"
        );
        assert_eq!(events(body), [delta(text), stop(), Event::Done]);
    }
}

#[test]
fn answers_in_one_piece() {
    let answer = json!({
        "id": "x",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
        "usage": {"total_tokens": 5},
    });
    let expected = [
        delta("Hi"),
        stop(),
        Event::Usage(json!({"total_tokens": 5})),
        Event::Done,
    ];
    assert_eq!(events(answer.to_string()), expected);
    assert_eq!(events(format!("\n{answer:#}\n")), expected);
    assert_eq!(
        events("{\"choices\":[{\"message\":{\"content\":\"Hi\"}}]}"),
        [delta("Hi"), Event::Done]
    );
}

#[test]
fn errors_in_a_reply() {
    for error in [
        "data: {\"error\":{\"message\":\"Overloaded with sk-MARKER-0123456789\",\"type\":\"x\"}}\n\n",
        "event: error\ndata: {\"message\":\"Overloaded with sk-MARKER-0123456789\"}\n\n",
        "event: error\ndata: Overloaded with sk-MARKER-0123456789\n\n",
        "data: {\"object\":\"error\",\"message\":\"Overloaded with sk-MARKER-0123456789\"}\n\n",
        "{\"error\":\"Overloaded with sk-MARKER-0123456789\"}\n",
    ] {
        for text in ["", "a"] {
            let before = if text.is_empty() {
                String::new()
            } else {
                piece(text)
            };
            let events = events(format!("{before}{error}{STOP}"));
            let (kind, message) = error_of(&events);
            // A body that is JSON from the first byte on can't be followed by events.
            if text.is_empty() && error.starts_with('{') {
                continue;
            }
            assert_eq!(kind, FailureKind::InReply, "{error}");
            assert!(message.ends_with("“Overloaded with [key]”"), "{message}");
            assert_eq!(events.len(), 1 + text.len());
        }
    }
    let events = events("{\"error\":{\"message\":\"Overloaded\",\"code\":503}}");
    assert_eq!(error_of(&events).0, FailureKind::Server);
}
