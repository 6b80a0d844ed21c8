//! What an operator can read.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::time::{Duration, Instant};

use crate::support::{Database, PATIENCE, Server, Setup, login};

#[tokio::test]
async fn every_request_is_one_line_with_the_id_that_its_client_gets() {
    let server = Setup::trouble().start().await;
    let first = server
        .get("/bystander/ok?mark=first")
        .header("x-request-id", "forged")
        .send()
        .await;
    first.has_status(200);
    server
        .get("/bystander/nothing")
        .send()
        .await
        .has_status(404);
    server.logs("/bystander/nothing").await;
    let log = server.log();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.contains("/bystander/ok"))
        .collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let id = first.header("x-request-id");
    assert!(id.len() >= 16 && id != "forged", "{id} is unlike any other");
    for part in ["GET", "200", id] {
        assert!(lines[0].contains(part), "{part}: {}", lines[0]);
    }
}

#[tokio::test]
async fn output_of_a_component_reaches_the_log() {
    let server = Setup::trouble().start().await;
    server.get("/log?mark=m4rk").send().await.has_status(200);
    server.logs("stdout says m4rk").await;
    server.logs("stderr says m4rk").await;
}

#[tokio::test]
async fn output_of_a_component_reaches_the_log_folder() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path().join("logs");
    let path = folder.to_str().expect("a path of text");
    let server = Setup::trouble()
        .argument("--log-dir")
        .argument(path)
        .start()
        .await;
    server.get("/log?mark=m4rk").send().await.has_status(200);
    let written = || {
        let files = fs::read_dir(&folder).expect("the folder is there");
        files
            .map(|file| fs::read_to_string(file.expect("a file").path()).expect("text"))
            .collect::<String>()
    };
    let deadline = Instant::now() + PATIENCE;
    while !["stdout says m4rk", "stderr says m4rk"]
        .iter()
        .all(|line| written().contains(line))
    {
        assert!(Instant::now() < deadline, "{}", written());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let mode = fs::metadata(&folder).expect("the folder is there").mode();
    assert_eq!(mode & 0o077, 0, "others can't look into a folder it makes");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_of_instances_that_print_at_once_stay_whole() {
    const LINES: usize = 640;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let server = Setup::trouble()
        .argument("--log-dir")
        .argument(folder.path().to_str().expect("a path of text"))
        .start()
        .await;
    // More at once than one instance serves.
    let printing = (0..64).map(|client| {
        let server = &server;
        async move {
            for number in 0..LINES / 64 {
                let path = format!("/log?mark=m{client}-{number}");
                server.get(&path).send().await.has_status(200);
            }
        }
    });
    futures::future::join_all(printing).await;
    let is_whole = |line: &&str| {
        let mark = line.strip_prefix("stderr says m");
        mark.is_some_and(|mark| mark.split('-').all(|number| number.parse::<u16>().is_ok()))
    };
    let written = fs::read_to_string(folder.path().join("trouble_stderr.txt"));
    let written = written.expect("text");
    let broken: Vec<_> = written.lines().filter(|line| !is_whole(line)).collect();
    assert!(broken.is_empty(), "{broken:?}");
    let distinct: BTreeSet<_> = written.lines().collect();
    assert_eq!(distinct.len(), LINES);
    let log = server.log_so_far().await;
    let whole = log.lines().filter(|line| {
        let text = line.split_once("component: ").map(|(_, text)| text);
        let text = text.and_then(|text| text.split(' ').nth(2));
        line.contains("stderr says")
            && text.is_some_and(|mark| is_whole(&&*format!("stderr says {mark}")))
    });
    assert_eq!(whole.count(), LINES);
}

#[tokio::test]
async fn a_log_file_that_can_not_be_written_ends_no_request() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for stream in ["stdout", "stderr"] {
        // Always as full as a disk can be.
        let file = folder.path().join(format!("trouble_{stream}.txt"));
        symlink("/dev/full", file).expect("a link in an empty folder");
    }
    let server = Setup::trouble()
        .argument("--log-dir")
        .argument(folder.path().to_str().expect("a path of text"))
        .start()
        .await;
    for mark in ["one", "two"] {
        let path = format!("/log?mark={mark}");
        server.get(&path).send().await.has_status(200);
        // All the same, the log has what was printed.
        server.logs(&format!("stderr says {mark}")).await;
    }
    server.logs("can't write to a log file").await;
}

#[tokio::test]
async fn a_request_whose_client_left_is_in_the_log_too() {
    let server = Setup::trouble().start().await;
    let stream = server.asked("/sleep?ms=300").await;
    drop(stream);
    server.logs("path=\"/sleep\"").await;
}

#[tokio::test]
async fn a_client_cannot_write_lines_of_its_own_into_the_log() {
    let server = Setup::trouble().start().await;
    server
        .get("/bystander/%0Aforged%20line%1B%5B31m")
        .send()
        .await
        .has_status(404);
    server.logs("/bystander/").await;
    let log = server.log();
    assert!(!log.lines().any(|line| line.starts_with("forged")), "{log}");
    assert!(!log.contains("\u{1b}[31m"), "{log}");
}

#[tokio::test]
async fn an_error_of_ours_has_one_id_in_the_answer_and_in_every_line_of_the_log() {
    let server = Server::start().await;
    let user = login(&server, "a@example.com").await;
    let state = server.kill();
    Database::change(state.path(), "ALTER TABLE chat RENAME TO gone").await;
    let server = Setup::app().state(state).start().await;
    let response = server
        .post("/chat/new")
        .header("kafka-request-id", "forged")
        .form(&[
            ("user_id", &user.id),
            ("workspace_id", &user.workspace),
            ("chat_name", "a"),
        ])
        .send()
        .await;
    response.has_status(500);
    let id = response.string("/request_id");
    assert_eq!(response.header("x-request-id"), id);
    assert_ne!(id, "forged");
    server.logs(&format!("request {id}: ")).await;
    server.logs("/chat/new").await;
    let log = server.log();
    let error = log.lines().find(|line| line.contains("request "));
    let error = error.expect("a line about the error");
    // The line of the component, field by field.
    for part in [
        "ERROR component: ",
        "no such table: ",
        "component=\"chat\"",
        "source=\"kafka_common::app\"",
        &format!("request_id=\"{id}\""),
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    let mut access = log.lines().filter(|line| line.contains("/chat/new"));
    assert!(access.any(|line| line.contains(&id)), "{id} in {log}");
}

#[tokio::test]
async fn nothing_private_is_logged_in_ordinary_use() {
    let server = Server::start().await;
    let user = login(&server, "private-person@example.com").await;
    server.chat(&user, "a private name").await;
    server.file(&user, "a.txt", "private content").await;
    server.get("/healthz").send().await.has_status(200);
    server.logs("/healthz").await;
    let log = server.log();
    for private in [
        "private-person@example.com",
        "a private name",
        "private content",
    ] {
        assert!(!log.contains(private), "{log}");
    }
}
