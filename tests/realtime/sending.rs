//! Sending is idempotent (docs/promises.md#21-idempotent-sending). That its cost does not grow with the chat, the load
//! program shows (`--realtime`).

use serde_json::json;

use super::{Scene, through_both};
use crate::support::Setup;

through_both!(the_same_client_id_is_the_same_message);

async fn the_same_client_id_is_the_same_message(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-10-rate-20"]).await;
    let message = json!({"action": "new_message", "prompt": "hello", "model": "fake-words-10-rate-20",
        "client_id": "mine-1", "id": "a"});
    let mut socket = scene.open2().await;
    socket.send(&message).await;
    let first = socket.action("ack").await;
    // While the reply runs, from another client, and after its end.
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
