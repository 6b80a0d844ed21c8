//! The answers to `sync`.

use serde_json::{Value, json};

use super::super::{Scene, through_both, words};
use crate::support::{ChatClient, Setup};

through_both!(
    sync_contains_newer_changes,
    sync_fits_a_frame_and_the_next_sync_has_the_rest,
    many_syncs_at_once_are_all_answered,
);

async fn sync_contains_newer_changes(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-2-rate-0", "fake-words-60-rate-20"]).await;
    let mut socket = scene.server.v2(&scene.chat).await;
    let before = socket.json().await["rev"].clone();
    socket
        .send(&json!({"action": "new_message", "prompt": "one", "model": "fake-words-2-rate-0"}))
        .await;
    let between = socket.action("generation_ended").await["rev"].clone();
    socket.send(&json!({"action": "sync", "rev": before})).await;
    let sync = socket.action("sync").await;
    assert_eq!(sync["rev"], between);
    assert_eq!(sync["generation"], json!(null));
    let texts: Vec<_> = sync["messages"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| &it["content"])
        .collect();
    assert_eq!(texts, ["one", "w1 w2"]);
    socket
        .send(&json!({"action": "sync", "rev": between}))
        .await;
    let sync = socket.action("sync").await;
    assert_eq!(sync["messages"], json!([]), "nothing is newer");

    socket
        .send(&json!({"action": "new_message", "prompt": "two", "model": "fake-words-60-rate-20"}))
        .await;
    while socket.action("delta").await["seq"].as_u64() < Some(3) {}
    socket
        .send(&json!({"action": "sync", "rev": between}))
        .await;
    let sync = socket.action("sync").await;
    let running = &sync["generation"];
    assert_eq!(running["status"], "running");
    assert!(running["seq"].as_u64() >= Some(3), "{running}");
    let text = running["content"].as_str().expect("text");
    assert!(
        words(60).starts_with(text) && text.starts_with("w1 w2"),
        "{text:?}"
    );
    assert!(running["id"].is_string() && running["message_id"].is_string());
    socket.send(&json!({"action": "stop"})).await;
    socket.action("generation_ended").await;
}

async fn sync_fits_a_frame_and_the_next_sync_has_the_rest(setup: Setup) {
    const STALLED: &str = "fake-words-30000-stall-29000-rate-0";
    let scene = Scene::new(setup, &["fake-words-2-rate-0", STALLED]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    // More than a frame holds, and a reply that takes most of one.
    for number in 0..8 {
        let prompt = format!("{number} {}", "x".repeat(80_000));
        client.ask("fake-words-2-rate-0", &prompt).await;
        client.reply().await;
    }
    client.ask(STALLED, "at length").await;
    let is_long = |client: &ChatClient| client.last().content.len() > 150_000;
    client.until("a long text", is_long).await;

    let mut socket = scene.open2().await;
    let (mut rev, mut seen) = (0, Vec::new());
    loop {
        socket.send(&json!({"action": "sync", "rev": rev})).await;
        let frame = loop {
            let text = socket.text().await;
            assert!(text.len() <= 500_000, "a frame of {} bytes", text.len());
            let frame: Value = serde_json::from_str(&text).expect("JSON");
            if frame["action"] == "sync" {
                break frame;
            }
        };
        let text = frame["generation"]["content"].as_str().expect("the reply");
        // After the last word that comes, there is a space.
        assert!(text.len() > 150_000 && words(29_001).starts_with(text));
        for message in frame["messages"].as_array().expect("a list") {
            let content = message["content"].as_str();
            seen.push(content.map(|content| content.chars().take(2).collect::<String>()));
        }
        let reached = frame["rev"].as_i64().expect("a number");
        assert!(reached > rev, "it goes on after {rev}");
        rev = reached;
        if frame["has_more"] == false {
            break;
        }
    }
    let begins = |start: &str| seen.iter().flatten().any(|seen| seen == start);
    for number in 0..8 {
        assert!(begins(&format!("{number} ")), "{number} of {seen:?}");
    }
    assert!(begins("at"), "{seen:?}");
    socket.send(&json!({"action": "stop"})).await;
}

async fn many_syncs_at_once_are_all_answered(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut old = scene.opened().await;
    for number in 0..2 {
        old.send_text(&format!("{number} {}", "x".repeat(60_000)))
            .await;
        old.text().await;
    }
    let mut socket = scene.open2().await;
    for id in 0..30 {
        let id = id.to_string();
        socket
            .send(&json!({"action": "sync", "rev": 0, "id": id}))
            .await;
    }
    // As many as one answer holds; the others come with the next `sync`.
    let mut syncs = 0;
    for id in 0..30 {
        let frame = socket.json().await;
        assert_eq!(frame["in_reply_to"], id.to_string(), "{}", frame["action"]);
        if frame["action"] == "sync" {
            assert_eq!(frame["messages"].as_array().map(Vec::len), Some(4));
            syncs += 1;
        } else {
            assert_eq!(frame["code"], "rate_limited", "{frame}");
        }
    }
    assert!((1..30).contains(&syncs), "{syncs} of 30");
    socket.send(&json!({"action": "sync", "rev": 0})).await;
    socket.action("sync").await;
}
