//! A misbehaving model (docs/promises.md#22-misbehaving-models): its reply ends in a clear state, without the key.

use serde_json::{Value, json};

use super::{KEY, Scene, save_model};
use crate::support::Setup;

/// A model's name, the state that its reply ends in, the text, and what its error mentions.
const TABLE: &[(&str, &str, Text, &str)] = &[
    ("fake-401", "error", Text::Is(""), "401"),
    ("fake-403", "error", Text::Is(""), "403"),
    ("fake-404", "error", Text::Is(""), "404"),
    ("fake-429", "error", Text::Is(""), "7"),
    ("fake-500", "error", Text::Is(""), "500"),
    ("fake-503", "error", Text::Is(""), "503"),
    ("fake-400", "error", Text::Is(""), "400"),
    ("fake-echo-key", "error", Text::Is(""), ""),
    ("fake-html", "error", Text::Is(""), ""),
    ("fake-html-502", "error", Text::Is(""), "502"),
    ("fake-redirect", "error", Text::Is(""), ""),
    (
        "fake-words-9-rate-0-cut-4",
        "error",
        Text::Is("w1 w2 w3 w4 "),
        "",
    ),
    ("fake-words-9-rate-0-cut-0", "error", Text::Is(""), ""),
    (
        "fake-words-9-rate-0-error-4",
        "error",
        Text::Is("w1 w2 w3 w4 "),
        "",
    ),
    (
        "fake-words-9-rate-0-no-end",
        "error",
        Text::Is("w1 w2 w3 w4 w5 w6 w7 w8 w9"),
        "",
    ),
    (
        "fake-words-9-rate-0-10mb-line",
        "error",
        Text::Is("w1 w2 w3 "),
        "",
    ),
    (
        "fake-words-9-rate-0-garbage",
        "error",
        Text::Begins("w1 w2 w3 "),
        "",
    ),
    (
        "fake-words-9-rate-0-no-done",
        "complete",
        Text::Is("w1 w2 w3 w4 w5 w6 w7 w8 w9"),
        "",
    ),
    (
        "fake-400-stream-options-words-2-rate-0",
        "complete",
        Text::Is("w1 w2"),
        "",
    ),
    ("fake-split-utf8-rate-0", "complete", Text::Is(UNICODE), ""),
    (
        "fake-unicode-crlf-rate-0",
        "complete",
        Text::Is(UNICODE),
        "",
    ),
    (
        "fake-words-9-rate-0-length",
        "complete",
        Text::Is("w1 w2 w3 w4 w5 w6 w7 w8 w9"),
        "",
    ),
    ("fake-words-2-first-3000", "complete", Text::Is("w1 w2"), ""),
];

const UNICODE: &str = "Größe naïve Ελλάδα Привет 日本語 한국어 🦀 👩‍👩‍👧 e\u{301} \u{1d11e} end";

enum Text {
    Is(&'static str),
    Begins(&'static str),
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_trouble_ends_the_reply_in_a_clear_state() {
    let scene = Scene::new(Setup::app(), &[]).await;
    for (model, ..) in TABLE {
        scene.has_model(model).await;
    }
    let mut socket = scene.open2().await;
    for (model, status, text, mentions) in TABLE {
        scene.sends_prompt(&mut socket, model).await;
        let ended = socket.action("generation_ended").await;
        assert_eq!(ended["status"], *status, "{model}: {ended}");
        let content = ended["message"]["content"].as_str().expect("text");
        match text {
            Text::Is(text) => assert_eq!(content, *text, "{model}"),
            Text::Begins(text) => assert!(content.starts_with(text), "{model}: {content}"),
        }
        let error = &ended["error"];
        assert_eq!(error.is_string(), *status == "error", "{model}: {error}");
        assert!(error.to_string().contains(mentions), "{model}: {error}");
        assert!(!ended.to_string().contains(KEY), "{model}: {ended}");
        assert_eq!(ended["message"]["status"], *status, "{model}: {ended}");
    }
    assert!(!scene.server.log_so_far().await.contains(KEY));
    let long = "fake-words-60000-rate-0";
    scene.has_model(long).await;
    scene.sends_prompt(&mut socket, long).await;
    let ended = socket.action("generation_ended").await;
    assert_eq!(
        ended["finish_reason"], "length",
        "a reply is at most 256 KiB"
    );
    let stored = scene.reply().await.len();
    assert!(
        (200 * 1024..=256 * 1024).contains(&stored),
        "{stored} bytes are stored"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_is_not_there_is_an_error_in_words() {
    let scene = Scene::new(Setup::app(), &[]).await;
    // No process listens on port 9 of loopback; the other name does not exist.
    for (name, base_url) in [
        ("off", "http://127.0.0.1:9/v1"),
        ("away", "http://model.invalid/v1"),
    ] {
        save_model(&scene.server, &scene.user, name, base_url, KEY)
            .await
            .has_status(200);
        let mut socket = scene.open2().await;
        scene.sends_prompt(&mut socket, name).await;
        let ended = socket.action("generation_ended").await;
        assert_eq!(ended["status"], "error", "{ended}");
        assert!(
            ended["error"]
                .as_str()
                .is_some_and(|error| error.len() > 10),
            "{ended}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn v1_receives_errors_too() {
    let scene = Scene::new(Setup::app(), &["fake-401", "fake-words-9-rate-0-cut-4"]).await;
    let mut socket = scene.opened().await;
    for model in ["fake-401", "fake-words-9-rate-0-cut-4"] {
        scene.sends_prompt(&mut socket, model).await;
        let frame = socket.json().await;
        assert!(frame["error"].is_string(), "{model}: {frame}");
    }
    assert!(
        scene
            .stored()
            .await
            .last()
            .is_some_and(|last| last.ends_with("w1 w2 w3 w4 "))
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_request_to_the_model() {
    let scene = Scene::new(Setup::app(), &["fake-words-2-rate-0"]).await;
    let mut socket = scene.opened().await;
    for prompt in ["one", "two"] {
        socket
            .send(
                &json!({"action": "new_message", "prompt": prompt, "model": "fake-words-2-rate-0"}),
            )
            .await;
        socket.text().await;
    }
    // The fake model of a scene takes no other key.
    let body = scene.model.last().await["body"].clone();
    assert_eq!(body["model"], "fake-words-2-rate-0");
    assert_eq!(body["stream"], true);
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    let messages = body["messages"].as_array().expect("a list");
    let contents: Vec<_> = messages
        .iter()
        .filter(|message| message["role"] != "system")
        .map(|message| (message["role"].as_str(), text(&message["content"])))
        .collect();
    let wanted = [
        (Some("user"), "one".to_owned()),
        (Some("assistant"), "w1 w2".to_owned()),
        (Some("user"), "two".to_owned()),
    ];
    assert_eq!(contents, wanted);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_cut_with_a_note() {
    let setup = Setup::app().variable("context_chars", "3000");
    let scene = Scene::new(setup, &["fake-words-2-rate-0"]).await;
    let mut socket = scene.opened().await;
    for number in 0..8 {
        let prompt = format!("prompt {number} {}", "x".repeat(900));
        socket
            .send(
                &json!({"action": "new_message", "prompt": prompt, "model": "fake-words-2-rate-0"}),
            )
            .await;
        socket.text().await;
    }
    let body = scene.model.last().await["body"].to_string();
    assert!(body.contains("prompt 7 "), "the newest is there");
    assert!(!body.contains("prompt 0 "), "the oldest is not");
    assert!(body.len() < 6000, "{} bytes", body.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_can_be_tested() {
    let scene = Scene::new(Setup::app(), &[]).await;
    for (model, works) in [
        ("fake-rate-0", true),
        ("fake-401", false),
        ("fake-echo-key", false),
        ("fake-html", false),
    ] {
        let id = scene.has_model(model).await;
        let answer = scene
            .server
            .post(&format!("/models/{id}/test"))
            .send()
            .await;
        answer.has_status(200);
        assert_eq!(answer.json()["ok"], works, "{model}: {}", answer.text());
        assert!(!answer.text().contains(KEY));
    }
    let unknown = scene.server.post("/models/nothing/test").send().await;
    unknown.is_error(404, "Model not found.");
}

fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        other => other[0]["text"].as_str().unwrap_or_default().to_owned(),
    }
}
