//! What a socket reads takes few statements (docs/decisions.md#few-statements-one-transaction).

use serde_json::{Value, json};

use super::Scene;
use crate::support::{Request, Setup, V2};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_reads_in_few_statements() {
    let setup = Setup::app()
        .logging_sql()
        .variable("grip_url", "http://127.0.0.1:9/");
    let scene = Scene::new(setup, &[]).await;
    let server = &scene.server;
    scene.takes("the first frame", "OPEN\r\n", 1).await;
    scene.takes("a sync", &sync(0), 1).await;

    for name in ["a.based", "d.csv", "e.md"] {
        let file = server.chat_file(&scene.user, &scene.chat, name, "a,b\n");
        let file = file.await;
        server.reads(&file).await;
        let path = format!("/chat-file/{file}/versions");
        if name == "a.based" {
            for text in ["one", "two"] {
                let saved = server.post(&path).form(&[("content", text)]).send().await;
                saved.has_status(200);
            }
        }
    }
    // The chat, its files, and their contents.
    let first = scene.takes("a first frame with files", "OPEN\r\n", 3).await;
    assert_eq!(first["chat_files"].as_array().map(Vec::len), Some(3));
    assert_eq!(first["chat_files"][0]["content"], "two");
    assert_eq!(first["chat_files"][1]["content"], "a,b\n");
    let versions = &first["chat_files_based"][0]["versions"];
    assert_eq!(versions.as_array().map(Vec::len), Some(3));
    let rev = first["rev"].as_u64().expect("a number");
    let all = scene.takes("a sync of files", &sync(0), 3).await;
    assert_eq!(all["files"].as_array().map(Vec::len), Some(3));
    let none = scene.takes("a sync of nothing", &sync(rev), 1).await;
    assert_eq!(none["files"], json!([]));
    assert_eq!(none["file_ids"].as_array().map(Vec::len), Some(3));
}

/// A frame that asks for changes after `rev`, as a gateway sends it.
fn sync(rev: u64) -> String {
    let frame = json!({"action": "sync", "rev": rev}).to_string();
    format!("TEXT {:x}\r\n{frame}\r\n", frame.len())
}

impl Scene {
    /// Hands events of a socket over, and counts what they take. The last frame of the answer.
    async fn takes(&self, what: &str, events: &str, count: usize) -> Value {
        let (answer, statements) = self.server.statements(self.events(events)).await;
        answer.has_status(200);
        assert_eq!(statements.count(), count, "{what} took\n{statements}");
        let mut lines = answer.text().lines();
        let frame = lines
            .rfind(|line| line.starts_with("m:{"))
            .map(|line| &line[2..]);
        serde_json::from_str(frame.expect("a frame")).expect("JSON")
    }

    fn events(&self, events: &str) -> Request {
        self.server
            .post(&format!("/ws/{}", self.chat))
            .header("connection-id", "0b5f1a5e-1d1c-4a9c-8f5e-3f1c9a3f1c9a")
            .header("sec-websocket-extensions", "grip")
            .header("sec-websocket-protocol", V2)
            .header("accept", "application/websocket-events")
            .body("application/websocket-events", events.to_owned())
    }
}
