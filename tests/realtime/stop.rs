//! Stop is real (docs/promises.md#14-stop), and a disconnect is not a stop. How soon it is, the load program measures
//! (`--promises`).

use std::time::Duration;

use serde_json::{Value, json};

use super::{Scene, through_both, words};
use crate::support::{PATIENCE, Setup};

through_both!(
    a_stop_closes_the_connection_to_the_model,
    a_stop_before_the_first_token,
    a_stop_of_a_model_that_fell_silent,
    a_stop_twice_and_without_a_reply_is_harmless,
    a_disconnect_is_not_a_stop,
);

async fn a_stop_closes_the_connection_to_the_model(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-600-rate-20"]).await;
    let mut socket = scene.open2().await;
    scene
        .sends_prompt(&mut socket, "fake-words-600-rate-20")
        .await;
    while socket.action("delta").await["seq"].as_u64() < Some(5) {}
    socket.send(&json!({"action": "stop", "id": "s"})).await;
    scene.model.saw(PATIENCE, hung_up).await;
    let ended = socket.action("generation_ended").await;
    assert_eq!(ended["status"], "stopped");
    let text = ended["message"]["content"].as_str().expect("text");
    assert!(
        text.starts_with("w1 w2") && words(600).starts_with(text),
        "{text}"
    );
    assert_eq!(scene.reply().await, text);
    // And the chat goes on.
    scene.has_model("fake-words-2-rate-0").await;
    scene.sends_prompt(&mut socket, "fake-words-2-rate-0").await;
    assert_eq!(
        socket.action("generation_ended").await["status"],
        "complete"
    );
}

async fn a_stop_before_the_first_token(setup: Setup) {
    let models = ["fake-hang", "fake-silent", "fake-words-5-first-60000"];
    let scene = Scene::new(setup, &models).await;
    let mut socket = scene.open2().await;
    for (count, model) in (1..).zip(models) {
        scene.sends_prompt(&mut socket, model).await;
        let started = socket.action("generation_started").await;
        scene
            .model
            .saw(PATIENCE, |seen| {
                seen["requests"] == count && seen["open"] == 1
            })
            .await;
        let stop = json!({"action": "stop", "generation_id": started["generation_id"]});
        socket.send(&stop).await;
        scene
            .model
            .saw(PATIENCE, |seen| seen["hung_up"] == count)
            .await;
        let ended = socket.action("generation_ended").await;
        assert_eq!(ended["status"], "stopped", "{model}: {ended}");
        assert_eq!(ended["message"]["content"], "", "{model}");
    }
}

async fn a_stop_of_a_model_that_fell_silent(setup: Setup) {
    let scene = Scene::new(setup, &["fake-stall-4-rate-0"]).await;
    let mut socket = scene.open2().await;
    scene.sends_prompt(&mut socket, "fake-stall-4-rate-0").await;
    let delta = socket.action("delta").await;
    tokio::time::sleep(Duration::from_millis(1300)).await;
    socket
        .send(&json!({"action": "stop", "generation_id": delta["generation_id"]}))
        .await;
    scene.model.saw(PATIENCE, hung_up).await;
    let ended = socket.action("generation_ended").await;
    assert_eq!(ended["status"], "stopped");
    assert!(
        ended["message"]["content"]
            .as_str()
            .is_some_and(|text| text.starts_with("You asked: "))
    );
}

async fn a_stop_twice_and_without_a_reply_is_harmless(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-600-rate-20"]).await;
    let mut socket = scene.open2().await;
    for id in ["1", "2"] {
        socket.send(&json!({"action": "stop", "id": id})).await;
        assert_eq!(socket.action("ack").await["in_reply_to"], id);
    }
    scene
        .sends_prompt(&mut socket, "fake-words-600-rate-20")
        .await;
    let generation = socket.action("generation_started").await["generation_id"].clone();
    let other = json!({"action": "stop", "generation_id": "another", "id": "3"});
    socket.send(&other).await;
    loop {
        let frame = socket.json().await;
        if frame["in_reply_to"] == "3" {
            break;
        }
        assert_ne!(
            frame["action"], "generation_ended",
            "another's stop is not ours"
        );
    }
    for id in ["4", "5"] {
        socket
            .send(&json!({"action": "stop", "generation_id": generation, "id": id}))
            .await;
    }
    let (mut acks, mut ends) = (0, 0);
    while acks < 2 || ends < 1 {
        match socket.json().await["action"].as_str() {
            Some("ack") => acks += 1,
            Some("generation_ended") => ends += 1,
            Some("error") => panic!("a second stop is no error"),
            _ => {}
        }
    }
    assert_eq!(scene.status().await, "stopped");
}

async fn a_disconnect_is_not_a_stop(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-60-rate-20"]).await;
    let mut sender = scene.open2().await;
    let mut old = scene.opened().await;
    let mut watcher = scene.server.chat_client(&scene.chat).await;
    scene
        .sends_prompt(&mut sender, "fake-words-60-rate-20")
        .await;
    sender.action("delta").await;
    old.ping().await;
    drop(sender);
    old.close().await;
    watcher.leave();
    scene.settles().await;
    assert_eq!(scene.status().await, "complete");
    assert_eq!(scene.reply().await, words(60));
    watcher.go_to(scene.server.sockets()).await;
    assert_eq!(watcher.settled().await.content, words(60));
}

fn hung_up(seen: &Value) -> bool {
    seen["hung_up"] == 1 && seen["open"] == 0
}

impl Scene {
    /// Sends a message that `model` is to answer.
    pub(super) async fn sends_prompt(&self, socket: &mut crate::support::Socket, model: &str) {
        socket
            .send(&json!({"action": "new_message", "prompt": "hello", "model": model}))
            .await;
    }
}
