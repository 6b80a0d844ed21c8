//! A full disk: errors have a reason, reading and deleting go on, and no write is incomplete.
//!
//! What stands in for the disk is a limit of how long the server's files may get, set while it runs (`prlimit`): what
//! is written beyond fails as it does on a disk that is full, and so does the room that is kept.

use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::json;

use super::{Scene, words};
use crate::support::{PATIENCE, Server, Setup};

const NO_ROOM: &str = "The server's disk is full, so nothing was stored. Delete files or chats to make room, or tell the \
                       operator of the server.";
const MIB: usize = 1024 * 1024;

/// Lets no file of the server grow beyond so many bytes, nor write what is there with 0.
fn limit(server: &Server, bytes: Option<u64>) {
    let id = i32::try_from(server.process_id()).expect("a process id");
    let limit = Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Pid::from_raw(id), Resource::Fsize, limit).expect("the server is ours");
}

/// The length of the longest file that the server writes to.
fn longest(server: &Server) -> u64 {
    let files = ["default.db", "default.db-wal"];
    let length = |name| fs::metadata(server.state().join(name)).map_or(0, |file| file.len());
    files.into_iter().map(length).max().unwrap_or(0)
}

/// Lets each component have an instance: the first one of each is copied to memory that the limit counts as a file.
async fn warm_up(scene: &Scene) {
    let Scene {
        server, chat, user, ..
    } = scene;
    for path in [
        "/healthz".to_owned(),
        format!("/chat/{chat}"),
        format!("/chat/{chat}/messages"),
        "/file/none/content".to_owned(),
        format!("/workspace/{}/chats", user.workspace),
    ] {
        server.get(&path).send().await;
    }
}

/// Waits until `/healthz` answers this.
async fn health(server: &Server, status: &str) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let health = server.get("/healthz").send().await;
        health.has_status(200);
        if health.string("/status") == status {
            return;
        }
        assert!(Instant::now() < deadline, "{}", health.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_are_refused_with_a_reason_and_reads_go_on() {
    let scene = Scene::new(Setup::app(), &["fake-words-2-rate-0"]).await;
    let server = &scene.server;
    let file = server.file(&scene.user, "a.txt", "read me").await;
    let mut socket = server.v2(&scene.chat).await;
    socket.json().await;
    warm_up(&scene).await;
    health(server, "ok").await;

    limit(server, Some(0));
    let refused = server.chat_new(&scene.user, "The Castle").await;
    refused.is_error(507, NO_ROOM);
    server.logs("is full: what needs room is refused").await;
    health(server, "disk full").await;

    let prompt = json!({ "prompt": "x", "model": "fake-words-2-rate-0" });
    scene.ask(&prompt).await.is_error(507, NO_ROOM);
    let frame = json!({ "action": "new_message", "prompt": "x", "model": "fake-words-2-rate-0", "id": "1" });
    socket.send(&frame).await;
    let answer = socket.action("error").await;
    assert_eq!(answer["error"], NO_ROOM, "{answer}");
    for path in [
        format!("/chat/{}", scene.chat),
        format!("/chat/{}/messages", scene.chat),
        format!("/file/{file}/content"),
        format!("/workspace/{}/chats", scene.user.workspace),
    ] {
        server.get(&path).send().await.has_status(200);
    }

    limit(server, None);
    health(server, "ok").await;
    server.logs("there is room on the disk of").await;
    server
        .chat_new(&scene.user, "The Castle")
        .await
        .has_status(200);
    scene.ask(&prompt).await.has_status(202);
    scene.settles().await;
    assert_eq!(scene.reply().await, "w1 w2");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deleting_frees_space() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let server = &scene.server;
    let content: Vec<u8> = (0..MIB).map(|byte| (byte % 251) as u8).collect();
    let mut files = Vec::new();
    for number in 0..6 {
        let name = format!("{number}.bin");
        files.push(server.file(&scene.user, &name, &content).await);
    }
    limit(server, Some(longest(server)));
    let form = || {
        let form = scene.user.to_workspace();
        form.file("files", "large.bin", content.repeat(8))
    };
    server.upload(form()).await.is_error(507, NO_ROOM);
    health(server, "disk full").await;
    // As much as the reserve, and too little to make the reserve again.
    limit(server, Some(longest(server) + 4 * MIB as u64));
    let database = server.database().await;
    assert_eq!(database.count("file").await, 6);
    assert_eq!(database.count("content").await, 6, "nothing is left of it");
    database.has_no_orphans().await;

    // Of all that there is, again and again: until nothing more fits, and then in the place of what goes.
    for round in 0..4 {
        let mut fit = 0;
        loop {
            let form = scene.user.to_workspace();
            let form = form.file("files", &format!("{round}-{fit}.bin"), &content);
            let answer = server.upload(form).await;
            if answer.status == 507 {
                break;
            }
            answer.has_status(200);
            files.push(answer.string("/files/0"));
            fit += 1;
            assert!(fit < 40, "it is never full");
        }
        assert!(round == 0 || fit >= 5, "room for {fit} in round {round}");
        for file in files.drain(..) {
            let deleted = server.delete(&format!("/file/delete/{file}")).send().await;
            deleted.has_status(200);
        }
    }
    server
        .delete(&format!("/chat/{}", scene.chat))
        .send()
        .await
        .has_status(200);
    limit(server, None);
    health(server, "ok").await;
    server.upload(form()).await.has_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_with_an_abandoned_reply_can_be_read() {
    let model = "fake-words-400-rate-20";
    let scene = Scene::new(Setup::app(), &[model]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask(model, "hello").await;
    client.until("some text", |client| client.deltas > 2).await;
    client.leave();
    let server = scene.server.killed_and_started_again().await;
    let scene = Scene { server, ..scene };
    let server = &scene.server;
    warm_up(&scene).await;
    server
        .change("UPDATE generation SET heartbeat = heartbeat - 20000")
        .await;
    limit(server, Some(0));
    let messages = format!("/chat/{}/messages", scene.chat);
    let page = server.get(&messages).send().await;
    page.has_status(200);
    let text = page.string("/messages/1/content");
    assert!(text.starts_with("w1 w2"), "{text}");
    let first = server.v2(&scene.chat).await.json().await;
    assert_eq!(first["action"], "initial", "{first}");
    server
        .get(&format!("/chat/{}", scene.chat))
        .send()
        .await
        .has_status(200);

    limit(server, None);
    let deadline = Instant::now() + PATIENCE;
    while server
        .get(&messages)
        .send()
        .await
        .string("/messages/1/status")
        != "interrupted"
    {
        assert!(Instant::now() < deadline, "it is never marked");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_outlives_a_disk_that_is_full_for_a_while() {
    let model = "fake-words-60-rate-20";
    let scene = Scene::new(Setup::app(), &[model]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask(model, "hello").await;
    client.until("some text", |client| client.deltas > 2).await;
    warm_up(&scene).await;
    limit(&scene.server, Some(0));
    health(&scene.server, "disk full").await;
    // Some of the reply comes meanwhile, and less of it than the writer waits for.
    tokio::time::sleep(Duration::from_secs(2)).await;
    limit(&scene.server, None);
    client.settled().await;
    assert_eq!(client.last().content, words(60));
    assert_eq!(scene.status().await, "complete");
}
