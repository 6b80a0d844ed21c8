//! `kafka admin`: the command, in open mode and on any database. What it means in token mode is in `token::admin`.

use serde_json::json;

use crate::support::{Database, FakeModel, Server, Setup, admin_of, fresh_state, login};

const DISABLED: &str = "This account is disabled. Please ask the operator of this server.";

#[tokio::test]
async fn in_open_mode_too_a_disabled_user_can_not_log_in() {
    let server = Server::start().await;
    let josef = login(&server, "josef@example.com").await;
    server.admin(&["disable", &josef.email]).await;
    server.login(&josef.email).await.is_error(403, DISABLED);
    let again = json!({ "user_id": josef.id }).to_string();
    let again = server.post("/auth/hydrate").json(again).send().await;
    again.is_error(403, DISABLED);
    login(&server, "leni@example.com").await;
    server.admin(&["enable", &josef.email]).await;
    server.login(&josef.email).await.has_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_user_leaves_nothing_and_others_keep_all() {
    let server = Server::start().await;
    let leni = login(&server, "leni@example.com").await;
    let kept = server.chat(&leni, "The Castle").await;
    server.chat_file(&leni, &kept, "b.md", "kept").await;
    let josef = login(&server, "josef@example.com").await;
    let chat = server.chat(&josef, "The Trial").await;
    let file = server.chat_file(&josef, &chat, "a.md", "one").await;
    for text in ["two", "three"] {
        let save = server.post(&format!("/chat-file/{file}/versions"));
        save.form(&[("content", text)]).send().await.has_status(200);
    }
    server.change(&Database::conversation(&chat, 1200)).await;
    server.file(&josef, "b.bin", vec![b'x'; 600_000]).await;
    let refused = server.try_admin(&["delete", &josef.email]).await;
    assert!(
        !refused.success && refused.output.contains("--yes"),
        "{}",
        refused.output
    );

    server.admin(&["delete", &josef.email, "--yes"]).await;
    let database = server.database().await;
    for table in ["user", "workspace", "chat", "chat_file", "file"] {
        assert_eq!(database.count(table).await, 1, "{table}");
    }
    database.has_no_orphans().await;
    database.knows_how_much_is_stored().await;
    server
        .get(&format!("/chat/{kept}"))
        .send()
        .await
        .has_status(200);
    server
        .get(&format!("/chat/{chat}"))
        .send()
        .await
        .has_status(404);
    let unknown = server.try_admin(&["delete", &josef.email, "--yes"]).await;
    assert!(unknown.output.contains("no user has"), "{}", unknown.output);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_counted() {
    let server = Server::start().await;
    let josef = login(&server, "josef@example.com").await;
    let chat = server.chat(&josef, "The Trial").await;
    server.file(&josef, "b.bin", vec![b'x'; 1000]).await;
    let model = FakeModel::start();
    let saved = server.post("/models/new").form(&[
        ("user_id", josef.id.as_str()),
        ("name", "fake-silent"),
        ("ak", "any"),
        ("base_url", &model.base_url()),
    ]);
    saved.send().await.has_status(200);
    let prompt = json!({ "prompt": "hello", "model": "fake-silent" }).to_string();
    let asked = server.post(&format!("/chat/{chat}/messages"));
    let asked = asked.header("accept", "application/json").json(prompt);
    asked.send().await.has_status(202);
    let stats = &server.admin_json(&["stats"]).await[0];
    for (name, count) in [
        ("users", 1),
        ("disabled_users", 0),
        ("workspaces", 1),
        ("chats", 1),
        ("messages", 2),
        ("files", 1),
        ("sessions", 0),
        ("running_replies", 1),
    ] {
        assert_eq!(stats[name], count, "{name}: {stats}");
    }
    assert!(stats["bytes"].as_i64() >= Some(1005), "{stats}");
    let printed = server.admin(&["stats"]).await;
    assert!(printed.contains("running replies"), "{printed}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_disturbs_no_server_and_what_it_did_is_stored() {
    let server = Server::start().await;
    let josef = login(&server, "josef@example.com").await;
    let writes = async {
        for n in 0..60 {
            server.chat(&josef, &n.to_string()).await;
        }
    };
    let acts = async {
        for n in 0..5 {
            server.admin(&["quota", &josef.id, &n.to_string()]).await;
        }
    };
    tokio::join!(writes, acts);
    let server = server.killed_and_started_again().await;
    let users = server.admin_json(&["users"]).await;
    assert_eq!(users[0]["quota_bytes"], 4);
    assert_eq!(server.admin_json(&["stats"]).await[0]["chats"], 60);
    // Also while there is none.
    let state = server.kill();
    let place = || vec!["--state-dir".to_owned(), state.path().display().to_string()];
    let done = admin_of(place(), &["quota", &josef.id, "7"]).await;
    assert!(done.success, "{}", done.output);
    let server = Setup::app().state(state).start().await;
    assert_eq!(server.admin_json(&["users"]).await[0]["quota_bytes"], 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_works_on_a_libsql_server() {
    let server = Setup::app().on_a_server().start().await;
    let josef = login(&server, "josef@example.com").await;
    server.admin(&["disable", &josef.email]).await;
    server.login(&josef.email).await.is_error(403, DISABLED);
    let users = server.admin_json(&["users"]).await;
    assert_eq!(users[0]["email"], "josef@example.com");
    assert!(users[0]["disabled_at"].is_i64(), "{users:?}");
    server.admin(&["delete", &josef.email, "--yes"]).await;
    assert_eq!(server.admin_json(&["stats"]).await[0]["users"], 0);
    let entries = server.admin_json(&["audit"]).await;
    assert_eq!(entries.last().expect("an entry")["action"], "user_deleted");
}

#[tokio::test]
async fn what_is_no_current_database_is_refused() {
    let place =
        |folder: &std::path::Path| vec!["--state-dir".to_owned(), folder.display().to_string()];
    let nothing = tempfile::tempdir().expect("a temporary folder");
    let outcome = admin_of(place(nothing.path()), &["users"]).await;
    assert!(!outcome.success);
    assert!(outcome.output.contains("there is no"), "{}", outcome.output);
    assert!(!nothing.path().join("default.db").exists());

    let old = fresh_state();
    Database::of_version(old.path(), 11).await;
    let outcome = admin_of(place(old.path()), &["users"]).await;
    assert!(!outcome.success);
    assert!(outcome.output.contains("schema 11"), "{}", outcome.output);
}

/// Else its users would be looked for on this machine.
#[tokio::test]
async fn a_database_of_another_label_is_not_the_one_of_this_machine() {
    let server = Server::start().await;
    let config = server.state().join("runtime-config.toml");
    let text =
        "[sqlite_database.defualt]\ntype = \"libsql\"\nurl = \"http://127.0.0.1:9\"\ntoken = \"\"";
    std::fs::write(&config, text).expect("a file");
    let config = config.to_str().expect("a path of text");
    let asked = ["users", "--runtime-config-file", config];
    let refused = server.try_admin(&asked).await;
    let names_it = refused.output.contains("[sqlite_database.defualt]");
    assert!(!refused.success && names_it, "{}", refused.output);
}
