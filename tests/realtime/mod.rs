//! Chats as they happen: sockets of both protocols, the same streams over plain HTTP, and the promises about them.
//!
//! Tests of sockets run twice, through the host's own gateway and through Pushpin (`through_both!`).

mod answers;
mod bounds;
mod branches;
mod changes;
mod clocks;
mod composer;
mod crash;
mod door;
mod fake_model;
mod feed;
mod files;
mod flushes;
mod full_disk;
mod gateway;
mod history;
mod images;
mod keys;
mod many_files;
mod nodes;
mod over_http;
mod paging;
mod resume;
mod rules;
mod sending;
mod settings;
mod ssrf;
mod statements;
mod stop;
mod texts;
mod titles;
mod upstream;
mod usage;
mod v1;
mod v2;
mod way;
mod without_sqlite;

use serde_json::Value;

use crate::support::{Database, FakeModel, Response, Server, Setup, User, login};

/// Makes two tests of each function that takes a [`Setup`].
macro_rules! through_both {
    ($($name:ident),* $(,)?) => {
        mod own_gateway {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(crate::support::Setup::app()).await;
            })*
        }

        mod pushpin {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                if crate::support::pushpin_is_installed() {
                    super::$name(crate::support::Setup::app().behind_pushpin()).await;
                }
            })*
        }
    };
}
pub(crate) use through_both;

/// A server, a fake model, and a user with a chat.
struct Scene {
    server: Server,
    model: FakeModel,
    user: User,
    chat: String,
}

impl Scene {
    /// The user has fake models of these names.
    async fn new(setup: Setup, models: &[&str]) -> Self {
        let server = setup.start().await;
        let user = login(&server, "josef@example.com").await;
        let chat = server.chat(&user, "The Trial").await;
        let scene = Self {
            server,
            model: FakeModel::start_with(&["--key", KEY]),
            user,
            chat,
        };
        for model in models {
            scene.has_model(model).await;
        }
        scene
    }

    /// Saves a fake model of this name; its id.
    async fn has_model(&self, name: &str) -> String {
        let saved = save_model(&self.server, &self.user, name, &self.model.base_url(), KEY).await;
        saved.has_status(200);
        saved.string("/id")
    }

    /// `POST /chat/{id}/messages` answered as soon as the reply has begun.
    async fn ask(&self, fields: &Value) -> Response {
        self.server
            .post(&format!("/chat/{}/messages", self.chat))
            .header("accept", "application/json")
            .json(fields.to_string())
            .send()
            .await
    }

    /// Waits until no reply of this chat is running.
    async fn settles(&self) {
        settles(&self.server, &self.chat).await;
    }

    /// The messages of the chat as stored: role, type, status, content.
    async fn stored(&self) -> Vec<String> {
        stored(&self.server, &self.chat).await
    }

    /// The stored text of the newest reply.
    async fn reply(&self) -> String {
        let sql = format!(
            "SELECT content FROM chat_conversation WHERE chat_id = '{}' AND role = 'assistant' ORDER BY position DESC LIMIT 1",
            self.chat
        );
        let texts = self.server.database().await.texts(&sql).await;
        texts.into_iter().next().expect("a reply is stored")
    }

    /// The status of the newest generation.
    async fn status(&self) -> String {
        let sql = format!(
            "SELECT status FROM generation WHERE chat_id = '{}' ORDER BY rowid DESC LIMIT 1",
            self.chat
        );
        let texts = self.server.database().await.texts(&sql).await;
        texts.into_iter().next().expect("a generation is stored")
    }
}

/// The only key that the fake models of a scene take.
const KEY: &str = "sk-test-3f1c9a";

/// `POST /models/new`.
async fn save_model(
    server: &Server,
    user: &User,
    name: &str,
    base_url: &str,
    key: &str,
) -> Response {
    server
        .post("/models/new")
        .form(&[
            ("user_id", &user.id),
            ("name", name),
            ("ak", key),
            ("base_url", base_url),
        ])
        .send()
        .await
}

/// Waits until no reply of a chat is running.
async fn settles(server: &Server, chat: &str) {
    let sql =
        format!("SELECT count(*) FROM generation WHERE chat_id = '{chat}' AND status = 'running'");
    let database = server.database().await;
    let deadline = std::time::Instant::now() + crate::support::PATIENCE;
    while database.number(&sql).await > 0 {
        assert!(std::time::Instant::now() < deadline, "a reply never ended");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

/// The messages of a chat as stored: role, type, status, content.
async fn stored(server: &Server, chat: &str) -> Vec<String> {
    stored_in(&server.database().await, chat).await
}

/// The same in this database.
async fn stored_in(database: &Database, chat: &str) -> Vec<String> {
    let sql = format!(
        "SELECT role || ' ' || type || ' ' || status || ' ' || content FROM chat_conversation
         WHERE chat_id = '{chat}' ORDER BY position"
    );
    database.texts(&sql).await
}

/// `w1 w2 … w<count>`, the text of `fake-words-<count>`.
fn words(count: usize) -> String {
    let words: Vec<_> = (1..=count).map(|number| format!("w{number}")).collect();
    words.join(" ")
}
