//! No text is lost in a crash (docs/promises.md#12-no-lost-text), and one trap costs one instance.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use tokio::sync::Barrier;

use super::{Scene, settles, words};
use crate::support::{ChatClient, Setup, V2};

const MODEL: &str = "fake-words-400-rate-20";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn kill_9_in_the_middle_of_twenty_streams_keeps_all_sent_text() {
    let scene = Scene::new(Setup::app(), &[MODEL]).await;
    let mut clients: Vec<(String, ChatClient)> = Vec::new();
    for number in 0..20 {
        let chat = scene.server.chat(&scene.user, &number.to_string()).await;
        let mut client = scene.server.chat_client(&chat).await;
        client.ask(MODEL, "hello").await;
        clients.push((chat, client));
    }
    // All read until the sockets are lost, so that what was seen is as fresh as can be.
    let reads = Arc::new(Barrier::new(clients.len() + 1));
    let readers: Vec<_> = clients
        .into_iter()
        .map(|(chat, mut client)| {
            let reads = reads.clone();
            tokio::spawn(async move {
                client.until("some text", |client| client.deltas > 2).await;
                reads.wait().await;
                client.until_lost().await;
                (chat, client)
            })
        })
        .collect();
    reads.wait().await;
    let Scene { server, model, .. } = scene;
    server.kill_9();
    let mut seen = Vec::new();
    for reader in readers {
        seen.push(reader.await.expect("a reader does not fail"));
    }
    let server = server.killed_and_started_again().await;
    for (chat, mut client) in seen {
        let before = client.last();
        assert_eq!(before.role, "assistant", "{before:?}");
        assert!(before.content.starts_with("w1 w2"), "{before:?}");
        client.go_to(server.sockets()).await;
        // Its heartbeat is older than ten seconds at some time, and the next reader marks it.
        client.settled().await;
        let after = client.last();
        assert_eq!(after.status, "interrupted");
        assert!(
            after.content.starts_with(&before.content),
            "{:?} was seen, {:?} is there",
            before.content,
            after.content
        );
        assert!(
            words(400).starts_with(&after.content),
            "{:?}",
            after.content
        );
        let sql = format!("SELECT status FROM generation WHERE chat_id = '{chat}'");
        assert_eq!(server.database().await.texts(&sql).await, ["interrupted"]);
    }
    drop(model);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_goes_on_after_an_interrupted_reply() {
    let scene = Scene::new(Setup::app(), &[MODEL, "fake-words-2-rate-0"]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask(MODEL, "hello").await;
    client.until("some text", |client| client.deltas > 3).await;
    client.leave();
    let server = scene.server.killed_and_started_again().await;
    let scene = Scene { server, ..scene };
    let heart = |beat: &str| format!("UPDATE generation SET heartbeat = {beat}");
    let now = heart("unixepoch() * 1000");
    scene.server.change(&now).await;
    let busy = scene
        .ask(&json!({"prompt": "again", "model": "fake-words-2-rate-0"}))
        .await;
    busy.has_status(409);
    let long_ago = heart("heartbeat - 10500");
    scene.server.change(&long_ago).await;
    let answer = scene
        .ask(&json!({"prompt": "again", "model": "fake-words-2-rate-0"}))
        .await;
    answer.has_status(202);
    settles(&scene.server, &scene.chat).await;
    let stored = scene.stored().await;
    assert_eq!(stored.len(), 4, "{stored:?}");
    assert!(
        stored[1].starts_with("assistant text interrupted w1 w2"),
        "{}",
        stored[1]
    );
    assert_eq!(stored[3], "assistant text complete w1 w2");
    client.go_to(scene.server.sockets()).await;
    assert_eq!(client.messages.len(), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_reader_marks_a_reply_without_a_writer_as_interrupted() {
    let scene = Scene::new(Setup::app(), &[MODEL]).await;
    let mut chats = Vec::new();
    for number in 0..3 {
        let chat = scene.server.chat(&scene.user, &number.to_string()).await;
        let mut client = scene.server.chat_client(&chat).await;
        client.ask(MODEL, "hello").await;
        client.until("some text", |client| client.deltas > 0).await;
        chats.push(chat);
    }
    let server = scene.server.killed_and_started_again().await;
    let mut socket = server.v2(&chats[2]).await;
    let first = socket.json().await;
    assert!(first["generation"].is_object(), "it might go on: {first}");
    let older = "UPDATE generation SET heartbeat = heartbeat - 20000";
    server.change(older).await;

    let page = server.get(&format!("/chat/{}/messages", chats[0])).send();
    let page = page.await.json();
    assert_eq!(page["messages"][1]["status"], "interrupted", "{page}");
    let stop = server
        .post(&format!("/chat/{}/stop", chats[1]))
        .send()
        .await;
    stop.is(200, r#"{"generation_id":null}"#);
    socket.send(&json!({"action": "stop", "id": "s"})).await;
    let (mut ack, mut ended) = (None, None);
    while ack.is_none() || ended.is_none() {
        let frame = socket.json().await;
        match frame["action"].as_str() {
            Some("ack") => ack = Some(frame),
            Some("generation_ended") => ended = Some(frame),
            _ => {}
        }
    }
    let (ack, ended) = (ack.unwrap_or_default(), ended.unwrap_or_default());
    assert_eq!(ack["generation_id"], json!(null), "nothing is stopped");
    assert_eq!(ended["status"], "interrupted");
    let statuses = server.database().await;
    let statuses = statuses.texts("SELECT status FROM generation").await;
    assert_eq!(statuses, ["interrupted"; 3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_stops_in_time_while_replies_run() {
    let scene = Scene::new(Setup::app(), &[MODEL]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask(MODEL, "hello").await;
    client.until("some text", |client| client.deltas > 3).await;
    let Scene { mut server, .. } = scene;
    server.terminate();
    assert_eq!(server.exit_code(Duration::from_secs(20)).await, Some(0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_ends_no_reply() {
    // So little memory that a large frame is too much for an instance.
    let setup = Setup::app()
        .argument("--max-instance-memory")
        .argument("33554432");
    let scene = Scene::new(setup, &[MODEL, "fake-words-2-rate-0"]).await;
    let mut clients = Vec::new();
    for number in 0..15 {
        let chat = scene.server.chat(&scene.user, &number.to_string()).await;
        let mut client = scene.server.chat_client(&chat).await;
        client.ask(MODEL, "hello").await;
        client.until("some text", |client| client.deltas > 3).await;
        clients.push(client);
    }
    // Several, for the instances of several threads.
    let file = "A".repeat(15_000_000);
    for _ in 0..6 {
        let mut socket = scene.opened().await;
        socket
            .send(&json!({"action": "upload_file", "filename": "a.txt", "file_data": file}))
            .await;
        socket.next_within(Duration::from_secs(20)).await;
    }
    scene.server.logs("an instance failed").await;
    for mut client in clients {
        let last = client.settled().await;
        assert_eq!(
            last.status, "complete",
            "a frame of another client ended a reply"
        );
        assert_eq!(last.content, words(400));
        // And on it goes.
        client.ask("fake-words-2-rate-0", "again").await;
        assert_eq!(client.reply().await.content, "w1 w2");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn open_sockets_receive_the_end_of_a_reply_without_a_writer() {
    let scene = Scene::new(Setup::app(), &["fake-stall-3-rate-0"]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask("fake-stall-3-rate-0", "hello").await;
    client.until("some text", |client| client.deltas > 0).await;
    // The writer is alive as long as the model is silent: its heart beats every second.
    tokio::time::sleep(Duration::from_secs(11)).await;
    client.sync().await;
    client.action("sync").await;
    assert!(
        client.running.is_some(),
        "a silent model is not a dead writer"
    );
    client.send(&json!({"action": "stop"})).await;
    let last = client.settled().await;
    assert_eq!(last.status, "stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn malformed_events_do_not_harm_running_streams() {
    // What a gateway would never send, at the relay's own door: none of it may end the instance.
    let scene = Scene::new(
        Setup::app().variable("grip_url", "http://127.0.0.1:9/"),
        &["fake-words-60-rate-20"],
    )
    .await;
    let mut events = scene.stream("fake-words-60-rate-20").await;
    events.event("delta").await;
    let bodies: [&[u8]; 8] = [
        b"TEXT ffffffffffffffff\r\n",
        b"TEXT 5\r\nab",
        b"OPEN",
        b"\xff\xfe\r\n",
        b"CLOSE 1\r\n\x03\r\n",
        b"TEXT -1\r\n\r\n",
        b"OPEN\r\nTEXT 4\r\n\xff\xff\xff\xff\r\n",
        b"DISCONNECT\r\nOPEN\r\nDISCONNECT\r\n",
    ];
    for body in bodies {
        for protocol in [None, Some(V2)] {
            let mut request = scene
                .server
                .post(&format!("/ws/{}", scene.chat))
                .header("connection-id", "0b5f1a5e-1d1c-4a9c-8f5e-3f1c9a3f1c9a")
                .header("sec-websocket-extensions", "grip")
                .header("accept", "application/websocket-events");
            if let Some(protocol) = protocol {
                request = request.header("sec-websocket-protocol", protocol);
            }
            let answer = request
                .body("application/websocket-events", body.to_vec())
                .send()
                .await;
            assert!(
                answer.status < 500,
                "{} {:?}",
                answer.status,
                String::from_utf8_lossy(body)
            );
        }
    }
    let ended = events.event("generation_ended").await;
    assert_eq!(ended.data["message"]["content"], words(60));
}
