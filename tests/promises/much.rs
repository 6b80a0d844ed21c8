//! A login with much is one statement (docs/promises.md#17-constant-cost). How long it takes, and pages of long chats,
//! the load program measures (`--reading`).

use std::fmt::Write;

use crate::support::{Setup, login};

/// Workspaces of a user with many rows, and chats of each.
const WORKSPACES: usize = 20;
const CHATS: usize = 500;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_login_is_one_statement_and_answers_its_result() {
    const EMAIL: &str = "much@example.com";
    const LOGIN: &str = include_str!("../../functions/auth/src/login.sql");
    let server = Setup::app().logging_sql().start().await;
    let user = login(&server, EMAIL).await;
    let mut sql = String::new();
    for number in 0..WORKSPACES {
        let workspace = match number {
            0 => user.workspace.clone(),
            _ => server.workspace(&user, "another").await,
        };
        let chats = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CHATS})
             INSERT INTO chat (id, name, last_updated, user_id, workspace_id)
             SELECT '{workspace}-' || i, 'one of many', '2026-11-23T12:00:00.000000+00:00', '{}', '{workspace}' FROM n;",
            user.id
        );
        sql.write_str(&chats).expect("a string takes all");
    }
    server.change(&sql).await;
    let body = serde_json::json!({ "email": EMAIL }).to_string();
    let request = server.post("/auth/login").json(body);
    let (answer, statements) = server.statements(request).await;
    answer.has_status(200);
    assert_eq!(statements.count(), 1, "{statements}");
    let json = answer.json();
    let workspaces = json["workspaces"].as_array().expect("a list");
    let chats = workspaces
        .iter()
        .map(|it| it["chats"].as_array().map_or(0, Vec::len));
    assert_eq!(chats.sum::<usize>(), WORKSPACES * CHATS);

    // No component has read, parsed or written any of it.
    let sql = LOGIN.replace("?1", &format!("'{EMAIL}'"));
    let found = server.database().await.texts(&sql).await;
    assert_eq!(answer.text(), found[0]);
}
