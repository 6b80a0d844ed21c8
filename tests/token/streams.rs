//! Server-sent events end with their session, as sockets do.

use std::time::Instant;

use serde_json::json;

use super::{Person, Town};
use crate::support::{Events, FakeModel, PATIENCE, Setup};

/// It sends 3,000 words in 150 s.
const MODEL: &str = "fake-words-3000-rate-20";

/// A town with a model, in which only the test ends a stream.
async fn town() -> (Town, FakeModel) {
    let setup = Setup::app().variable("allow_private_models", "true");
    (Town::with(setup).await, FakeModel::start())
}

impl Person {
    /// Has the model.
    async fn has_model(&self, town: &Town, model: &FakeModel) {
        self.model(town, MODEL, &model.base_url()).await;
    }

    /// Sends a prompt to a chat; returns the events of the reply.
    async fn asks(&self, town: &Town, chat: &str) -> Events {
        let body = json!({ "prompt": "hello", "model": MODEL }).to_string();
        let asked = town.server.post(&format!("/chat/{chat}/messages"));
        let asked = asked.by(self).header("accept", "text/event-stream");
        asked.json(body).events().await
    }

    /// Joins the reply.
    async fn joins(&self, town: &Town, chat: &str, reply: &str) -> Events {
        let path = format!("/chat/{chat}/generations/{reply}/events");
        town.server.get(&path).by(self).events().await
    }
}

/// Reads until the stream ends, which must be soon, with the reason.
async fn ends_with_its_session(mut events: Events) {
    let begun = Instant::now();
    let mut last = None;
    while let Some(event) = events.next().await {
        assert!(begun.elapsed() < PATIENCE, "it goes on and on");
        last = Some(event);
    }
    let last = last.expect("it contains events");
    assert_eq!(last.event, "error", "{last:?}");
    assert_eq!(last.data["code"], "unauthorized", "{last:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_end_when_their_session_is_revoked_or_expires() {
    let (town, model) = town().await;
    let josef = town.person("josef@example.com").await;
    josef.has_model(&town, &model).await;
    let chat = josef.chat(&town, "c").await;
    let mut writer = josef.asks(&town, &chat).await;
    let started = writer.event("generation_started").await;
    let reply = started.data["generation_id"].as_str().expect("an id");
    let follower = josef.joins(&town, &chat, reply).await;
    // Of another session, which is as good afterwards as before.
    let again = town.person("josef@example.com").await;
    let mut other = again.joins(&town, &chat, reply).await;
    other.event("delta").await;
    // One whose session expires, without an event about it.
    let late = town.person("josef@example.com").await;
    let expiring = late.joins(&town, &chat, reply).await;

    let logout = town.server.post("/auth/logout").by(&josef);
    logout.send().await.has_status(200);
    let newest = "(SELECT id FROM session ORDER BY rowid DESC LIMIT 1)";
    let expires = format!("UPDATE session SET expires_at = unixepoch() * 1000 WHERE id = {newest}");
    town.server.change(&expires).await;
    futures::join!(
        ends_with_its_session(writer),
        ends_with_its_session(follower),
        ends_with_its_session(expiring),
    );
    // The reply goes on, and who may read it does.
    let next = other.event("delta").await;
    assert!(next.data["seq"].as_u64() > Some(1), "{next:?}");
    let stop = town.server.post(&format!("/chat/{chat}/stop")).by(&again);
    stop.send().await.has_status(200);
    let ended = other.event("generation_ended").await;
    assert_eq!(ended.data["status"], "stopped");
}
