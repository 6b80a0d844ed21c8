//! Sending is idempotent (docs/promises.md#21-idempotent-sending), and its cost does not grow with the chat.

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Scene, through_both};
use crate::support::{Database, Setup};

through_both!(the_same_client_id_is_the_same_message);

async fn the_same_client_id_is_the_same_message(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-10-rate-20"]).await;
    let message = json!({"action": "new_message", "prompt": "hello", "model": "fake-words-10-rate-20",
        "client_id": "mine-1", "id": "a"});
    let mut socket = scene.open2().await;
    socket.send(&message).await;
    let first = socket.action("ack").await;
    // While the reply runs, from another window, and after its end.
    socket.send(&message).await;
    let second = socket.action("ack").await;
    let mut other = scene.open2().await;
    other.send(&message).await;
    let third = other.action("ack").await;
    scene.settles().await;
    other.send(&message).await;
    let fourth = other.action("ack").await;
    for again in [&second, &third, &fourth] {
        assert_eq!(again["message_id"], first["message_id"]);
        assert_eq!(again["generation_id"], first["generation_id"]);
    }
    let over_http = scene
        .ask(&json!({"prompt": "hello", "model": "fake-words-10-rate-20", "client_id": "mine-1"}))
        .await;
    over_http.has_status(202);
    assert_eq!(over_http.json()["message_id"], first["message_id"]);
    scene.settles().await;
    assert_eq!(scene.stored().await.len(), 2);
    assert_eq!(scene.server.database().await.count("generation").await, 1);
    assert_eq!(scene.model.requests().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_client_id_at_once_is_one_message() {
    let scene = std::sync::Arc::new(Scene::new(Setup::app(), &["fake-words-10-rate-20"]).await);
    let senders: Vec<_> = (0..8)
        .map(|_| {
            let scene = scene.clone();
            tokio::spawn(async move {
                let fields =
                    json!({"prompt": "x", "model": "fake-words-10-rate-20", "client_id": "one"});
                let answer = scene.ask(&fields).await;
                answer.has_status(202);
                answer.string("/generation_id")
            })
        })
        .collect();
    let mut generations = Vec::new();
    for sender in senders {
        generations.push(sender.await.expect("every sender is answered"));
    }
    generations.dedup();
    assert_eq!(generations.len(), 1);
    scene.settles().await;
    assert_eq!(scene.stored().await.len(), 2);
    assert_eq!(scene.model.requests().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn appending_costs_the_same_in_a_long_chat() {
    let scene = Scene::new(Setup::app(), &["fake-words-1-rate-0"]).await;
    let long = scene.server.chat(&scene.user, "long").await;
    // Shut down, because the database is changed by hand.
    let state = scene.server.kill();
    for (chat, count) in [(&scene.chat, 10), (&long, 10_000)] {
        let sql = Database::conversation(chat, count);
        Database::change(state.path(), &sql).await;
    }
    let server = Setup::app().state(state).start().await;
    let mut scene = Scene { server, ..scene };
    let mut medians = Vec::new();
    for chat in [scene.chat.clone(), long] {
        scene.chat = chat;
        let mut took = Vec::new();
        for number in 0..21 {
            let began = Instant::now();
            scene
                .ask(&json!({"prompt": format!("{number}"), "model": "fake-words-1-rate-0"}))
                .await
                .has_status(202);
            took.push(began.elapsed());
            scene.settles().await;
        }
        took.sort();
        medians.push(took[took.len() / 2]);
    }
    let [short, long] = medians[..] else {
        unreachable!("two chats")
    };
    println!("appending: {short:?} at 10 messages, {long:?} at 10,000");
    assert!(
        long < short * 3 + Duration::from_millis(10),
        "{short:?} at 10 messages, {long:?} at 10,000"
    );
}
