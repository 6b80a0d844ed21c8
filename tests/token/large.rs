//! Logging in to an account that holds very much.

use serde_json::Value;

use super::Town;
use crate::support::Response;

/// More bytes than any login answers with.
const LARGE: usize = 60 * 1024 * 1024;

/// In one workspace 70,000 files with long names and 400,000 chats, and 3,000 workspaces beside it, the newest of which
/// have some.
const MUCH: &str = "
    BEGIN;
    CREATE TEMP TABLE number AS
        WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 400000) SELECT n FROM number;
    CREATE TEMP TABLE place AS
        SELECT id, owner_id FROM workspace WHERE owner_id = (SELECT id FROM user WHERE email = 'much@example.com');
    INSERT INTO content (id, size, media_type) VALUES ('content', 0, NULL);
    INSERT INTO workspace (id, name, owner_id)
        SELECT 'before-' || n, 'before', owner_id FROM number, place WHERE n <= 2995;
    UPDATE workspace SET rowid = 10000 WHERE id IN (SELECT id FROM place);
    INSERT INTO workspace (id, name, owner_id) SELECT 'after-' || n, 'after', owner_id FROM number, place WHERE n <= 5;
    INSERT INTO chat (id, name, last_updated, user_id, workspace_id)
        SELECT 'chat-' || n, 'name', '2026-11-23T12:00:00.000000+00:00', owner_id, id FROM number, place;
    INSERT INTO file (id, filename, path, workspace_id, content_id)
        SELECT 'file-' || n, printf('%d%.*c', n, 1000, char(1)), 'a', id, 'content' FROM number, place WHERE n <= 70000;
    INSERT INTO file (id, filename, path, workspace_id, content_id)
        SELECT workspace.id || n, printf('%.*c', 1000, char(1)), 'a', workspace.id, 'content'
        FROM number, workspace WHERE n <= 2000 AND workspace.id LIKE 'after-%';
    COMMIT;";

fn names<'a>(answer: &'a Value, list: &str) -> Vec<&'a str> {
    let list = answer[list].as_array().expect("a list").iter();
    list.filter_map(|entry| entry["id"].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn whatever_an_account_holds_a_login_is_answered_with_the_newest_of_it() {
    let town = Town::new().await;
    let much = town.person("much@example.com").await;
    town.server.change(MUCH).await;
    let again: Response = town.mail.log_in(&town.server, "much@example.com").await;
    again.has_status(200);
    assert!(again.text().len() < LARGE, "{}", again.text().len());
    let answer = again.json();
    assert_eq!(answer["has_more"], true);
    let workspaces = answer["workspaces"].as_array().expect("a list");
    assert_eq!(workspaces.len(), 1000);
    let large = workspaces
        .iter()
        .find(|workspace| workspace["id"] == much.workspace)
        .expect("the newest workspaces are listed");
    assert_eq!(large["has_more"], true);
    let chats: Vec<_> = (399_001..=400_000).map(|n| format!("chat-{n}")).collect();
    assert_eq!(names(large, "chats"), chats);
    // Six workspaces share what there is room for.
    let files: Vec<_> = (70_000 - 832..=70_000)
        .map(|n| format!("file-{n}"))
        .collect();
    assert_eq!(names(large, "files"), files);
    let others = workspaces
        .iter()
        .filter(|workspace| workspace.get("has_more").is_some());
    assert_eq!(others.count(), 6);
    let database = town.server.database().await;
    assert_eq!(database.count("session").await, 2);
}

#[tokio::test]
async fn a_wrong_code_begins_no_session() {
    let town = Town::new().await;
    town.person("much@example.com").await;
    town.ask_code("much@example.com").await.has_status(200);
    town.try_code("much@example.com", "1").await.has_status(401);
    let database = town.server.database().await;
    assert_eq!(database.count("session").await, 1);
}
