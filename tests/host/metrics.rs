//! `kafka up --metrics` (docs/operations.md#metrics).

use serde_json::json;

use crate::support::{FakeModel, Server, Setup, login};

async fn started() -> Server {
    Setup::app().argument("--metrics=0").start().await
}

#[tokio::test]
async fn a_port_alone_is_one_of_loopback() {
    let server = started().await;
    server.logs("Metrics: http://127.0.0.1:").await;
    for (method, path, status) in [
        ("GET", "/metrics", 200),
        ("HEAD", "/metrics", 200),
        ("POST", "/metrics", 405),
        ("GET", "/", 404),
    ] {
        let answer = server.ask_for_metrics(method, path).await.send().await;
        answer.has_status(status);
    }
    let answer = server.ask_for_metrics("GET", "/metrics").await;
    let media_type = answer.send().await.header("content-type").to_owned();
    assert!(media_type.starts_with("text/plain; version=0.0.4"));
    // Clients find nothing.
    server.get("/metrics").send().await.has_status(404);
}

#[tokio::test]
async fn requests_are_counted_by_route_and_status_and_no_path_is_shown() {
    let server = started().await;
    let secret = "0190b3a0-2f65-7b7c-9f54-3a2b1c0d9e8f";
    for _ in 0..3 {
        let path = format!("/chat/{secret}");
        server.get(&path).send().await.has_status(404);
    }
    let path = format!("/{secret}/unknown");
    server.get(&path).send().await.has_status(404);
    let of_chat = r#"requests_total{component="chat",route="/chat/...",status="404"}"#;
    server.measures(of_chat, |count| count == 3.0).await;
    let of_others = r#"requests_total{component="web",route="/...",status="404"}"#;
    server.measures(of_others, |count| count == 1.0).await;
    let metrics = server.metrics().await;
    let durations = r#"request_duration_seconds_count{component="chat",route="/chat/..."}"#;
    assert_eq!(metrics.value(durations), Some(3.0));
    let queue = metrics.value(r#"queue_seconds_count{component="chat"}"#);
    assert_eq!(queue, Some(3.0));
    let made = metrics.value(r#"instances_made_total{component="chat"}"#);
    // A request that waits for its instance may get another one.
    assert!(made >= Some(1.0), "{made:?}");
    assert!(!metrics.text().contains(secret), "{}", metrics.text());
}

#[tokio::test]
async fn traps_are_counted() {
    let server = Setup::trouble().argument("--metrics=0").start().await;
    let sample = |component: &str| format!(r#"instances_failed_total{{component="{component}"}}"#);
    let before = server.metrics().await;
    assert_eq!(before.value(&sample("trouble")), Some(0.0));
    server.get("/panic").send().await.has_status(500);
    server
        .measures(&sample("trouble"), |count| count == 1.0)
        .await;
    let after = server.metrics().await;
    assert_eq!(after.value(&sample("bystander")), Some(0.0));
}

#[tokio::test]
async fn the_database_is_measured() {
    let server = started().await;
    let samples = [
        r#"statement_duration_seconds_count{database="default"}"#,
        r#"flush_duration_seconds_count{database="default"}"#,
        r#"database_bytes{database="default"}"#,
        r#"database_log_bytes{database="default"}"#,
    ];
    login(&server, "someone@example.com").await;
    let before = server.metrics().await;
    login(&server, "another@example.com").await;
    let after = server.metrics().await;
    for sample in samples {
        assert!(after.value(sample) > Some(0.0), "{sample}");
    }
    for sample in &samples[..2] {
        assert!(after.value(sample) > before.value(sample), "{sample}");
    }
    assert_eq!(
        after.value(r#"writers_waiting{database="default"}"#),
        Some(0.0)
    );
    // The first look into an empty database fails, and tells that it is empty.
    let failed = r#"statements_failed_total{database="default"}"#;
    assert_eq!(after.value(failed), before.value(failed));
    assert_eq!(after.value("disk_full"), Some(0.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sockets_and_calls_are_measured() {
    let server = started().await;
    let user = login(&server, "someone@example.com").await;
    let chat = server.chat(&user, "The Trial").await;
    let model = FakeModel::start();
    let saved = server.post("/models/new").form(&[
        ("user_id", user.id.as_str()),
        ("name", "fake-words-2-rate-0"),
        ("ak", "any"),
        ("base_url", &model.base_url()),
    ]);
    saved.send().await.has_status(200);
    let socket = server.v2(&chat).await;
    server.measures("sockets", |count| count == 1.0).await;
    server.measures("channels", |count| count >= 1.0).await;
    let prompt = json!({ "prompt": "x", "model": "fake-words-2-rate-0" });
    let asked = server.post(&format!("/chat/{chat}/messages"));
    let asked = asked.header("accept", "application/json");
    asked.json(prompt.to_string()).send().await.has_status(202);
    for sample in [
        r#"outbound_requests_total{component="relay",to="component",result="2xx"}"#,
        r#"outbound_requests_total{component="reply",to="network",result="2xx"}"#,
        r#"outbound_requests_total{component="reply",to="gateway",result="2xx"}"#,
        r#"outbound_duration_seconds_count{component="reply",to="network"}"#,
        "messages_published_total",
        "messages_delivered_total",
    ] {
        server.measures(sample, |count| count >= 1.0).await;
    }
    let text = server.metrics().await;
    assert!(!text.text().contains("127.0.0.1"), "{}", text.text());
    drop(socket);
    server.measures("sockets", |count| count == 0.0).await;
    server.measures("channels", |count| count == 0.0).await;
    assert_eq!(server.metrics().await.value("waiting_bytes"), Some(0.0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replies_and_files_are_measured() {
    let server = started().await;
    let user = login(&server, "someone@example.com").await;
    let model = FakeModel::start();
    const MODELS: [(&str, &str); 3] = [
        ("fake-words-20-rate-0", "complete"),
        ("fake-error-in-200", "error"),
        ("fake-silent", "stopped"),
    ];
    for (name, _) in MODELS {
        let saved = server.post("/models/new").form(&[
            ("user_id", user.id.as_str()),
            ("name", name),
            ("ak", "any"),
            ("base_url", &model.base_url()),
        ]);
        saved.send().await.has_status(200);
    }
    for (name, status) in MODELS {
        let chat = server.chat(&user, name).await;
        let prompt = json!({ "prompt": "x", "model": name }).to_string();
        let asked = server.post(&format!("/chat/{chat}/messages"));
        let asked = asked.header("accept", "application/json").json(prompt);
        asked.send().await.has_status(202);
        if status == "stopped" {
            let running = r#"instances{component="reply"}"#;
            server.measures(running, |count| count >= 1.0).await;
            let stop = server.post(&format!("/chat/{chat}/stop")).send().await;
            stop.has_status(200);
        }
        let ended = format!(r#"replies_ended_total{{status="{status}"}}"#);
        server.measures(&ended, |count| count == 1.0).await;
    }
    let metrics = server.metrics().await;
    assert_eq!(metrics.value("reply_duration_seconds_count"), Some(3.0));
    assert_eq!(metrics.value("reply_first_piece_seconds_count"), Some(1.0));
    assert_eq!(metrics.value("reply_characters_count"), Some(3.0));
    assert!(metrics.value("reply_characters_sum") >= Some(20.0));
    assert!(metrics.value("reply_duration_seconds_sum") > Some(0.0));
    assert_eq!(
        metrics.value(r#"replies_ended_total{status="other"}"#),
        Some(0.0)
    );

    let letter = crate::support::repository().join("tests/cases/files/letter.docx");
    let letter = std::fs::read(letter).expect("the letter is there");
    let read = server.file(&user, "letter.docx", letter).await;
    assert_eq!(server.reads(&read).await["text_state"], "ready");
    let broken = server
        .file(&user, "broken.pdf", "%PDF-1.7 and no more")
        .await;
    assert_eq!(server.reads(&broken).await["text_state"], "failed");
    for result in ["text", "no text"] {
        let sample = format!(r#"extractions_total{{result="{result}"}}"#);
        server.measures(&sample, |count| count == 1.0).await;
    }
    let metrics = server.metrics().await;
    assert_eq!(
        metrics.value("extraction_duration_seconds_count"),
        Some(2.0)
    );
}
