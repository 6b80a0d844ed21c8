//! Many rows are changed and deleted in parts, each a short transaction, so that no user waits for all of it; where
//! that is interrupted, the remaining rows are consistent, and the next request continues.

use serde_json::json;

use crate::support::{Database, Server, Setup, User, login};

/// Chats that have the same file.
const CHATS: i64 = 3_000;
/// Messages of a long chat.
const MESSAGES: usize = 30_000;

/// A file in many chats: of the first the file's own id, of the others one of theirs.
fn in_many_chats(user: &User, file: &str) -> String {
    format!(
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {CHATS})
         INSERT INTO chat (id, name, user_id, workspace_id)
         SELECT 'chat-' || i, 'many', '{user}', '{workspace}' FROM n;
         INSERT INTO chat_file (id, filename, path, chat_id, file_id, content_id)
         SELECT iif(chat.id = 'chat-1', file.id, 'at-' || chat.id), filename, path, chat.id, file.id, content_id
         FROM chat, file WHERE file.id = '{file}';",
        user = user.id,
        workspace = user.workspace
    )
}

async fn with_file_in_many_chats(server: &Server) -> String {
    let user = login(server, "josef@example.com").await;
    let file = server.file(&user, "a.txt", "text").await;
    server.change(&in_many_chats(&user, &file)).await;
    file
}

async fn number(server: &Server, sql: &str) -> i64 {
    server.database().await.number(sql).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_in_many_chats_is_renamed_in_parts() {
    let server = Setup::app().logging_sql().start().await;
    let file = with_file_in_many_chats(&server).await;
    let rename = |id: &str, name: &str| {
        let form = [("file_id", id), ("new_name", name)];
        server.patch("/file/rename").form(&form)
    };
    let (answer, statements) = server.statements(rename(&file, "b.txt")).await;
    answer.has_status(200);
    assert!(statements.transactions() >= 6, "{statements}");
    let renamed = "SELECT count(*) FROM chat_file WHERE filename = 'b.txt' AND rev = 1";
    assert_eq!(number(&server, renamed).await, CHATS);
    // As a crash in the middle leaves it.
    let broken_off = "UPDATE chat_file SET filename = 'a.txt' WHERE chat_id > 'chat-2'";
    server.change(broken_off).await;
    rename("at-chat-2999", "b.txt").send().await.has_status(200);
    let renamed = "SELECT count(*) FROM chat_file JOIN file ON file.id = file_id
        WHERE chat_file.filename = 'b.txt' AND chat_file.path = file.path AND chat_file.rev = 2";
    assert_eq!(number(&server, renamed).await, CHATS);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_in_many_chats_is_deleted_in_parts() {
    let server = Setup::app().logging_sql().start().await;
    let file = with_file_in_many_chats(&server).await;
    let mut client = server.v2("chat-2999").await;
    let delete = server.delete(&format!("/file/delete/{file}"));
    let (answer, statements) = server.statements(delete).await;
    answer.has_status(200);
    assert!(statements.transactions() >= 6, "{statements}");
    let received = client.action("file_deleted").await;
    assert_eq!(received["file_id"], "at-chat-2999");
    let database = server.database().await;
    for table in ["file", "chat_file", "content"] {
        assert_eq!(database.count(table).await, 0, "rows of {table}");
    }
    assert_eq!(database.count("chat_conversation").await, CHATS);
    database.knows_how_much_is_stored().await;
}

/// Whichever of its ids the file is asked for by, that id means it until it is gone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_whose_deletion_broke_off_is_deleted_the_next_time() {
    let server = Server::start().await;
    with_file_in_many_chats(&server).await;
    let path = "/file/delete/at-chat-1500";
    let deletion = server.delete(path);
    let deletion = tokio::spawn(async move { deletion.try_send().await });
    let left = "SELECT count(*) FROM chat_file";
    while number(&server, left).await == CHATS {
        tokio::task::yield_now().await;
    }
    let server = server.killed_and_started_again().await;
    deletion.abort();
    let database = server.database().await;
    database.has_no_orphans().await;
    database.knows_how_much_is_stored().await;
    if database.count("file").await > 0 {
        server.delete(path).send().await.has_status(200);
    }
    assert_eq!(database.count("chat_file").await, 0);
    assert_eq!(database.count("file").await, 0);
    database.has_no_orphans().await;
    database.knows_how_much_is_stored().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_chat_is_deleted_in_parts() {
    let server = Setup::app().logging_sql().start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "long").await;
    server
        .change(&Database::conversation(&chat, MESSAGES))
        .await;
    let path = format!("/chat/{chat}");
    let details = server.get(&path).send().await;
    assert_eq!(details.json()["num_messages"], MESSAGES);
    let (answer, statements) = server.statements(server.delete(&path)).await;
    answer.is_error(200, "Chat deleted successfully.");
    assert!(statements.transactions() >= 5, "{statements}");
    let database = server.database().await;
    assert_eq!(database.count("chat").await, 0);
    assert_eq!(database.count("chat_conversation").await, 0);
    database.knows_how_much_is_stored().await;
    server.delete(&path).send().await.has_status(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_whose_deletion_broke_off_is_sound_and_deleted_the_next_time() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "long").await;
    server
        .change(&Database::conversation(&chat, MESSAGES))
        .await;
    let path = format!("/chat/{chat}");
    let deletion = server.delete(&path);
    let deletion = tokio::spawn(async move { deletion.try_send().await });
    let left = "SELECT count(*) FROM chat_conversation";
    while number(&server, left).await == MESSAGES as i64 {
        tokio::task::yield_now().await;
    }
    let server = server.killed_and_started_again().await;
    deletion.abort();
    let database = server.database().await;
    database.has_no_orphans().await;
    database.knows_how_much_is_stored().await;
    if database.count("chat").await > 0 {
        // It has ended for every reader, and can go on all the same.
        let page = server.get(&format!("{path}/messages")).send().await;
        page.has_status(200);
        assert_eq!(page.json()["messages"], json!([]));
        server.get(&path).send().await.has_status(200);
        server.delete(&path).send().await.has_status(200);
    }
    assert_eq!(database.count("chat_conversation").await, 0);
    assert_eq!(database.count("chat").await, 0);
    database.knows_how_much_is_stored().await;
}

/// A file of many versions, which are too many for one transaction: with the file, and with its chat.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_versions_are_deleted_in_parts() {
    let server = Setup::app().logging_sql().start().await;
    let user = login(&server, "josef@example.com").await;
    let mut paths = Vec::new();
    for _ in 0..2 {
        let chat = server.chat(&user, "c").await;
        let file = server.chat_file(&user, &chat, "a.md", "text").await;
        let versions = format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000)
             INSERT INTO chat_file_version (id, chat_file_id, timestamp, content, owner_id)
             SELECT '{file}-' || i, '{file}', '2026-01-01', 'text', '{}' FROM n;",
            user.id
        );
        server.change(&versions).await;
        let details = server.get(&format!("/chat/{chat}")).send().await;
        assert_eq!(details.json()["num_versions"], 1000);
        paths.extend([format!("/chat/{chat}"), format!("/file/delete/{file}")]);
    }
    // Of the first the chat, of the second the file.
    for path in [&paths[0], &paths[3]] {
        let (answer, statements) = server.statements(server.delete(path)).await;
        answer.has_status(200);
        assert!(statements.transactions() >= 4, "{path}\n{statements}");
    }
    let database = server.database().await;
    assert_eq!(database.count("chat_file_version").await, 0);
    database.has_no_orphans().await;
    database.knows_how_much_is_stored().await;
}
