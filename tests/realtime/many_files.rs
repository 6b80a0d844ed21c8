//! Every client knows all files (docs/promises.md#13-exact-resuming), however many and large they are.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{Scene, through_both};
use crate::support::{Setup, Socket};

through_both!(
    files_with_more_versions_than_fit_leave_none_out,
    a_text_comes_once_for_each_file_before_it_comes_twice,
    events_of_many_uploads_are_all_sent,
    more_files_than_a_frame_holds_are_sent_after_another_sync,
);

/// As many bytes as a frame may have.
const FRAME: usize = 500_000;

async fn a_text_comes_once_for_each_file_before_it_comes_twice(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let text = "text of forty KB\n".repeat(2_400);
    for name in ["a.based", "b.based", "c.based"] {
        let file = scene
            .server
            .chat_file(&scene.user, &scene.chat, name, "before");
        let save = format!("/chat-file/{}/versions", file.await);
        let saved = scene.server.post(&save).form(&[("content", &text)]);
        saved.send().await.has_status(200);
    }
    for socket in [
        &mut scene.server.v1(&scene.chat).await,
        &mut scene.server.v2(&scene.chat).await,
    ] {
        let first = frame(socket).await;
        for file in first["chat_files_based"].as_array().expect("a list") {
            assert_eq!(file["latest_content"], text, "{}", file["name"]);
        }
        assert_eq!(names(&first["chat_files"]).len(), 3);
    }
}

async fn files_with_more_versions_than_fit_leave_none_out(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut ids = Vec::new();
    for name in ["d.csv", "a.based", "b.based"] {
        let content = "a,b\n1,2\n";
        let file = scene
            .server
            .chat_file(&scene.user, &scene.chat, name, content);
        ids.push(file.await);
    }
    let client = scene.server.chat_client(&scene.chat).await;
    let since = client.rev;
    drop(client);
    let form = [("file_id", ids[0].as_str()), ("new_name", "e.csv")];
    let renamed = scene.server.patch("/file/rename").form(&form).send().await;
    renamed.has_status(200);
    for number in 0..50 {
        for id in &ids[1..] {
            // Another text in every line, so that all of both texts is in their difference.
            let text = format!("{number}\n").repeat(800);
            let save = scene.server.post(&format!("/chat-file/{id}/versions"));
            let saved = save.form(&[("content", text.as_str())]).send().await;
            saved.has_status(200);
        }
    }
    let newest = "49\n".repeat(800);

    let mut sockets = [
        scene.server.v1(&scene.chat).await,
        scene.server.v2(&scene.chat).await,
    ];
    for socket in &mut sockets {
        let first = frame(socket).await;
        assert_eq!(names(&first["chat_files"]), ["e.csv", "a.based", "b.based"]);
        assert_eq!(first["chat_files"][0]["content"], "a,b\n1,2\n");
        assert_eq!(first["chat_files"][1]["content"], newest);
        assert_eq!(names(&first["chat_files_based"]), ["a.based", "b.based"]);
        for file in first["chat_files_based"].as_array().expect("a list") {
            assert_eq!(file["latest_content"], newest, "texts come before versions");
        }
        // Versions come then, and at last their differences, as far as there is room.
        let mut with_diff = Vec::new();
        for file in first["chat_files_based"].as_array().expect("a list") {
            let versions = file["versions"].as_array().expect("a list");
            assert_eq!(versions.len(), 50);
            let diffs = versions.iter().filter_map(|it| it["diff"].as_str());
            with_diff.push(diffs.filter(|diff| diff.len() > 4_000).count());
        }
        assert!(
            with_diff[1] > 5 && with_diff[1] + with_diff[0] < 99,
            "{with_diff:?} differences"
        );
    }
    let [_, mut socket] = sockets;
    let files = missed(&mut socket, since).await;
    let received: BTreeSet<&str> = files
        .iter()
        .filter_map(|file| file["id"].as_str())
        .collect();
    assert_eq!(received, ids.iter().map(String::as_str).collect());
    for file in &files {
        let text = if file["name"] == "e.csv" {
            "a,b\n1,2\n"
        } else {
            &newest
        };
        assert_eq!(file["content"], text, "{}", file["name"]);
    }
}

async fn events_of_many_uploads_are_all_sent(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let away = scene.server.chat_client(&scene.chat).await.rev;
    let mut uploaded = BTreeSet::new();
    for round in 0..6 {
        let mut form = scene.user.upload_to(&scene.chat, "true");
        for number in 0..100 {
            form = form.file("files", &format!("{round}-{number}.md"), "small");
        }
        let answer = scene.server.upload(form).await;
        answer.has_status(200);
        let files = answer.json()["files"].take();
        let files = files.as_array().expect("a list").iter();
        uploaded.extend(files.map(|id| id.as_str().expect("an id").to_owned()));
    }
    assert_eq!(uploaded.len(), 600);
    let mut old = scene.server.v1(&scene.chat).await;
    let mut new = scene.server.v2(&scene.chat).await;
    for socket in [&mut old, &mut new] {
        let first = frame(socket).await;
        assert_eq!(ids(&first["chat_files"]), uploaded);
        assert_eq!(first["truncated"], Value::Null);
    }
    let files = missed(&mut new, away).await;
    assert_eq!(ids(&Value::from(files)), uploaded);
    let all = synced(&mut new, away).await["file_ids"].take();
    let all = all.as_array().expect("a list").iter();
    let all: BTreeSet<String> = all.filter_map(|id| Some(id.as_str()?.to_owned())).collect();
    assert_eq!(all, uploaded, "none is taken for gone");
}

async fn more_files_than_a_frame_holds_are_sent_after_another_sync(setup: Setup) {
    const FILES: u64 = 5000;
    let scene = Scene::new(setup, &[]).await;
    let chat = &scene.chat;
    let sql = format!(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {FILES})
         INSERT INTO chat_file (id, filename, path, chat_id, rev)
         SELECT printf('%036d', n), n || '.md', '(in-memory)', '{chat}', n FROM number;
         UPDATE chat SET rev = {FILES} WHERE id = '{chat}'"
    );
    scene.server.change(&sql).await;
    let mut old = scene.server.v1(chat).await;
    let mut new = scene.server.v2(chat).await;
    for (socket, truncated) in [(&mut old, Value::Null), (&mut new, json!(true))] {
        let first = frame(socket).await;
        let files = first["chat_files"].as_array().expect("a list");
        assert!(files.len() > 2000, "{} files", files.len());
        let last = files.last().expect("a file");
        assert_eq!(last["name"], format!("{FILES}.md"), "the newest are there");
        assert_eq!(first["truncated"], truncated);
    }
    let files = missed(&mut new, 0).await;
    let received: BTreeSet<String> = ids(&Value::from(files));
    assert_eq!(received.len() as u64, FILES);
    // With only a part of the ids a client would drop the other files.
    let sync = synced(&mut new, FILES).await;
    assert_eq!(
        (&sync["file_ids"], &sync["files"]),
        (&Value::Null, &json!([]))
    );
}

/// The next frame, which is no longer than it may be.
async fn frame(socket: &mut Socket) -> Value {
    let text = socket.text().await;
    assert!(text.len() <= FRAME, "a frame of {} bytes", text.len());
    serde_json::from_str(&text).expect("JSON")
}

/// What a client is answered that asks for what is newer than `rev`. Events may come before, from the background.
async fn synced(socket: &mut Socket, rev: u64) -> Value {
    socket.send(&json!({"action": "sync", "rev": rev})).await;
    loop {
        let frame = frame(socket).await;
        assert_ne!(frame["action"], "error", "{frame}");
        if frame["action"] == "sync" {
            return frame;
        }
    }
}

/// The files that a client receives that asks as long as there are more.
async fn missed(socket: &mut Socket, since: u64) -> Vec<Value> {
    let mut rev = since;
    let mut files = Vec::new();
    loop {
        let sync = synced(socket, rev).await;
        let received = sync["files"].as_array();
        let received = received.unwrap_or_else(|| panic!("a sync has files, and not {sync}"));
        files.extend(received.iter().cloned());
        let reached = sync["rev"].as_u64().expect("a number");
        if sync["has_more"] == false {
            return files;
        }
        assert!(reached > rev, "it goes on after {rev}");
        rev = reached;
    }
}

fn names(files: &Value) -> Vec<&str> {
    let files = files.as_array().expect("a list").iter();
    files.filter_map(|file| file["name"].as_str()).collect()
}

fn ids(files: &Value) -> BTreeSet<String> {
    let files = files.as_array().expect("a list").iter();
    files
        .map(|file| file["id"].as_str().expect("an id").to_owned())
        .collect()
}
