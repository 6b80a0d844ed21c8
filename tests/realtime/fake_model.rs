//! The fake model itself, as a newcomer meets it: by hand, without the rest.

use serde_json::json;

use crate::support::{FakeModel, Request};

#[tokio::test]
async fn it_streams_the_reply_and_records_the_request() {
    let model = FakeModel::start_with(&["--rate", "0"]);
    let body = json!({"model": "fake", "stream": true, "stream_options": {"include_usage": true},
        "messages": [{"role": "user", "content": "Who accuses me?"}]});
    let refused = ask(&model).json(body.to_string()).send().await;
    assert_eq!(refused.status, 401, "it wants a key, though any will do");
    let answer = ask(&model)
        .header("authorization", "Bearer x")
        .json(body.to_string())
        .send()
        .await;
    answer.has_status(200);
    let events: Vec<_> = answer
        .text()
        .split("\n\n")
        .filter_map(|event| event.strip_prefix("data: "))
        .collect();
    assert_eq!(events.last(), Some(&"[DONE]"));
    let text: String = events
        .iter()
        .filter_map(|event| serde_json::from_str::<serde_json::Value>(event).ok())
        .filter_map(|event| {
            event["choices"][0]["delta"]["content"]
                .as_str()
                .map(str::to_owned)
        })
        .collect();
    assert!(text.contains("Who accuses me?"), "{text}");
    let seen = model.last().await;
    assert_eq!(seen["model"], "fake");
    assert_eq!(seen["body"], body);
    assert_eq!(seen["ended"], true);
}

#[tokio::test]
async fn it_misbehaves_when_it_is_asked_to() {
    let model = FakeModel::start();
    for (name, status) in [
        ("fake-429", 429),
        ("fake-500", 500),
        ("fake-html", 200),
        ("gpt-4", 404),
    ] {
        let answer = ask(&model)
            .header("authorization", "Bearer x")
            .json(json!({"model": name, "messages": []}).to_string())
            .send()
            .await;
        assert_eq!(answer.status, status, "{name}");
    }
}

fn ask(model: &FakeModel) -> Request {
    Request::elsewhere("POST", &format!("{}/chat/completions", model.base_url()))
}
