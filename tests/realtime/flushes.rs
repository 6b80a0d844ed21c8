//! What of a reply waits for the disk, and what does not (docs/decisions.md#pieces-of-a-reply-are-not-waited-for,
//! docs/decisions.md#a-prompt-is-flushed-while-the-model-is-asked).

mod held_disk;

use std::time::Instant;

use serde_json::json;

use self::held_disk::HeldDisk;
use super::Scene;
use crate::support::{PATIENCE, Setup};

/// Each word is a piece of its own.
const MODEL: &str = "fake-words-25-rate-10";

/// How many flushes there were.
const FLUSHES: &str = r#"flush_duration_seconds_count{database="default"}"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_is_flushed_at_its_end_and_now_and_then() {
    let scene = Scene::new(Setup::app().argument("--metrics=0"), &[MODEL]).await;
    let flushes = async || scene.server.metrics().await.value(FLUSHES);
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask(MODEL, "hello").await;
    client.until("some text", |client| client.deltas > 0).await;
    let (before, first, begun) = (flushes().await, client.deltas, Instant::now());
    client.settled().await;
    let flushed = flushes()
        .await
        .zip(before)
        .map(|(after, before)| after - before);
    let flushed = flushed.expect("they are counted");
    let pieces = client.deltas - first;
    assert!(pieces >= 15, "{pieces} pieces");
    // The end, and one in each second that has begun.
    let most = 2.0 + begun.elapsed().as_secs_f64();
    assert!(
        flushed >= 1.0 && flushed <= most,
        "{flushed} flushes of {pieces} pieces"
    );
}

/// While the disk takes the prompt, the model is asked, and nobody is told.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_prompt_is_told_when_the_disk_has_it() {
    let disk = HeldDisk::new();
    let scene = Scene::new(disk.of(Setup::app()), &[MODEL]).await;
    let mut window = scene.server.v2(&scene.chat).await;
    window.action("initial").await;
    let prompt = json!({ "prompt": "hello", "model": MODEL, "client_id": "a" });
    disk.hold();
    let twice = async { tokio::join!(scene.ask(&prompt), scene.ask(&prompt)) };
    let held = async {
        scene
            .model
            .saw(PATIENCE, |seen| seen["requests"] == 1)
            .await;
        window.is_quiet().await;
        disk.release();
        Instant::now()
    };
    let answered = async {
        let answers = twice.await;
        (answers, Instant::now())
    };
    let (((first, second), answered), released) = tokio::join!(answered, held);
    assert!(answered > released, "a prompt was confirmed too early");
    first.has_status(202);
    second.has_status(202);
    assert_eq!(first.json(), second.json());
    window.action("generation_ended").await;
    scene.settles().await;
    assert_eq!(scene.status().await, "complete");
    assert_eq!(scene.model.requests().await, 1);
}
