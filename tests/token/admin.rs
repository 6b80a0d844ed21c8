//! `kafka admin` beside a server in token mode.

use serde_json::json;

use super::{Person, Town};
use crate::realtime::through_both;
use crate::support::{Multipart, Request, Setup};

const ENDED: &str = "The session has ended. Please log in again.";
const DISABLED: &str = "This account is disabled. Please ask the operator of this server.";

impl Town {
    /// Uploads so many bytes; the answer's status.
    async fn uploads(&self, person: &Person, bytes: usize) -> u16 {
        let form = Multipart::new()
            .text("target_id", &person.workspace)
            .text("is_chat", "false")
            .file("files", "a.bin", vec![b'x'; bytes]);
        let upload = self.server.post("/file/upload").by(person);
        upload.multipart(form).send().await.status
    }

    /// `GET /auth/sessions`.
    fn sessions(&self, person: &Person) -> Request {
        self.server.get("/auth/sessions").by(person)
    }
}

async fn a_disabled_user_is_out_until_enabled(setup: Setup) {
    let town = Town::with(setup).await;
    let server = &town.server;
    let josef = town.person("josef@example.com").await;
    let leni = town.person("leni@example.com").await;
    let chat = josef.chat(&town, "c").await;
    let mut socket = josef.socket(&town, &chat).await;
    let of_leni = leni.chat(&town, "c").await;
    let mut stays = leni.socket(&town, &of_leni).await;
    let form = Multipart::new()
        .text("target_id", &josef.workspace)
        .text("is_chat", "false")
        .file("files", "a.md", "private");
    let upload = server.post("/file/upload").by(&josef).multipart(form);
    let upload = upload.send().await;
    let link = upload.string("/details/0/url");
    server.get(&link).send().await.has_status(200);

    let printed = server.admin(&["disable", "JOSEF@example.com"]).await;
    assert!(printed.contains("1 session ended"), "{printed}");
    town.sessions(&josef).send().await.is_error(401, ENDED);
    socket.send(&json!({ "action": "sync", "rev": 0 })).await;
    let told = socket.action("error").await;
    assert_eq!(told["code"], "unauthorized", "{told}");
    assert_eq!(socket.closed().await, Some(1008));
    server.get(&link).send().await.has_status(404);
    town.ask_code(&josef.email).await.has_status(200);
    let code = town.mail.code(&josef.email).await;
    let refused = town.try_code(&josef.email, &code).await;
    refused.is_error(403, DISABLED);
    // Also one whose session began at the same moment.
    server
        .change(
            "INSERT INTO session (id, user_id, token_hash, created_at, extended_at, expires_at)
             SELECT 's', user_id, 'h', created_at, extended_at, expires_at FROM session;
             UPDATE session SET user_id = (SELECT id FROM user WHERE disabled_at > 0) WHERE id <> 's';",
        )
        .await;
    town.sessions(&leni).send().await.is_error(401, ENDED);
    server
        .change("UPDATE session SET user_id = (SELECT id FROM user WHERE disabled_at IS NULL)")
        .await;
    // No other user notices.
    stays.send(&json!({ "action": "sync", "rev": 0 })).await;
    assert_eq!(stays.json().await["action"], "sync");

    server.admin(&["enable", &josef.id]).await;
    town.try_code(&josef.email, &code).await.has_status(200);
    server.get(&link).send().await.has_status(200);
}

through_both!(a_disabled_user_is_out_until_enabled);

#[tokio::test]
async fn a_logout_ends_all_sessions_and_forbids_no_other() {
    let town = Town::new().await;
    let first = town.person("josef@example.com").await;
    let second = town.person("josef@example.com").await;
    let printed = town.server.admin(&["logout", &first.email]).await;
    assert!(printed.contains("2 sessions ended"), "{printed}");
    for person in [&first, &second] {
        town.sessions(person).send().await.is_error(401, ENDED);
    }
    let again = town.person("josef@example.com").await;
    town.sessions(&again).send().await.has_status(200);
}

#[tokio::test]
async fn a_quota_of_one_user_counts_before_that_of_all() {
    let setup = Setup::app().variable("storage_quota_bytes", "1000");
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let leni = town.person("leni@example.com").await;
    town.server.admin(&["quota", &josef.email, "2000"]).await;
    assert_eq!(town.uploads(&josef, 1500).await, 200);
    assert_eq!(town.uploads(&josef, 600).await, 413);
    assert_eq!(town.uploads(&leni, 1500).await, 413);
    town.server.admin(&["quota", &josef.email, "default"]).await;
    assert_eq!(town.uploads(&josef, 100).await, 413);
    town.server.admin(&["quota", &leni.email, "0"]).await;
    assert_eq!(town.uploads(&leni, 1).await, 413);
    for wrong in ["1.5", "many"] {
        let arguments = ["quota", &josef.email, wrong];
        let refused = town.server.try_admin(&arguments).await;
        assert!(!refused.success, "{wrong}");
        assert!(refused.output.contains("bytes"), "{}", refused.output);
    }
}

#[tokio::test]
async fn users_are_listed_with_what_they_store() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    let leni = town.person("leni@example.com").await;
    assert_eq!(town.uploads(&josef, 1234).await, 200);
    town.server.admin(&["quota", &leni.email, "5000"]).await;
    let users = town.server.admin_json(&["users"]).await;
    assert_eq!(users.len(), 2);
    let [first, second] = [&users[0], &users[1]];
    assert_eq!(
        (&first["id"], &second["id"]),
        (&json!(josef.id), &json!(leni.id))
    );
    assert_eq!(first["email"], "josef@example.com");
    assert_eq!(first["stored_bytes"], 1234);
    assert_eq!(first["disabled_at"], json!(null));
    assert_eq!(
        (&first["quota_bytes"], &second["quota_bytes"]),
        (&json!(null), &json!(5000))
    );
    let (made, login) = (
        first["created_at"].as_i64(),
        first["last_login_at"].as_i64(),
    );
    assert!(made > Some(1_700_000_000_000), "{first}");
    assert!(login >= made, "{first}");
    let table = town.server.admin(&["users"]).await;
    assert_eq!(table.lines().count(), 3, "{table}");
    assert!(table.contains("STORED BYTES"), "{table}");
}
