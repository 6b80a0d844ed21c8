//! Chats that are named by their models.

use serde_json::{Value, json};

use super::{Scene, through_both};
use crate::support::{PATIENCE, Server, Setup};

impl Scene {
    /// A new chat that is to be named.
    async fn begins_a_chat(&mut self) {
        let form = [
            ("user_id", self.user.id.as_str()),
            ("workspace_id", &self.user.workspace),
            ("chat_name", "New chat"),
            ("auto_title", "true"),
        ];
        let made = self.server.post("/chat/new").form(&form).send().await;
        made.has_status(200);
        self.chat = made.string("/chat_id");
    }

    async fn name(&self) -> String {
        let shown = self
            .server
            .get(&format!("/chat/{}", self.chat))
            .send()
            .await;
        shown.string("/name")
    }

    /// Waits until the model has answered so many requests.
    async fn has_answered(&self, count: usize) -> Value {
        let deadline = std::time::Instant::now() + PATIENCE;
        loop {
            let seen = self.model.seen().await;
            if seen["requests"] == count && seen["open"] == 0 {
                return seen;
            }
            assert!(std::time::Instant::now() < deadline, "{seen}");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// Waits until what naming takes is counted: as many replies as that.
    async fn has_counted(&self, replies: i64) {
        let deadline = std::time::Instant::now() + PATIENCE;
        let database = self.server.database().await;
        while database
            .number("SELECT coalesce(sum(replies), 0) FROM usage")
            .await
            < replies
        {
            assert!(std::time::Instant::now() < deadline, "it is not counted");
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }
}

const MODEL: &str = "fake-words-2-rate-0";

async fn a_chat_is_named_once_and_sockets_learn_it(setup: Setup) {
    let mut scene = Scene::new(setup, &[MODEL]).await;
    scene.begins_a_chat().await;
    let mut client = scene.server.v2(&scene.chat).await;
    client.action("initial").await;
    let prompt = "Who accuses Josef K. of what, and before which of the courts?";
    scene
        .ask(&json!({ "prompt": prompt }))
        .await
        .has_status(202);
    let ended = client.action("generation_ended").await["rev"].clone();
    let renamed = client.action("chat_renamed").await;
    assert_eq!(renamed["name"], "Who accuses Josef K. of what,");
    assert_eq!(renamed["rev"], json!(ended.as_i64().expect("a rev") + 1));
    assert_eq!(scene.name().await, "Who accuses Josef K. of what,");
    let seen = scene.has_answered(2).await;
    let asked = &seen["last"][1]["body"];
    let text = asked["messages"][1]["content"].as_str().expect("a text");
    assert!(text.contains(prompt) && text.contains("w1 w2"), "{asked}");
    scene.has_counted(2).await;
    // The second reply names nothing.
    scene
        .ask(&json!({ "prompt": "And why?" }))
        .await
        .has_status(202);
    scene.settles().await;
    scene.has_answered(3).await;
    assert_eq!(scene.name().await, "Who accuses Josef K. of what,");
}

through_both!(a_chat_is_named_once_and_sockets_learn_it);

async fn rename(server: &Server, chat: &str, path: &str, name: &str) {
    let form = [("chat_id", chat), ("new_name", name), ("name", name)];
    server.patch(path).form(&form).send().await.has_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_a_person_gave_is_kept() {
    let mut scene = Scene::new(Setup::app(), &[MODEL]).await;
    // Before the reply, even with the name that it had.
    scene.begins_a_chat().await;
    rename(&scene.server, &scene.chat, "/chat/rename", "New chat").await;
    scene
        .ask(&json!({ "prompt": "Who?" }))
        .await
        .has_status(202);
    scene.settles().await;
    scene.has_answered(1).await;
    assert_eq!(scene.name().await, "New chat");
    // A program that began before there were titles.
    scene.begins_a_chat().await;
    let old = format!("UPDATE chat SET name = 'mine' WHERE id = '{}'", scene.chat);
    scene.server.change(&old).await;
    scene
        .ask(&json!({ "prompt": "Who?" }))
        .await
        .has_status(202);
    scene.settles().await;
    scene.has_answered(2).await;
    assert_eq!(scene.name().await, "mine");
    // While the model thinks of a name: it takes seconds for six words.
    scene.has_model("fake-words-1-rate-2").await;
    scene.begins_a_chat().await;
    let prompt =
        json!({ "prompt": "one two three four five six seven", "model": "fake-words-1-rate-2" });
    scene.ask(&prompt).await.has_status(202);
    while scene.model.seen().await["requests"] != 4 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let path = format!("/chat/{}", scene.chat);
    rename(&scene.server, &scene.chat, &path, "mine").await;
    scene.has_answered(4).await;
    scene.has_counted(4).await;
    assert_eq!(scene.name().await, "mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_whose_model_gives_no_name_keeps_its_own() {
    let mut scene = Scene::new(Setup::app(), &["fake-words-2-rate-0-no-title"]).await;
    scene.begins_a_chat().await;
    scene
        .ask(&json!({ "prompt": "Who?" }))
        .await
        .has_status(202);
    scene.settles().await;
    assert_eq!(scene.status().await, "complete");
    scene.has_answered(2).await;
    scene
        .ask(&json!({ "prompt": "Who?" }))
        .await
        .has_status(202);
    scene.settles().await;
    scene.has_answered(3).await;
    assert_eq!(scene.name().await, "New chat");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_whole_reply_names_and_its_stream_does_not_wait() {
    let mut scene = Scene::new(Setup::app(), &["fake-401", "fake-words-1-rate-1"]).await;
    scene.begins_a_chat().await;
    scene
        .ask(&json!({ "prompt": "Who?", "model": "fake-401" }))
        .await
        .has_status(202);
    scene.settles().await;
    scene.has_answered(1).await;
    let path = format!("/chat/{}/messages/stream", scene.chat);
    let prompt = json!({ "prompt": "one two three four five six", "model": "fake-words-1-rate-1" });
    let mut events = scene
        .server
        .post(&path)
        .json(prompt.to_string())
        .events()
        .await;
    let mut last = None;
    while let Some(event) = events.next().await {
        last = Some(event.event);
    }
    assert_eq!(last.as_deref(), Some("generation_ended"));
    // Six words, one a second.
    assert_eq!(scene.name().await, "New chat");
    scene.has_answered(3).await;
    scene.has_counted(2).await;
    assert_eq!(scene.name().await, "one two three four five six");
}
