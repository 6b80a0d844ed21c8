//! Many rows are deleted like few, and no other user waits for it:
//! `DELETE /workspace/delete/{workspace_id}` and `DELETE /user/{user_id}`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::json;

use crate::support::{Server, Socket, User, login};

/// In the only workspace of much@example.com, 500 chats of 400 messages of 1 KB, each with a file that has two
/// versions.
const MUCH: &str = include_str!("../support/much.sql");

/// A user with many rows, sockets of two of their chats, and another user, who writes all the time.
struct Scene {
    server: Arc<Server>,
    much: User,
    clients: Vec<Socket>,
    writer: User,
}

impl Scene {
    async fn new() -> Self {
        let server = Arc::new(Server::start().await);
        let much = login(&server, "much@example.com").await;
        let writer = login(&server, "writer@example.com").await;
        server.change(MUCH).await;
        let mut clients = Vec::new();
        for chat in ["chat-1", "chat-500"] {
            clients.push(server.v2(chat).await);
        }
        Self {
            server,
            much,
            clients,
            writer,
        }
    }

    /// Sends `DELETE path` while the other user writes. Fails unless all of it goes, and the other one goes on.
    /// How long that one waits, the load program measures (`--promises`).
    async fn delete(mut self, path: &str, detail: &str) {
        let ended = Arc::new(AtomicBool::new(false));
        let writer = tokio::spawn(write(
            self.server.clone(),
            self.writer.clone(),
            ended.clone(),
        ));
        self.server.delete(path).send().await.is_error(200, detail);
        ended.store(true, Ordering::Relaxed);
        let written = writer.await.expect("every write is answered 200");
        assert!(written > 10, "{written}");

        let database = self.server.database().await;
        for table in [
            "chat",
            "chat_conversation",
            "chat_file",
            "chat_file_version",
            "file",
            "content",
            "content_chunk",
        ] {
            assert_eq!(database.count(table).await, 0, "rows of {table}");
        }
        database.has_no_orphans().await;
        for client in &mut self.clients {
            let received = client.action("chat_deleted").await;
            assert_eq!(received, json!({ "action": "chat_deleted" }));
            assert_eq!(client.closed().await, Some(1000));
        }
        let again = self.server.delete(path).send().await;
        again.has_status(404);
    }
}

/// Renames a workspace until it is `ended`; how often.
async fn write(server: Arc<Server>, user: User, ended: Arc<AtomicBool>) -> usize {
    let mut written = 0;
    while !ended.load(Ordering::Relaxed) {
        let name = written.to_string();
        let form = [
            ("workspace_id", user.workspace.as_str()),
            ("new_name", &name),
        ];
        let renamed = server.patch("/workspace/rename").form(&form).send().await;
        renamed.has_status(200);
        written += 1;
    }
    written
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_workspace_is_deleted_without_delaying_other_users() {
    let scene = Scene::new().await;
    let path = format!("/workspace/delete/{}", scene.much.workspace);
    let detail = "Workspace and all associated data deleted successfully.";
    scene.delete(&path, detail).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_many_rows_is_deleted_without_delaying_other_users() {
    let scene = Scene::new().await;
    let path = format!("/user/{}", scene.much.id);
    let detail = "User and all associated data deleted successfully.";
    scene.delete(&path, detail).await;
}
