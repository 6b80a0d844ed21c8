//! Replies whose components speak to the server of the database themselves (spin.akamai.toml).

use std::time::{Duration, Instant};

use serde_json::json;

use super::{Scene, words};
use crate::libsql::components::closes_its_streams;
use crate::support::{Fault, Setup};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_is_streamed_to_its_end() {
    let scene = Scene::new(Setup::without_sqlite(), &["fake-words-40-rate-20"]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask("fake-words-40-rate-20", "hello").await;
    let reply = client.reply().await;
    assert_eq!(reply.content, words(40));
    assert_eq!(reply.status, "complete");
    assert!(client.deltas > 3, "{} pieces", client.deltas);
    assert_eq!(scene.reply().await, words(40));
    closes_its_streams(&scene.server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_within_a_transaction_keeps_nobody_waiting() {
    let scene = Scene::new(Setup::without_sqlite(), &["fake-words-60-rate-20"]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask("fake-words-60-rate-20", "hello").await;
    client.until("some text", |client| client.deltas > 0).await;
    let fields = json!({"prompt": "again", "model": "fake-words-60-rate-20"});
    for _ in 0..3 {
        scene.ask(&fields).await.has_status(409);
        let begun = Instant::now();
        // Another component, whose statement waits for the lock.
        scene.server.chat(&scene.user, "at once").await;
        // The server itself ends a transaction after five seconds.
        assert!(
            begun.elapsed() < Duration::from_secs(2),
            "{:?}",
            begun.elapsed()
        );
    }
    assert_eq!(client.settled().await.content, words(60));
    closes_its_streams(&scene.server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_whose_transaction_is_undone_can_be_sent_again() {
    let scene = Scene::new(Setup::without_sqlite(), &["fake-words-3-rate-0"]).await;
    // With a list of files, though an empty one, a prompt is stored in a transaction.
    let fields = json!({"prompt": "hello", "model": "fake-words-3-rate-0", "file_ids": []});
    // Whose answer is cut has no key to its stream any more, and the server closes it.
    scene.server.hrana().hurry();
    for fault in [Fault::RolledBack, Fault::CutInside, Fault::Forgotten] {
        scene.server.hrana().fail("INSERT INTO", fault);
        let answer = scene.ask(&fields).await;
        assert!(scene.server.hrana().recover(), "{fault:?}");
        answer.has_status(503);
        assert_eq!(scene.stored().await, [] as [String; 0], "{fault:?}");
    }
    scene.ask(&fields).await.has_status(202);
    scene.settles().await;
    assert_eq!(scene.reply().await, words(3));
    closes_its_streams(&scene.server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_whose_insertion_fails_is_stored_once() {
    let scene = Scene::new(Setup::without_sqlite(), &["fake-words-3-rate-0"]).await;
    // Of the first three it is known that nothing was done, so they are tried again; of the others it is not.
    for (number, fault, status) in [
        (1, Fault::Busy, 202),
        (2, Fault::RolledBack, 202),
        (3, Fault::Forgotten, 202),
        (4, Fault::Cut, 503),
        (5, Fault::CutInside, 503),
    ] {
        let fields = json!({"prompt": "hello", "model": "fake-words-3-rate-0",
            "client_id": number.to_string()});
        scene.server.hrana().fail("INSERT INTO beginning", fault);
        let answer = scene.ask(&fields).await;
        assert!(scene.server.hrana().recover(), "{fault:?}");
        answer.has_status(status);
        scene.ask(&fields).await.has_status(202);
        if number < 5 {
            scene.settles().await;
        }
        assert_eq!(scene.stored().await.len(), 2 * number, "{fault:?}");
    }
}
