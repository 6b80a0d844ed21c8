//! Migrations run by themselves, once, with the first request, and keep all rows
//! (docs/promises.md#19-migrations).

use futures::future::join_all;
use serde_json::json;

use crate::support::{
    API_KEY, Database, FakeMail, FakeModel, House, Operation, Server, Setup, World, by, fresh_state,
};

/// A server without a database.
async fn from_nothing() -> Server {
    Setup::app().state(fresh_state()).start().await
}

#[tokio::test]
async fn ten_first_requests_at_once_on_an_empty_database_all_succeed() {
    let server = from_nothing().await;
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
    let server = from_nothing().await;
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
    let server = from_nothing().await;
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
    let server = from_nothing().await;
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
        // A message outlives the one it answers, content goes only with the last file that has it, and nothing goes with a
        // model that is set for it.
        let not_cascading = format!(
            "SELECT \"from\" FROM pragma_foreign_key_list('{table}')
             WHERE on_delete <> 'CASCADE' AND \"from\" NOT IN ('parent_id', 'content_id', 'model_id')"
        );
        assert_eq!(
            database.texts(&not_cascading).await,
            [""; 0],
            "foreign keys of {table} that do not cascade"
        );
    }
}

const EMAIL: &str = "josef@example.com";

/// Rows of tables that only a provider of identities, or something that is going on, fills.
const OTHERS: &str = "
    INSERT INTO identity_provider VALUES ('https://oidc.example', '[]', 1);
    INSERT INTO login_code VALUES ('leni@example.com', 'hash', 9999999999999);
    INSERT INTO login_nonce VALUES ('hash', 9999999999999);
    INSERT INTO used_id_token VALUES ('hash', NULL, 1, 9999999999999);
    INSERT INTO long_work SELECT 'work', 'stream', id, 9999999999999 FROM user LIMIT 1;
    INSERT INTO import_link SELECT id, 'user_model', 'a model that never comes', id FROM user LIMIT 1;
    INSERT INTO content (id, size, staged_at) VALUES ('staged', 3, unixepoch() * 1000);
    INSERT INTO content_chunk VALUES ('staged', 0, x'616263');
    INSERT INTO file_image SELECT id, 'image/png', 1, 1, x'00' FROM content WHERE staged_at IS NULL LIMIT 1;";

/// The data of each version is there in this one, and can be changed: every `GET` of a user's own rows has
/// the answer that it had before.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_data_of_each_version_is_still_there() {
    let mut house = House::token_with(Setup::app()).await;
    house.model = FakeModel::start_with(&["--key", API_KEY]);
    let world = house.world(EMAIL).await;
    let ticket = by(house.server.post("/ws/ticket"), world.token());
    ticket.send().await.has_status(200);
    house.server.change(OTHERS).await;
    let operations = house.description().await.operations;
    let before = views(&house.server, &world, &operations).await;
    assert!(before.len() >= 15, "{}", before.len());
    let newest = house.server.kill();
    let newest_version = Database::open(newest.path()).await.version().await;

    for version in 1..newest_version {
        let state = fresh_state();
        let stored = Database::copy_of_version(newest.path(), state.path(), version).await;
        let mail = FakeMail::start();
        let setup = Setup::app().token_mode(&mail);
        let setup = setup.variable("allow_private_models", "true").state(state);
        let server = setup.start().await;
        let mut world = world.clone();
        // Sessions came with version 3.
        if version < 3 {
            let token = mail.log_in(&server, EMAIL).await.string("/token");
            let sessions = by(server.get("/auth/sessions"), Some(&token)).send().await;
            world.session = Some((token, sessions.string("/sessions/0/id")));
        }
        let after = views(&server, &world, &operations).await;
        for ((what, before), (_, after)) in before.iter().zip(&after) {
            // How replies had ended was stored from version 2 on.
            let before = match version {
                1 => without_endings(before),
                _ => before.clone(),
            };
            // Only the activity that has times of its own is known from before version 13.
            let (before, after) = match version {
                ..13 => (without_activity(&before), without_activity(after)),
                _ => (before, after.clone()),
            };
            // What replies take is summed up from version 15 on.
            let is_new = version < 3 && what.starts_with("auth_sessions")
                || version < 15 && what.starts_with("usage_show");
            if !is_new {
                assert_eq!(after, before, "{what}, of version {version}");
            }
        }
        let database = server.database().await;
        for (table, count) in stored {
            // Codes that were sent before version 8 must be asked for again.
            let kept = database.count(&table).await >= count || table == "login_code";
            assert!(kept, "{table}, of version {version}");
        }
        // The model's key can still be read, and all counts are right.
        let body = json!({ "prompt": "Again?", "model_id": world.model }).to_string();
        let ask = server.post(&format!("/chat/{}/messages", world.chat));
        let ask = by(ask, world.token()).header("accept", "text/event-stream");
        let stream = ask.json(body).events().await.rest().await;
        let last = stream.last().expect("a reply ends");
        assert_eq!(last.data["status"], "complete", "{last:?}");
        let unfinished = "DELETE FROM content WHERE staged_at IS NOT NULL";
        server.change(unfinished).await;
        database.has_no_orphans().await;
        assert_eq!(database.version().await, newest_version);
    }
}

/// An answer without how its replies ended.
fn without_endings(answer: &str) -> String {
    let mut parts = answer.split(r#","finish_reason":"stop","usage":{"#);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (_, rest) = part.split_once('}').expect("the end of usage");
        text + rest
    })
}

/// An answer without when its chats were active.
fn without_activity(answer: &str) -> String {
    let mut parts = answer.split(r#""active_at":""#);
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (_, rest) = part.split_once('"').expect("the end of a time");
        text + rest
    })
}

/// An answer without what differs from server to server: its address, and the signatures in addresses of files.
fn without_addresses(answer: &str, server: &Server) -> String {
    let answer = answer.replace(&format!("http://{}", server.address()), "");
    let mut parts = answer.split("?expires=");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        let (_, rest) = part.split_once('"').expect("the end of an address");
        text + "\"" + rest
    })
}

/// What each operation that only reads answers about what they have, by what was asked.
async fn views(server: &Server, world: &World, operations: &[Operation]) -> Vec<(String, String)> {
    let reading = operations
        .iter()
        .filter(|it| it.method == "GET" && it.needs_session);
    let mut views = Vec::new();
    for operation in reading {
        // The gateway's, streams, and what has the numbers of earlier versions in it: that it is whole, `api::export` tests.
        let others = [
            "conversation_socket",
            "conversation_events_of_reply",
            "feed_socket",
            "feed_events",
            "export_chat",
            "export_user_data",
        ];
        if others.contains(&&*operation.id) {
            continue;
        }
        for input in world.valid(operation) {
            let answer = by(input.request(server, operation), world.token());
            let answer = answer.send().await;
            answer.has_status(input.status);
            let text = String::from_utf8_lossy(&answer.body);
            let text = without_addresses(&text, server);
            views.push((format!("{} {}", operation.id, answer.what), text));
        }
    }
    views
}
