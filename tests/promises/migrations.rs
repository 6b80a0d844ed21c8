//! Migrations run themselves, and once (docs/promises.md#19-migrations).

use futures::future::join_all;

use crate::support::{Server, Setup};

#[tokio::test]
async fn ten_first_requests_at_once_on_an_empty_database_all_succeed() {
    let server = Server::start().await;
    let emails: Vec<String> = (0..10).map(|n| format!("user{n}@example.com")).collect();
    let logins = emails.iter().map(|email| server.login(email));
    for response in join_all(logins).await {
        response.has_status(200);
    }
    let database = server.database().await;
    assert_eq!(database.count("user").await, 10);
    assert_eq!(database.count("workspace").await, 10);
    assert!(database.count("schema_migration").await > 0);
}

#[tokio::test]
async fn first_requests_to_every_component_at_once_all_succeed() {
    let server = Server::start().await;
    let (login, rename, delete, content, chat) = tokio::join!(
        server.login("someone@example.com"),
        server
            .patch("/chat/rename")
            .form(&[("chat_id", "x"), ("new_name", "y")])
            .send(),
        server.delete("/chat/x").send(),
        server.get("/file/x/content").send(),
        server
            .post("/workspace/new")
            .form(&[("owner_id", "x"), ("name", "y")])
            .send(),
    );
    login.has_status(200);
    rename.is_error(404, "Chat not found.");
    delete.is_error(404, "Chat not found.");
    content.is_error(404, "File not found.");
    chat.is_error(404, "User not found.");
}

#[tokio::test]
async fn migrating_twice_is_migrating_once() {
    let server = Server::start().await;
    let before = server.login("someone@example.com").await;
    let (schema, rows) = schema_and_rows(&server).await;
    assert!(schema.len() > 9, "{schema:?}");

    let server = Setup::app().state(server.kill()).start().await;
    server
        .login("someone@example.com")
        .await
        .is(200, before.text());
    assert_eq!(schema_and_rows(&server).await, (schema, rows));
}

async fn schema_and_rows(server: &Server) -> (Vec<String>, String) {
    let database = server.database().await;
    let schema = "SELECT coalesce(sql, name) FROM sqlite_schema ORDER BY name";
    (database.texts(schema).await, database.dump().await)
}

#[tokio::test]
async fn the_tables_of_the_seed_are_there_and_every_foreign_key_is_indexed() {
    let server = Server::start().await;
    server.login("someone@example.com").await.has_status(200);
    let database = server.database().await;
    let tables = database.tables().await;
    for table in [
        "user",
        "workspace",
        "file",
        "chat",
        "chat_conversation",
        "chat_file",
        "chat_file_version",
        "model",
    ] {
        assert!(tables.contains(&table.to_owned()), "{table} in {tables:?}");
        let not_indexed = format!(
            "SELECT fk.\"from\" FROM pragma_foreign_key_list('{table}') fk WHERE NOT EXISTS (
               SELECT 1 FROM pragma_index_list('{table}') i, pragma_index_info(i.name) c
               WHERE c.seqno = 0 AND c.name = fk.\"from\")"
        );
        assert_eq!(
            database.texts(&not_indexed).await,
            [""; 0],
            "foreign keys of {table} without an index"
        );
        // A message outlives the one it answers, and content goes only with the last file that has it.
        let not_cascading = format!(
            "SELECT \"from\" FROM pragma_foreign_key_list('{table}')
             WHERE on_delete <> 'CASCADE' AND \"from\" NOT IN ('parent_id', 'content_id')"
        );
        assert_eq!(
            database.texts(&not_cascading).await,
            [""; 0],
            "foreign keys of {table} that do not cascade"
        );
    }
}
