//! The conversation as a tree: edited prompts, further replies, and which branch is the active one.

mod choosing;
mod missed;
mod refused;

use serde_json::{Value, json};

use super::Scene;
use crate::support::{ChatClient, Socket};

/// A model that repeats the prompt.
const SAY: &str = "fake-say-rate-0";

fn texts(client: &ChatClient) -> Vec<&str> {
    let texts = client
        .messages
        .iter()
        .map(|message| message.content.as_str());
    texts.collect()
}

/// Whether the client shows a reply that has ended, and these texts last.
fn shows(client: &ChatClient, last: &str) -> bool {
    client.running.is_none() && texts(client).join(" ").ends_with(last)
}

impl Scene {
    /// A conversation with branches: `one` has two replies; after the first of them come `two` and, edited, `TWO` with
    /// two replies. The active branch is `one` and its second reply.
    async fn grown(&self) -> ChatClient {
        let mut client = self.server.chat_client(&self.chat).await;
        for prompt in ["one", "two"] {
            client.ask(SAY, prompt).await;
            client.reply().await;
        }
        let ids = self.ids().await;
        let mut socket = self.open2().await;
        for message in [
            json!({"action": "edit_message", "message_id": ids[2], "prompt": "TWO", "model": SAY}),
            json!({"action": "regenerate", "message_id": "", "model": SAY}),
            json!({"action": "regenerate", "message_id": ids[0], "model": SAY}),
        ] {
            let mut message = message;
            if message["message_id"] == "" {
                message["message_id"] = self.head().await.into();
            }
            socket.send(&message).await;
            socket.action("generation_ended").await;
        }
        let head = self.head().await;
        client
            .until("all branches", |client| {
                client.head.as_ref() == Some(&head) && client.running.is_none()
            })
            .await;
        client
    }

    /// Selects the branch through a message; the acknowledgement.
    async fn select(&self, socket: &mut Socket, message: &str) -> Value {
        socket
            .send(&json!({"action": "select_branch", "message_id": message, "id": "s"}))
            .await;
        let ack = socket.action("ack").await;
        assert_eq!(ack["in_reply_to"], "s");
        ack
    }

    /// The ids of all messages, in the order in which they were made.
    async fn ids(&self) -> Vec<String> {
        self.column("id", "").await
    }

    /// The ids of what the person has said.
    async fn texts(&self) -> Vec<String> {
        self.column("id", "AND role = 'user' AND type = 'text'")
            .await
    }

    async fn column(&self, column: &str, which: &str) -> Vec<String> {
        let sql = format!(
            "SELECT {column} FROM chat_conversation WHERE chat_id = '{}' {which} ORDER BY position",
            self.chat
        );
        self.server.database().await.texts(&sql).await
    }

    async fn head(&self) -> String {
        let sql = format!("SELECT head_id FROM chat WHERE id = '{}'", self.chat);
        self.server.database().await.texts(&sql).await.remove(0)
    }

    async fn file(&self) -> String {
        let sql = format!("SELECT id FROM chat_file WHERE chat_id = '{}'", self.chat);
        self.server.database().await.texts(&sql).await.remove(0)
    }

    /// Fails unless a client shows the branch that the server has.
    async fn agrees(&self, client: &ChatClient) {
        let page = self
            .server
            .get(&format!("/chat/{}/messages?limit=200", self.chat));
        let page = page.send().await;
        page.has_status(200);
        let page = page.json();
        assert_eq!(page["head_id"].as_str(), client.head.as_deref());
        let list = page["messages"].as_array().expect("a list");
        let stored: Vec<_> = list
            .iter()
            .map(|it| (&it["id"], &it["content"], &it["status"]))
            .collect();
        let visible: Vec<_> = client
            .messages
            .iter()
            .map(|it| (json!(it.id), json!(it.content), json!(it.status)))
            .collect();
        let visible: Vec<_> = visible
            .iter()
            .map(|(id, content, status)| (id, content, status))
            .collect();
        assert_eq!(visible, stored);
    }
}
