//! Models as they are: answers that are no success, what models think, and models that are smaller or stricter than others
//! (docs/promises.md#22-misbehaving-models).

use serde_json::{Value, json};

use super::files::compose;
use super::{KEY, Scene, through_both};
use crate::support::Setup;

through_both!(
    reasoning_is_kept_apart,
    a_draft_overwrites_no_file,
    reasoning_resumes_exactly,
);

/// A model's name, its reply's status and text, and what its error contains.
const TABLE: &[(&str, &str, &str, &str)] = &[
    ("fake-empty", "error", "", "is empty"),
    ("fake-only-done", "error", "", "is empty"),
    (
        "fake-only-reasoning",
        "error",
        "",
        "thought and did not answer",
    ),
    (
        "fake-empty-filter",
        "error",
        "",
        "filter withheld the answer",
    ),
    (
        "fake-words-2-rate-0-filter",
        "error",
        "w1 w2",
        "filter withheld the rest",
    ),
    ("fake-tool-call", "error", "", "web_search"),
    ("fake-empty-length", "error", "", "length limit"),
    (
        "fake-words-2-rate-0-finish-error",
        "error",
        "w1 w2",
        "ended its reply with an error",
    ),
    (
        "fake-error-in-200",
        "error",
        "",
        "The fake model was asked to fail.",
    ),
    (
        "fake-words-9-rate-0-choice-error",
        "error",
        "w1 w2 w3 ",
        "The fake model was asked to fail here.",
    ),
    ("fake-zstd", "error", "", "zstd"),
    ("fake-words-2-rate-0-always-stop", "complete", "w1 w2", ""),
    (
        "fake-words-9-rate-0-always-stop-cut-4",
        "error",
        "w1 w2 w3 w4 ",
        "broke off",
    ),
    ("fake-words-2-rate-0-html-type", "complete", "w1 w2", ""),
    ("fake-words-2-rate-0-gzip", "complete", "w1 w2", ""),
    ("fake-words-2-rate-0-deflate", "complete", "w1 w2", ""),
    ("fake-words-2-rate-0-no-system", "complete", "w1 w2", ""),
    ("fake-words-2-rate-0-no-stream", "complete", "w1 w2", ""),
    ("fake-words-2-rate-0-think", "complete", "w1 w2", ""),
    ("fake-words-2-rate-0-think-bare", "complete", "w1 w2", ""),
    (
        "fake-empty-think",
        "error",
        "",
        "thought and did not answer",
    ),
    (
        "fake-empty-think-bare",
        "error",
        "",
        "thought and did not answer",
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_failure_is_a_success() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let mut socket = scene.open2().await;
    for (model, status, text, mentions) in TABLE {
        let id = scene.has_model(model).await;
        scene.sends_prompt(&mut socket, model).await;
        let ended = socket.action("generation_ended").await;
        assert_eq!(ended["status"], *status, "{model}: {ended}");
        assert_eq!(ended["message"]["content"], *text, "{model}: {ended}");
        let error = ended["error"].as_str().unwrap_or_default();
        assert!(error.contains(mentions), "{model}: {ended}");
        assert!(!error.contains("base URL"), "{model}: {ended}");
        // A trial has the same result.
        let tried = scene
            .server
            .post(&format!("/models/{id}/test"))
            .send()
            .await;
        tried.has_status(200);
        assert_eq!(
            tried.json()["ok"],
            *status == "complete",
            "{model}: {}",
            tried.text()
        );
        let said = tried.json()["error"]
            .as_str()
            .unwrap_or_default()
            .to_owned();
        assert!(said.contains(mentions), "{model}: {said}");
    }
}

async fn reasoning_is_kept_apart(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut socket = scene.open2().await;
    for model in [
        "fake-words-2-rate-0-reasoning",
        "fake-words-2-rate-0-think",
        "fake-words-2-rate-0-think-bare",
    ] {
        scene.has_model(model).await;
        scene.sends_prompt(&mut socket, model).await;
        let ended = socket.action("generation_ended").await;
        let message = &ended["message"];
        assert_eq!(message["content"], "w1 w2", "{model}: {ended}");
        let reasoning = message["reasoning"].as_str().unwrap_or_default();
        assert!(reasoning.contains("only a draft"), "{model}: {ended}");
        let page = scene
            .server
            .get(&format!("/chat/{}/messages", scene.chat))
            .send()
            .await;
        let messages = page.json()["messages"].clone();
        let last = messages
            .as_array()
            .and_then(|messages| messages.last())
            .cloned();
        assert_eq!(
            last.expect("messages")["reasoning"],
            message["reasoning"],
            "{model}"
        );
        let mut other = scene.server.v2(&scene.chat).await;
        let first = other.json().await["conversation"].clone();
        let last = first
            .as_array()
            .and_then(|messages| messages.last())
            .cloned();
        assert_eq!(
            last.expect("messages")["reasoning"],
            message["reasoning"],
            "{model}"
        );
    }
    // No model reads it.
    let bodies = scene.model.seen().await.to_string();
    assert!(!bodies.contains("only a draft"), "{bodies}");
}

async fn a_draft_overwrites_no_file(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut socket = scene.opened().await;
    scene.uploads(&mut socket, "plan.md", b"the plan\n").await;
    let versions = "SELECT count(*) FROM chat_file_version";
    let before = scene.server.database().await.number(versions).await;
    for model in [
        "fake-empty-think",
        "fake-words-2-rate-0-think",
        "fake-words-2-rate-0-think-bare",
        "fake-only-reasoning",
    ] {
        scene.has_model(model).await;
        socket.send(&compose(model, "what is in plan.md?")).await;
        socket.text().await;
        let after = scene.server.database().await.number(versions).await;
        assert_eq!(after, before, "{model}");
    }
}

async fn reasoning_resumes_exactly(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-40-rate-60-reasoning"]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    let mut count = 0;
    // Every other frame is lost.
    client.loses(move |_| {
        count += 1;
        count % 2 == 0
    });
    client
        .ask("fake-words-40-rate-60-reasoning", "think of a.md")
        .await;
    let message = client.settled().await;
    assert_eq!(message.content, super::words(40));
    assert!(message.reasoning.contains("only a draft"), "{message:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reasoning_comes_as_it_is_thought() {
    let scene = Scene::new(Setup::app(), &["fake-words-2-rate-0-reasoning"]).await;
    let mut socket = scene.open2().await;
    scene
        .sends_prompt(&mut socket, "fake-words-2-rate-0-reasoning")
        .await;
    let thought = socket.action("reasoning_delta").await;
    assert_eq!(thought["seq"], 1);
    assert!(thought["content"].to_string().contains("only a draft"));
    let text = socket.action("delta").await;
    assert_eq!(
        (text["seq"].as_i64(), &text["message_id"]),
        (Some(2), &thought["message_id"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_model_refuses_is_remembered() {
    let scene = Scene::new(Setup::app(), &["fake-words-2-rate-0-no-system"]).await;
    let mut socket = scene.open2().await;
    for requests in [2, 3] {
        scene
            .sends_prompt(&mut socket, "fake-words-2-rate-0-no-system")
            .await;
        let ended = socket.action("generation_ended").await;
        assert_eq!(ended["status"], "complete", "{ended}");
        assert_eq!(scene.model.seen().await["requests"], requests);
    }
    let messages = scene.model.last().await["body"]["messages"].clone();
    assert_eq!(messages[0]["role"], "user");
    assert!(
        messages[0]["content"]
            .to_string()
            .contains("helpful assistant"),
        "{messages}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_model_gets_less() {
    for model in [
        "fake-say-rate-0-context-3000",
        "fake-say-rate-0-context-3000-mute",
    ] {
        let scene = Scene::new(Setup::app(), &["fake-words-2-rate-0", model]).await;
        let mut socket = scene.opened().await;
        scene
            .uploads(&mut socket, "notes.md", b"What matters is in the notes.\n")
            .await;
        for number in 0..8 {
            let prompt = format!("prompt {number} {}", "x".repeat(900));
            let ask =
                json!({"action": "new_message", "prompt": prompt, "model": "fake-words-2-rate-0"});
            socket.send(&ask).await;
            socket.text().await;
        }
        let ask = json!({"action": "new_message", "prompt": "the last one", "model": model});
        socket.send(&ask).await;
        assert_eq!(socket.text().await, "the last one", "{model}");
        let body = scene.model.last().await["body"].to_string();
        assert!(
            body.contains("What matters is in the notes."),
            "files go last: {body}"
        );
        assert!(!body.contains("prompt 0 "), "history goes first");
        // The size is remembered.
        let before = scene.model.seen().await["requests"]
            .as_u64()
            .unwrap_or_default();
        socket.send(&ask).await;
        socket.text().await;
        let after = scene.model.seen().await["requests"]
            .as_u64()
            .unwrap_or_default();
        assert_eq!(after, before + 1, "{model}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_has_settings() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let id = scene.has_model("fake-words-2-rate-0").await;
    let change = async |fields: &[(&str, &str)]| {
        let path = format!("/models/{id}");
        scene.server.patch(&path).form(fields).send().await
    };
    let changed = change(&[
        ("context_chars", "5000"),
        ("timeout_seconds", "30"),
        ("headers", r#"{"X-Title": "secret-value"}"#),
        ("query", "?api-version=2024-10-21"),
        ("key_header", "api-key"),
    ])
    .await;
    changed.has_status(200);
    let model = changed.json();
    assert_eq!(model["context_chars"], 5000);
    assert_eq!(model["timeout_seconds"], 30);
    assert_eq!(model["headers"], "x-title");
    assert_eq!(model["query"], "api-version=2024-10-21");
    assert_eq!(model["key_header"], "api-key");
    assert!(!changed.text().contains("secret-value"));

    let mut socket = scene.open2().await;
    scene.sends_prompt(&mut socket, "fake-words-2-rate-0").await;
    let ended = socket.action("generation_ended").await;
    assert_eq!(ended["status"], "complete", "{ended}");
    let seen = scene.model.last().await;
    assert_eq!(seen["query"], "api-version=2024-10-21");
    assert_eq!(seen["headers"]["x-title"], "secret-value");
    assert_eq!(seen["headers"]["accept-encoding"], "identity");
    assert!(seen["headers"]["api-key"].is_string(), "{seen}");
    assert!(seen["headers"]["authorization"].is_null(), "{seen}");
    let sealed = scene
        .server
        .database()
        .await
        .texts("SELECT headers FROM model")
        .await;
    assert!(!sealed.concat().contains("secret-value"));

    // Headers are as secret as the key.
    let moved = change(&[("base_url", "http://127.0.0.1:9/v1"), ("ak", KEY)]).await;
    moved.has_status(422);
    let nothing = change(&[
        ("context_chars", "0"),
        ("timeout_seconds", "0"),
        ("headers", "{}"),
        ("query", "?"),
        ("key_header", "authorization"),
    ])
    .await;
    nothing.has_status(200);
    for name in [
        "context_chars",
        "timeout_seconds",
        "headers",
        "query",
        "key_header",
    ] {
        assert_eq!(nothing.json()[name], Value::Null, "{name}");
    }
    for (name, value) in [
        ("context_chars", "12"),
        ("context_chars", "many"),
        ("timeout_seconds", "3601"),
        ("headers", "[]"),
        ("headers", r#"{"host": "x"}"#),
        ("query", "a b"),
        ("key_header", "cookie"),
    ] {
        change(&[(name, value)]).await.has_status(422);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_has_its_time_to_begin() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let id = scene.has_model("fake-silent").await;
    let changed = scene.server.patch(&format!("/models/{id}"));
    changed
        .form(&[("timeout_seconds", "1")])
        .send()
        .await
        .has_status(200);
    let mut socket = scene.open2().await;
    scene.sends_prompt(&mut socket, "fake-silent").await;
    let ended = socket.action("generation_ended").await;
    assert_eq!(ended["status"], "error");
    assert!(
        ended["error"].to_string().contains("within 1 second"),
        "{ended}"
    );
}
