//! What holds much is deleted like what holds little, and nobody waits for it:
//! `DELETE /workspace/delete/{workspace_id}` and `DELETE /user/{user_id}`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Server, Socket, User, login};

/// How long a writer may wait on a busy machine: less than a transaction may take, 5 s, and far less than all of it does.
const PATIENCE_OF_A_WRITER: Duration = Duration::from_secs(4);

/// In somebody's only workspace, 500 chats of 400 messages of 1 KB, each with a file that has two versions.
const MUCH: &str = "
    BEGIN;
    CREATE TEMP TABLE number AS
        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 500) SELECT n FROM number;
    CREATE TEMP TABLE place AS
        SELECT id, owner_id FROM workspace
        WHERE owner_id = (SELECT id FROM user WHERE email = 'much@example.com');
    INSERT INTO chat (id, name, user_id, workspace_id)
        SELECT 'chat-' || n, 'much', owner_id, id FROM number, place;
    INSERT INTO chat_conversation (id, chat_id, role, type, content, parent_id, position, created_at)
        SELECT chat.n || '-' || message.n, 'chat-' || chat.n, 'user', 'text', printf('%.*c', 1000, 'x'),
            CASE WHEN message.n > 1 THEN chat.n || '-' || (message.n - 1) END, message.n, '2026-01-01'
        FROM number AS chat JOIN number AS message ON message.n <= 400;
    INSERT INTO content (id, size, media_type) SELECT 'content-' || n, 3, NULL FROM number;
    INSERT INTO content_chunk (content_id, seq, bytes) SELECT 'content-' || n, 0, x'616263' FROM number;
    INSERT INTO file (id, filename, path, workspace_id, content_id)
        SELECT 'file-' || n, 'a', 'a', id, 'content-' || n FROM number, place;
    INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id)
        SELECT 'file-' || n, 'a', 'a', 'chat-' || n, 'file-' || n, 'content-' || n FROM number;
    INSERT INTO chat_file_version (id, chat_file_id, timestamp, content, owner_id)
        SELECT number.n || '-' || version.n, 'file-' || number.n, '2026-01-01', 'text', owner_id
        FROM number, number AS version, place WHERE version.n <= 2;
    COMMIT;";

/// Somebody with much, windows of two of their chats, and somebody else, who writes all the time.
struct Scene {
    server: Arc<Server>,
    much: User,
    windows: Vec<Socket>,
    writer: User,
}

impl Scene {
    async fn new() -> Self {
        let server = Arc::new(Server::start().await);
        let much = login(&server, "much@example.com").await;
        let writer = login(&server, "writer@example.com").await;
        server.change(MUCH).await;
        let mut windows = Vec::new();
        for chat in ["chat-1", "chat-500"] {
            windows.push(server.v2(chat).await);
        }
        Self {
            server,
            much,
            windows,
            writer,
        }
    }

    /// Deletes what is at `path` while the other one writes. Fails unless all of it goes, and nobody waits for that.
    async fn delete(mut self, path: &str, detail: &str) {
        let ended = Arc::new(AtomicBool::new(false));
        let writer = tokio::spawn(write(
            self.server.clone(),
            self.writer.clone(),
            ended.clone(),
        ));
        self.server.delete(path).send().await.is_error(200, detail);
        ended.store(true, Ordering::Relaxed);
        let (written, longest) = writer.await.expect("every write is answered 200");
        assert!(written > 10, "{written}");
        assert!(longest < PATIENCE_OF_A_WRITER, "{longest:?}");

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
        for window in &mut self.windows {
            let told = window.action("chat_deleted").await;
            assert_eq!(told, json!({ "action": "chat_deleted" }));
            assert_eq!(window.closed().await, Some(1000));
        }
        let again = self.server.delete(path).send().await;
        again.has_status(404);
    }
}

/// Renames a workspace until it is `ended`: how often, and the longest that it took.
async fn write(server: Arc<Server>, user: User, ended: Arc<AtomicBool>) -> (usize, Duration) {
    let (mut written, mut longest) = (0, Duration::ZERO);
    while !ended.load(Ordering::Relaxed) {
        let name = written.to_string();
        let form = [
            ("workspace_id", user.workspace.as_str()),
            ("new_name", &name),
        ];
        let began = Instant::now();
        let renamed = server.patch("/workspace/rename").form(&form).send().await;
        renamed.has_status(200);
        longest = longest.max(began.elapsed());
        written += 1;
    }
    (written, longest)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_with_much_in_it_is_deleted_and_nobody_waits() {
    let scene = Scene::new().await;
    let path = format!("/workspace/delete/{}", scene.much.workspace);
    let detail = "Workspace and all associated data deleted successfully.";
    scene.delete(&path, detail).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_with_much_is_deleted_and_nobody_waits() {
    let scene = Scene::new().await;
    let path = format!("/user/{}", scene.much.id);
    let detail = "User and all associated data deleted successfully.";
    scene.delete(&path, detail).await;
}
