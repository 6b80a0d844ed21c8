//! Two hosts on one server.

use std::sync::Arc;

use tempfile::TempDir;

use crate::support::{Hrana, Server, Setup, login};

/// Two hosts, and what they share.
struct Nodes {
    // Declared, and so dropped, before the database.
    nodes: [Arc<Server>; 2],
    database: Hrana,
    _folder: TempDir,
}

async fn start() -> Nodes {
    let folder = tempfile::tempdir().expect("a folder");
    let database = Hrana::start(&folder.path().join("shared.db"));
    let node = || Setup::app().on(&database).start();
    let (first, second) = tokio::join!(node(), node());
    Nodes {
        nodes: [Arc::new(first), Arc::new(second)],
        database,
        _folder: folder,
    }
}

#[tokio::test]
async fn first_requests_migrate_together() {
    for round in 0..3 {
        let shared = start().await;
        let [first, second] = &shared.nodes;
        // Of different components, each of which has instances of its own.
        let (a, b, c, d) = tokio::join!(
            first.login("a@example.com"),
            second.login("b@example.com"),
            first.get("/file/x/content").send(),
            second.get("/chat/x/messages").send(),
        );
        a.has_status(200);
        b.has_status(200);
        for answer in [c, d] {
            assert!(answer.status < 500, "round {round}: {}", answer.text());
        }
        let database = shared.database.look().await;
        let files = std::fs::read_dir(crate::support::repository().join("migrations"));
        let migrations = files.expect("the migrations are there");
        let migrations = migrations
            .filter(|file| {
                let name = file.as_ref().expect("a file").file_name();
                name.to_string_lossy().ends_with(".sql")
            })
            .count();
        assert_eq!(database.count("schema_migration").await, migrations as i64);
        assert_eq!(database.count("user").await, 2);
    }
}

#[tokio::test]
async fn a_write_on_one_is_seen_on_the_other_at_once() {
    let shared = start().await;
    let [first, second] = &shared.nodes;
    let user = login(first, "someone@example.com").await;
    for number in 0..50 {
        let (writer, reader) = match number % 2 {
            0 => (first, second),
            _ => (second, first),
        };
        let content = format!("content {number}");
        let form = user.to_workspace();
        let name = format!("{number}.txt");
        let stored = writer.upload(form.file("files", &name, &content)).await;
        let read = reader.get(&stored.string("/details/0/url")).send().await;
        read.has_status(200);
        assert_eq!(read.text(), content);
    }
}

#[tokio::test]
async fn an_email_has_one_user() {
    let shared = start().await;
    for number in 0..20 {
        let email = format!("someone{number}@example.com");
        let logins = shared.nodes.iter().cycle().take(8);
        let logins = logins.map(|node| node.login(&email));
        let mut ids = Vec::new();
        for login in futures::future::join_all(logins).await {
            login.has_status(200);
            ids.push(login.string("/user_id"));
        }
        ids.dedup();
        assert_eq!(ids.len(), 1, "{ids:?}");
    }
    assert_eq!(shared.database.look().await.count("user").await, 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_writers_on_both_are_all_answered() {
    const WRITERS: usize = 50;
    const WRITES: usize = 20;
    let shared = start().await;
    let mut writers = Vec::new();
    for writer in 0..WRITERS {
        let nodes = shared.nodes.clone();
        let user = login(&nodes[0], &format!("writer{writer}@example.com")).await;
        writers.push(tokio::spawn(async move {
            for number in 0..WRITES {
                let node = &nodes[(writer + number) % 2];
                let response = node.chat_new(&user, &number.to_string()).await;
                let what = format!("write {number} of {writer}: {}", response.text());
                assert_eq!(response.status, 200, "{what}");
            }
        }));
    }
    for writer in writers {
        writer.await.expect("every write is answered 200");
    }
    let database = shared.database.look().await;
    assert_eq!(database.count("chat").await, (WRITERS * WRITES) as i64);
    database.knows_how_much_is_stored().await;
}
