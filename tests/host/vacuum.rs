//! What was deleted is given back to the file system: `auto_vacuum` of new databases, `kafka vacuum` of old ones.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::backup::{is_refused, succeeds};
use crate::support::{Database, Outcome, PATIENCE, Server, Setup, User, login, run_kafka};

const MIB: u64 = 1024 * 1024;

fn vacuum(state: &Path) -> Outcome {
    let state = state.to_str().expect("a path of text");
    run_kafka(&["vacuum", "--state-dir", state])
}

fn length(state: &Path) -> u64 {
    let file = state.join("default.db");
    fs::metadata(file).expect("the database is there").len()
}

/// Stores 12 MiB.
async fn fill(server: &Server, user: &User) -> String {
    server.file(user, "a.bin", vec![b'x'; 12 << 20]).await
}

async fn empty(server: &Server, file: &str) {
    let deleted = server.delete(&format!("/file/delete/{file}")).send().await;
    deleted.has_status(200);
}

/// Fails unless the database gets shorter than so many bytes while the server runs.
async fn gets_shorter(server: &Server, bytes: u64) {
    let began = Instant::now();
    while length(server.state()) > bytes {
        assert!(began.elapsed() < PATIENCE, "{}", length(server.state()));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_database_gets_shorter_by_itself() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let file = fill(&server, &user).await;
    empty(&server, &file).await;
    // The log is moved into the file first.
    gets_shorter(&server, 6 * MIB).await;
    let database = server.database().await;
    assert_eq!(database.number("PRAGMA auto_vacuum").await, 2);
    assert!(database.number("PRAGMA page_count").await * 4096 < 6 << 20);
    let kept = server.file(&user, "b.txt", "text").await;
    let content = server.get(&format!("/file/{kept}/content")).send().await;
    assert_eq!(content.text(), "text");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_old_database_gets_shorter_when_it_is_asked_to() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let chat = server.chat(&user, "The Trial").await;
    let state = server.kill();
    // As all databases were once.
    Database::change(state.path(), "PRAGMA auto_vacuum = NONE; VACUUM;").await;
    let server = Setup::app().state(state).start().await;
    let file = fill(&server, &user).await;
    is_refused(&vacuum(server.state()), "is in use");
    empty(&server, &file).await;
    let database = server.database().await;
    assert_eq!(database.number("PRAGMA auto_vacuum").await, 0);
    drop(database);
    let state = server.kill();
    let outcome = vacuum(state.path());
    succeeds(&outcome);
    assert!(outcome.output.contains("default: "), "{}", outcome.output);
    assert!(length(state.path()) < MIB, "{}", length(state.path()));
    let server = Setup::app().state(state).start().await;
    let database = server.database().await;
    assert_eq!(database.number("PRAGMA auto_vacuum").await, 2);
    server
        .get(&format!("/chat/{chat}"))
        .send()
        .await
        .has_status(200);
    // And from now on by itself.
    let file = fill(&server, &user).await;
    empty(&server, &file).await;
    gets_shorter(&server, 6 * MIB).await;
}
