//! The table `audit`: who did what, from where and when.

use serde_json::{Value, json};

use super::{Person, Town};
use crate::support::{Multipart, Setup};

impl Town {
    /// What was done to a person's account: the action, by whom, to what, and from where.
    async fn audit(&self, person: &Person) -> Vec<[Value; 4]> {
        let entries = self
            .server
            .admin_json(&["audit", "--user", &person.id])
            .await;
        let entries = entries.into_iter();
        entries
            .map(|entry| ["action", "actor", "object", "address"].map(|name| entry[name].clone()))
            .collect()
    }

    /// A file of the person's first workspace.
    async fn file_of(&self, person: &Person) -> String {
        let form = Multipart::new()
            .text("target_id", &person.workspace)
            .text("is_chat", "false")
            .file("files", "a.md", "text");
        let upload = self.server.post("/file/upload").by(person);
        upload.multipart(form).send().await.string("/files/0")
    }
}

#[tokio::test]
async fn logins_deletions_keys_and_acts_of_operators_are_recorded() {
    let town = Town::new().await;
    let server = &town.server;
    let josef = town.person("josef@example.com").await;
    town.try_code(&josef.email, "0000000000")
        .await
        .has_status(401);
    let chat = josef.chat(&town, "secret name").await;
    let attached = josef.chat(&town, "c").await;
    let form = Multipart::new()
        .text("target_id", &attached)
        .text("is_chat", "true")
        .file("files", "a.md", "one");
    let upload = server.post("/file/upload").by(&josef).multipart(form);
    let in_chat = upload.send().await.string("/files/0");
    let file = town.file_of(&josef).await;
    let form = [("owner_id", josef.id.as_str()), ("name", "w")];
    let made = server.post("/workspace/new").by(&josef).form(&form);
    let workspace = made.send().await.string("/workspace_id");
    let form = [
        ("user_id", josef.id.as_str()),
        ("name", "m"),
        ("ak", "secret-key"),
        ("base_url", "https://models.example/v1"),
    ];
    let made = server.post("/models/new").by(&josef).form(&form);
    let model = made.send().await.string("/id");
    // Another name is no other key.
    for (name, value) in [("name", "n"), ("ak", "secret-key-2")] {
        let change = server.patch(&format!("/models/{model}")).by(&josef);
        change.form(&[(name, value)]).send().await.has_status(200);
    }
    let message = format!(
        "INSERT INTO chat_conversation (id, chat_id, role, type, content, position, created_at, rev)
             VALUES ('said', '{attached}', 'user', 'text', 'secret words', 1, '2026-01-01T00:00:00.000000+00:00', 1)"
    );
    server.change(&message).await;
    for path in [
        format!("/chat/{chat}"),
        format!("/chat/{attached}/messages/said"),
        format!("/file/delete/{file}"),
        format!("/workspace/delete/{workspace}"),
    ] {
        let deleted = server.delete(&path).by(&josef).send().await;
        deleted.has_status(200);
        // What is gone is not recorded again.
        server.delete(&path).by(&josef).send().await.has_status(404);
    }
    let mut socket = josef.socket(&town, &attached).await;
    let delete = json!({ "action": "delete_file", "file_id": in_chat });
    socket.send(&delete).await;
    socket.action("file_deleted").await;
    server.admin(&["quota", &josef.id, "5"]).await;
    server.admin(&["disable", &josef.id]).await;
    server.admin(&["enable", &josef.id]).await;
    server.admin(&["logout", &josef.id]).await;
    let again = town.person("josef@example.com").await;
    let left = server.delete(&format!("/user/{}", josef.id)).by(&again);
    left.send().await.has_status(200);

    let uid = format!("uid {}", rustix::process::getuid().as_raw());
    let user = |action: &str, object: &str| {
        [
            json!(action),
            json!("user"),
            json!(object),
            json!("127.0.0.1"),
        ]
    };
    let operator =
        |action: &str, object: Value| [json!(action), json!("operator"), object, json!(uid)];
    let mut entries = town.audit(&josef).await;
    // The ids of sessions are known to the server only.
    for entry in &mut entries {
        if entry[0] == "login" {
            assert!(entry[2].is_string());
            entry[2] = json!("session");
        }
    }
    assert_eq!(
        entries,
        [
            user("login", "session"),
            [
                json!("login_failed"),
                json!("unknown"),
                json!(null),
                json!("127.0.0.1")
            ],
            user("key_set", &model),
            user("key_set", &model),
            user("chat_deleted", &chat),
            user("message_deleted", "said"),
            user("file_deleted", &file),
            user("workspace_deleted", &workspace),
            user("file_deleted", &in_chat),
            operator("quota_set", json!("5")),
            operator("user_disabled", json!(null)),
            operator("user_enabled", json!(null)),
            operator("user_logged_out", json!(null)),
            user("login", "session"),
            user("user_deleted", &josef.id),
        ]
    );
    let all = server.admin(&["audit", "--since", "1h"]).await;
    assert!(all.contains("workspace_deleted"), "{all}");
    for content in ["secret", "josef@example.com"] {
        assert!(!all.contains(content), "{all}");
    }
    let later = server.admin_json(&["audit", "--since", "2999-01-01"]).await;
    assert!(later.is_empty(), "{later:?}");
}

#[tokio::test]
async fn behind_a_proxy_the_address_is_the_clients() {
    let town = Town::new().await;
    let tried = town.server.post("/auth/login");
    let tried = tried.header("x-forwarded-for", "203.0.113.7");
    let body = json!({ "email": "nobody@example.com", "code": "1" });
    tried.json(body.to_string()).send().await.has_status(401);
    let entries = town.server.admin_json(&["audit"]).await;
    assert_eq!(entries.len(), 1, "{entries:?}");
    assert_eq!(entries[0]["address"], "203.0.113.7");
    // Which e-mail a stranger has tried is not kept.
    assert_eq!(entries[0]["user_id"], json!(null));
    assert!(!entries[0].to_string().contains("nobody"), "{entries:?}");
}

#[tokio::test]
async fn failed_logins_push_out_no_other_entries_and_old_ones_go() {
    let town = Town::with(Setup::app().variable("rate_limits", "")).await;
    let josef = town.person("josef@example.com").await;
    town.server
        .change(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10003)
             INSERT INTO audit (action, actor) SELECT 'login_failed', 'unknown' FROM n;",
        )
        .await;
    town.try_code(&josef.email, "0").await.has_status(401);
    let database = town.server.database().await;
    let failed = "SELECT count(*) FROM audit WHERE action = 'login_failed'";
    assert_eq!(database.number(failed).await, 10_000);
    assert_eq!(town.audit(&josef).await[0][0], "login");

    let half_a_year = 180 * 24 * 60 * 60 * 1000_i64 + 1;
    let older = format!("UPDATE audit SET at = at - {half_a_year} WHERE action = 'login'");
    town.server.change(&older).await;
    town.try_code(&josef.email, "0").await.has_status(401);
    let logins = "SELECT count(*) FROM audit WHERE action = 'login'";
    assert_eq!(database.number(logins).await, 0);
}
