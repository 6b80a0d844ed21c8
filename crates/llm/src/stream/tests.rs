mod bounds;
mod interrupted;

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
        error_of(&events(format!("{text}{STOP}{STOP}data: {{\"choi"))).0,
        FailureKind::Broken
    );
    // A reason is no end.
    assert_eq!(
        events(format!("{STOP}{text}{STOP}{text}data: [DONE]\n\n")),
        [delta("a"), delta("a"), stop(), Event::Done]
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
        ": ping\n\n",
        "data: [DONE]\n\n",
        "data: \"[done]\"\n\n",
        "[DONE]",
    ] {
        let events = events(nothing);
        assert_eq!(events.len(), 1, "{nothing}");
        let (kind, message) = error_of(&events);
        assert_eq!(kind, FailureKind::NoAnswer, "{nothing}");
        assert_eq!(message, "The model's answer is empty.");
    }
    for nothing in [
        "OK",
        "data: OK\n\n",
        "data: 5\n\n",
        "[]",
        "{}",
        "{\"a\":1}",
        "{\"a",
        "null",
    ] {
        let events = events(nothing);
        assert_eq!(events.len(), 1, "{nothing}");
        let (kind, message) = error_of(&events);
        assert_eq!(kind, FailureKind::NotAModel, "{nothing}");
        let quoted = nothing.trim().trim_start_matches("data: ");
        assert!(message.ends_with(&format!("“{quoted}”")), "{message}");
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
}

#[test]
fn what_a_break_means() {
    let read = |body: &str| {
        let mut stream = Stream::new(KEY);
        stream.feed(body.as_bytes());
        stream
    };
    let broken = super::Failure::broken();
    let silent = super::Failure::silent(std::time::Duration::from_secs(5));
    let whole = piece("a") + STOP;
    let marked = piece("a").replace("null", "\"stop\"");
    for (body, rests) in [
        (whole.clone(), true),
        (piece("a"), false),
        (marked.clone(), false),
        (marked.clone() + STOP, true),
        (marked.clone() + &marked + STOP, false),
        (STOP.to_owned(), false),
        (STOP.to_owned() + &marked, false),
        (STOP.replace("stop", "length"), true),
    ] {
        assert_eq!(read(&body).rests(), rests, "{body}");
        let error = Event::Error(broken.clone());
        assert_eq!(
            read(&body).give_up(broken.clone()).last(),
            Some(&error),
            "{body}"
        );
        let end = read(&body).give_up(silent.clone());
        let is_silent = end.last() == Some(&Event::Error(silent.clone()));
        assert_eq!(is_silent, !rests, "{body}");
    }
    assert_eq!(read(&whole).give_up(silent), [stop(), Event::Done]);
}

#[test]
fn what_servers_send_instead_of_text() {
    let chunk = |choice: Value| format!("data: {}\n\n", json!({"choices": [choice]}));
    for (choice, text) in [
        (json!({"delta": {"content": null}}), ""),
        (json!({"delta": null}), ""),
        (json!({"delta": {"content": 5}}), ""),
        (json!({"index": 1, "delta": {"content": "b"}}), ""),
        (json!(null), ""),
        (json!({"delta": {"refusal": "No."}}), "No."),
        (
            json!({"delta": {"content": [{"type": "refusal", "refusal": "No."}]}}),
            "No.",
        ),
        (
            json!({"delta": {"content": [{"type": "text", "text": "a"}, {"x": 1}]}}),
            "a",
        ),
        (
            json!({"delta": {"content": ["a", {"type": "output_text", "text": "b"}]}}),
            "ab",
        ),
        (
            json!({"delta": {"content": {"type": "text", "text": "a"}}}),
            "a",
        ),
        (json!({"text": "a"}), "a"),
        (json!({"delta": null, "message": {"content": "a"}}), "a"),
        (json!({"delta": {}, "message": {"content": "a"}}), "a"),
    ] {
        let mut expected = vec![delta(text), stop(), Event::Done];
        if text.is_empty() {
            expected = vec![stop(), Event::Error(empty())];
        }
        assert_eq!(events(chunk(choice.clone()) + STOP), expected, "{choice}");
    }
    let late =
        "data: {\"choices\":[{\"delta\":{\"content\":\"z\"},\"finish_reason\":\"length\"}]}\n\n";
    assert_eq!(
        events(late),
        [delta("z"), Event::Finish("length".to_owned()), Event::Done]
    );
    let ping = "data: {}\n\ndata: {\"type\":\"ping\"}\n\n";
    assert_eq!(
        events(format!("{ping}{}{STOP}", piece("a"))),
        [delta("a"), stop(), Event::Done]
    );
}

fn empty() -> super::Failure {
    super::Failure::no_answer("The model's answer is empty.")
}

fn thought(text: &str) -> Event {
    Event::Reasoning(text.to_owned())
}

#[test]
fn reasoning_is_kept_apart() {
    let part = |part: Value| json!({"content": [part, {"type": "text", "text": "a"}]});
    for message in [
        json!({"reasoning_content": "Hm.", "content": "a"}),
        json!({"reasoning": "Hm.", "content": "a"}),
        json!({"reasoning": "Hm.", "reasoning_content": "Hm.", "content": "a"}),
        json!({"thinking": "Hm.", "content": "a"}),
        json!({"reasoning_details": [{"type": "reasoning.text", "text": "Hm."}, {"type": "reasoning.encrypted",
               "data": "x"}], "content": "a"}),
        json!({"reasoning": "Hm.", "reasoning_details": [{"text": "Hm."}], "content": "a"}),
        json!({"reasoning_details": [{"type": "reasoning.summary", "summary": "Hm."}], "content": "a"}),
        part(json!({"type": "thinking", "thinking": "Hm."})),
        part(json!({"type": "thinking", "thinking": [{"type": "text", "text": "Hm."}]})),
        part(json!({"type": "reasoning", "text": "Hm."})),
        part(json!({"text": "Hm.", "thought": true})),
        json!({"content": "<think>Hm.</think>a"}),
        json!({"content": "\n<thinking>\nHm.\n</thinking>\n\na"}),
    ] {
        let expected = [thought("Hm."), delta("a"), stop(), Event::Done];
        let chunk = json!({"choices": [{"delta": message}]});
        assert_eq!(
            events(format!("data: {chunk}\n\n{STOP}")),
            expected,
            "{message}"
        );
        let whole = json!({"choices": [{"message": message, "finish_reason": "stop"}]});
        assert_eq!(events(whole.to_string()), expected, "{message}");
    }
    // Cut anywhere, and with what else belongs to it.
    let text: String = [
        "<th", "ink", ">H", "m.", "</", "think", ">", "\n\n", "a", "<think>",
    ]
    .iter()
    .map(|text| piece(text))
    .collect();
    assert_eq!(
        events(text + STOP),
        [
            thought("H"),
            thought("m."),
            delta("a"),
            delta("<think>"),
            stop(),
            Event::Done
        ]
    );
}

#[test]
fn a_reply_without_text_is_an_error() {
    let said = |delta: Value, reason: &str| {
        let chunk = json!({"choices": [{"delta": delta}]});
        let end = json!({"choices": [{"delta": {}, "finish_reason": reason}]});
        events(format!("data: {chunk}\n\ndata: {end}\n\ndata: [DONE]\n\n"))
    };
    let tool =
        json!({"tool_calls": [{"index": 0, "function": {"name": "search", "arguments": ""}}]});
    let old = json!({"function_call": {"name": "search", "arguments": "{}"}});
    for (delta, reason, words) in [
        (json!({}), "stop", "The model's answer is empty."),
        (
            json!({"content": " \n"}),
            "stop",
            "The model's answer is empty.",
        ),
        (
            json!({"reasoning": "Hm."}),
            "stop",
            "The model thought and did not answer.",
        ),
        (
            json!({"content": "<think>Hm."}),
            "stop",
            "The model thought and did not answer.",
        ),
        (
            json!({"reasoning": "Hm."}),
            "length",
            "The model thought until it reached its length limit, and did not answer.",
        ),
        (
            json!({}),
            "MAX_TOKENS",
            "The model reached its length limit before it answered.",
        ),
        (
            json!({}),
            "content_filter",
            "The provider's filter withheld the answer.",
        ),
        (
            json!({"reasoning": "Hm."}),
            "SAFETY",
            "The provider's filter withheld the answer.",
        ),
        (
            json!({"content": "a"}),
            "content_filter",
            "The provider's filter withheld the rest of the answer.",
        ),
        (
            tool.clone(),
            "tool_calls",
            "The model wanted to call a tool (search), which is not possible here, and did not answer.",
        ),
        (
            tool,
            "stop",
            "The model wanted to call a tool (search), which is not possible here, and did not answer.",
        ),
        (
            old,
            "function_call",
            "The model wanted to call a tool (search), which is not possible here, and did not answer.",
        ),
        (
            json!({"tool_calls": []}),
            "tool_calls",
            "The model wanted to call a tool, which is not possible here, and did not answer.",
        ),
    ] {
        let events = said(delta.clone(), reason);
        assert_eq!(
            error_of(&events),
            (FailureKind::NoAnswer, words),
            "{delta} {reason}"
        );
        let finish = |event: &Event| matches!(event, Event::Finish(_));
        assert_eq!(events.iter().filter(|event| finish(event)).count(), 1);
    }
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
    assert_eq!(events(format!("[{answer}]")), expected);
    assert_eq!(
        events("{\"choices\":[{\"message\":{\"content\":\"Hi\"}}]}"),
        [delta("Hi"), Event::Done]
    );
    // A piece of a stream is none, whatever its shape.
    let piece = "data: {\"choices\":[{\"message\":{\"content\":\"Hi\"}}]}\n\n";
    assert_eq!(error_of(&events(piece)).0, FailureKind::Broken);
}

#[test]
fn answers_that_are_lines_of_json() {
    let lines = format!("{}{STOP}", piece("a"))
        .replace("data: ", "")
        .replace("\n\n", "\n");
    let expected = [delta("a"), stop(), Event::Done];
    assert_eq!(events(&lines), expected);
    assert_eq!(events(lines.replace('\n', "")), expected);
    assert_eq!(events(lines.replace('\n', "\r\n") + "[DONE]\r\n"), expected);
    // Ollama's own.
    let ollama = "{\"message\":{\"role\":\"assistant\",\"content\":\"a\"},\"done\":false}\n\
                  {\"message\":{\"role\":\"assistant\",\"content\":\"\"},\"done\":true}\n";
    assert_eq!(events(ollama), expected);
}

#[test]
fn errors_in_a_reply() {
    let words = "Overloaded with sk-MARKER-0123456789";
    for error in [
        json!({"error": {"message": words, "type": "x"}}),
        json!({"error": words}),
        json!({"error": true, "message": words}),
        json!({"errors": [{"message": words}]}),
        json!({"object": "error", "message": words}),
        json!({"type": "error", "message": words}),
        json!({"error_message": words, "error_type": "x"}),
        json!({"error_code": 7, "error_msg": words}),
        json!({"detail": words}),
        json!({"detail": [{"msg": words}]}),
        json!({"message": words, "code": "overloaded"}),
        json!({"message": words, "code": 1301}),
        json!({"success": false, "message": words}),
        json!({"status": "failed", "msg": words}),
        json!({"base_resp": {"status_code": 1002, "status_msg": words}, "choices": null}),
        json!({"choices": [{"delta": {}, "error": {"message": words}}]}),
        json!({"choices": [{"delta": {}, "finish_reason": "error", "error": words}]}),
        json!({"choices": [{"delta": {"error": words}}]}),
        json!({"choices": [], "error": {"message": words}}),
        json!([{"error": {"message": words}}]),
        json!({"error": json!({"error": {"message": words}}).to_string()}),
    ] {
        for form in [
            format!("data: {error}\n\n"),
            format!("{error}\n"),
            format!("{error:#}\n"),
            format!("event: error\ndata: {error}\n\n"),
            format!(
                "data: {}\n\n",
                format!("{error:#}").replace('\n', "\ndata: ")
            ),
            format!("data: {error:#}\n\n"),
        ] {
            for text in ["", "a"] {
                let before = match text {
                    "" => String::new(),
                    text => piece(text),
                };
                let events = events(format!("{before}{form}{STOP}"));
                let (kind, message) = error_of(&events);
                assert_eq!(kind, FailureKind::InReply, "{form}");
                assert!(
                    message.ends_with("“Overloaded with [key]”"),
                    "{form}: {message}"
                );
                let deltas = events.iter().filter(|event| **event == delta("a"));
                assert_eq!(deltas.count(), text.len(), "{form}");
            }
        }
    }
    for form in [
        format!("event: error\ndata: {words}\n\n"),
        format!("event: error\ndata: {}\n\n", json!({"message": words})),
    ] {
        assert_eq!(error_of(&events(form)).0, FailureKind::InReply);
    }
    let status = events("{\"error\":{\"message\":\"Overloaded\",\"code\":503}}");
    assert_eq!(error_of(&status).0, FailureKind::Server);
    let reason = events(piece("a") + &STOP.replace("stop", "network_error"));
    assert!(error_of(&reason).1.ends_with("“network_error”"));
    // Words that are no event.
    for form in [
        "data: upstream request timeout\n\n",
        "upstream request timeout",
    ] {
        for text in [String::new(), piece("a")] {
            let events = events(text + form);
            assert!(
                error_of(&events).1.ends_with("“upstream request timeout”"),
                "{form}"
            );
        }
    }
}

#[test]
fn what_is_no_error() {
    let chunk = |fields: Value| {
        let mut chunk = json!({"choices": [{"delta": {"content": "a"}}]});
        for (name, value) in fields.as_object().unwrap() {
            chunk[name] = value.clone();
        }
        format!("data: {chunk}\n\n{STOP}")
    };
    for fields in [
        json!({"error": null}),
        json!({"error": ""}),
        json!({"error": {}}),
        json!({"error": false}),
        json!({"error": {"message": "", "code": null, "param": ""}}),
        json!({"error_code": 0, "error_msg": ""}),
        json!({"base_resp": {"status_code": 0, "status_msg": "success"}}),
        json!({"code": 0, "message": "success"}),
        json!({"code": 200, "msg": "ok"}),
        json!({"detail": "x"}),
    ] {
        let expected = [delta("a"), stop(), Event::Done];
        assert_eq!(events(chunk(fields.clone())), expected, "{fields}");
    }
    // Notes of a queue.
    let queue = format!(
        "data: {}\n\n{}{STOP}",
        json!({"message": "You are number 3."}),
        piece("a")
    );
    assert_eq!(events(queue), [delta("a"), stop(), Event::Done]);
}
