//! Another process holds the database (docs/decisions.md#a-busy-database-is-asked-again).

use serde_json::json;

use crate::support::{Database, Server, login};

#[tokio::test]
async fn a_write_waits_for_another_process_longer_than_sqlite_does() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let held = Database::hold(server.state()).await;
    let single = [
        ("user_id", user.id.as_str()),
        ("workspace_id", &user.workspace),
        ("chat_name", "one"),
    ];
    let in_transaction = json!({ "email": "another@example.com" });
    let let_in = async {
        // SQLite itself has given up then.
        server.logs("a statement is tried again").await;
        drop(held);
    };
    let (chat, login, ()) = tokio::join!(
        server.post("/chat/new").form(&single).send(),
        server
            .post("/auth/login")
            .json(in_transaction.to_string())
            .send(),
        let_in
    );
    chat.has_status(200);
    login.has_status(200);
}
