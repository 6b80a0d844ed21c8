//! Pieces of a running reply wait for no flush (docs/decisions.md#pieces-of-a-reply-are-not-waited-for).

use std::time::Instant;

use super::Scene;
use crate::support::Setup;

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
