//! What a user takes along: `GET /chat/{chat_id}/export`, `GET /user/{user_id}/export`.

use std::collections::BTreeMap;
use std::io::{Cursor, Read};

use serde_json::{Value, json};
use zip::ZipArchive;

use super::UNKNOWN_ID;
use crate::support::{FakeModel, Multipart, Response, Server, User, login};

/// A user with a file of bytes, and a chat that has two branches and a file with two texts.
struct Scene {
    server: Server,
    user: User,
    chat: String,
    /// The chat's file, and its first version.
    file: (String, String),
    /// The bytes of the workspace's file.
    bytes: Vec<u8>,
    _model: FakeModel,
}

impl Scene {
    async fn new() -> Self {
        let server = Server::start().await;
        let user = login(&server, "josef@example.com").await;
        let model = FakeModel::start();
        let form = [
            ("user_id", user.id.as_str()),
            ("name", "fake"),
            ("ak", "a secret key"),
            ("base_url", &model.base_url()),
        ];
        let saved = server.post("/models/new").form(&form).send().await;
        let model_id = saved.string("/id");
        // Longer than a chunk of the database.
        let bytes: Vec<u8> = (0..600_000_u32).flat_map(u32::to_le_bytes).collect();
        server.file(&user, "a: \u{e4}\u{202e}.bin", &bytes).await;
        let chat = server.chat(&user, "The/Trial").await;
        let form = Multipart::new()
            .text("user_id", &user.id)
            .text("target_id", &chat)
            .text("is_chat", "true")
            .file("files", "plan.txt", "first");
        let uploaded = server.upload(form).await;
        uploaded.has_status(200);
        let file = uploaded.string("/files/0");
        let path = format!("/chat-file/{file}/versions");
        let saved = server.post(&path).form(&[("content", "second")]);
        saved.send().await.has_status(200);
        let first = server.get(&path).send().await.string("/versions/0/id");
        let scene = Self {
            server,
            user,
            chat,
            file: (file, first),
            bytes,
            _model: model,
        };
        let said = scene.say(
            "messages",
            json!({ "prompt": "Why?", "model_id": model_id }),
        );
        let reply = said.await["message_id"].as_str().expect("an id").to_owned();
        let again = format!("messages/{reply}/regenerate");
        scene.say(&again, json!({ "model_id": model_id })).await;
        scene
    }

    /// Sends to the chat, and waits for the end of the reply.
    async fn say(&self, path: &str, body: Value) -> Value {
        let path = format!("/chat/{}/{path}/stream", self.chat);
        let mut events = self
            .server
            .post(&path)
            .json(body.to_string())
            .events()
            .await;
        while let Some(event) = events.next().await {
            if event.event == "generation_ended" {
                return event.data;
            }
        }
        panic!("the reply has no end");
    }

    async fn chat(&self, query: &str) -> Response {
        let path = format!("/chat/{}/export?user_id={}{query}", self.chat, self.user.id);
        self.server.get(&path).send().await
    }

    /// The files of the archive.
    async fn archive(&self) -> BTreeMap<String, Vec<u8>> {
        let path = format!("/user/{}/export", self.user.id);
        let answer = self.server.get(&path).send().await;
        answer.has_status(200);
        assert_eq!(answer.header("content-type"), "application/zip");
        let disposition = "attachment; filename=\"kafka-export.zip\"";
        assert_eq!(answer.header("content-disposition"), disposition);
        let mut archive = ZipArchive::new(Cursor::new(answer.body)).expect("a ZIP archive");
        let mut files = BTreeMap::new();
        for at in 0..archive.len() {
            let mut file = archive.by_index(at).expect("a file");
            let mut bytes = Vec::new();
            // Its checksum is compared.
            file.read_to_end(&mut bytes).expect("an undamaged file");
            let name = file.name().expect("a name in Unicode").into_owned();
            files.insert(name, bytes);
        }
        files
    }
}

/// The contents of the chat's messages of this role.
fn said(chat: &Value, role: &str) -> usize {
    let messages = chat["messages"].as_array().expect("messages");
    messages
        .iter()
        .filter(|m| m["role"] == role && m["type"] == "text")
        .count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_has_all_branches_and_all_texts_of_its_files() {
    let scene = Scene::new().await;
    let answer = scene.chat("").await;
    answer.has_status(200);
    assert_eq!(answer.header("content-type"), "application/json");
    let disposition = "attachment; filename=\"The_Trial.json\"";
    assert_eq!(answer.header("content-disposition"), disposition);
    let chat = answer.json();
    assert_eq!(
        (&chat["version"], &chat["id"], &chat["name"]),
        (&json!(1), &json!(scene.chat), &json!("The/Trial"))
    );
    assert_eq!(
        (said(&chat, "user"), said(&chat, "assistant")),
        (1, 2),
        "{chat}"
    );
    let path = format!("/chat/{}/messages?user_id={}", scene.chat, scene.user.id);
    let branch = scene.server.get(&path).send().await.json();
    let mut last = branch["messages"]
        .as_array()
        .and_then(|all| all.last())
        .cloned();
    let last = last
        .as_mut()
        .and_then(Value::as_object_mut)
        .expect("a message");
    // Here its siblings are beside it.
    last.remove("siblings");
    assert_eq!(chat["head_id"], last["id"]);
    let mut exported = chat["messages"].as_array().expect("messages").clone();
    let exported = exported
        .iter_mut()
        .find(|message| message["id"] == last["id"]);
    let exported = exported
        .and_then(Value::as_object_mut)
        .expect("it is there");
    assert!(exported.remove("selected").is_some_and(|at| at.is_u64()));
    assert_eq!(exported, last);
    let texts: Vec<&Value> = chat["files"][0]["versions"]
        .as_array()
        .expect("versions")
        .iter()
        .map(|version| &version["content"])
        .collect();
    assert_eq!(texts, ["first", "second"], "{chat}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_is_a_text_for_people() {
    let scene = Scene::new().await;
    let (file, first) = &scene.file;
    let path = format!("/chat-file/{file}/revert");
    let reverted = scene.server.post(&path).form(&[("version_id", first)]);
    reverted.send().await.has_status(200);
    let answer = scene.chat("&format=markdown").await;
    answer.has_status(200);
    assert_eq!(
        answer.header("content-type"),
        "text/markdown; charset=utf-8"
    );
    let text = answer.text();
    assert!(text.starts_with("# The/Trial\n\n## 1. "), "{text}");
    assert!(text.contains("Why?\n"), "{text}");
    assert_eq!(text.matches(". fake\n").count(), 2, "{text}");
    assert!(text.contains(", follows "), "another reply: {text}");
    let file = "*File: plan.txt*\n\n```\nfirst\n```\n";
    assert!(text.contains(file), "{text}");
    let answer = scene.chat("&format=pdf").await;
    assert_eq!(answer.status, 422);
    assert_eq!(
        answer.json()["detail"][0]["type"],
        "literal_error",
        "{answer:?}"
    );
    assert_eq!(
        answer.json()["detail"][0]["loc"],
        json!(["query", "format"])
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_conversations_are_exported_whole() {
    let scene = Scene::new().await;
    // Several pages by their number, and one by its length.
    let sql = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500)
        INSERT INTO chat_conversation (id, chat_id, role, type, content, position, created_at, parent_id, rev)
        SELECT 'long-' || i, id, 'user', 'text', CASE WHEN i % 100 = 0 THEN hex(zeroblob(600000)) ELSE 'n' || i END,
            1000 + i, '2026-01-01T00:00:00.000000+00:00', head_id, 1 FROM n, chat";
    scene.server.change(sql).await;
    let chat = scene.chat("").await.json();
    let messages = chat["messages"].as_array().expect("messages");
    let numbers = (1..=500).map(|i| format!("long-{i}"));
    let ids = messages.iter().filter_map(|message| message["id"].as_str());
    let ids = ids.filter(|id| id.starts_with("long-")).map(str::to_owned);
    assert!(ids.eq(numbers));
    let text = scene.chat("&format=markdown").await;
    assert_eq!(text.text().matches("\n## ").count(), messages.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_is_in_one_archive() {
    let scene = Scene::new().await;
    let files = scene.archive().await;
    let json = |path: &str| -> Value {
        let bytes = files
            .get(path)
            .unwrap_or_else(|| panic!("{path}: {:?}", files.keys()));
        serde_json::from_slice(bytes).expect("JSON")
    };
    let all = json("export.json");
    assert_eq!(all["email"], "josef@example.com");
    assert_eq!(all["workspaces"][0]["id"], json!(scene.user.workspace));
    assert_eq!(all["models"][0]["name"], "fake");
    let listed = json(&format!("workspaces/{}/files.json", scene.user.workspace));
    let listed = listed.as_array().expect("files");
    assert_eq!(listed.len(), 2, "{listed:?}");
    for file in listed {
        let path = file["path"].as_str().expect("a path");
        let bytes = files
            .get(path)
            .unwrap_or_else(|| panic!("{path}: {:?}", files.keys()));
        assert_eq!(json!(bytes.len()), file["size"], "{path}");
        let (name, expected) = match file["filename"] == "plan.txt" {
            true => ("plan.txt", &b"first"[..]),
            // What file systems refuse, and what disguises a name.
            false => ("a_ \u{e4}_.bin", &scene.bytes[..]),
        };
        assert!(path.ends_with(&format!("/{name}")), "{path}");
        assert!(bytes == expected, "{path}");
    }
    let folder = format!("chats/{}", scene.chat);
    assert_eq!(
        json(&format!("{folder}/chat.json")),
        scene.chat("").await.json()
    );
    let text = scene.chat("&format=markdown").await;
    assert_eq!(files[&format!("{folder}/The_Trial.md")], text.body);
    let newest = files
        .iter()
        .find(|(path, _)| path.starts_with(&format!("{folder}/files/")));
    let (path, newest) = newest.expect("the chat's file");
    assert!(path.ends_with("/plan.txt"), "{path}");
    assert_eq!(newest, b"second");
    let secret = b"a secret key";
    for (path, bytes) in &files {
        assert!(
            !bytes.windows(secret.len()).any(|part| part == secret),
            "{path}"
        );
        assert!(!path.split('/').any(|part| part == ".."), "{path}");
    }
    let database = scene.server.database().await;
    let noted = "SELECT object FROM audit WHERE action = 'exported' ORDER BY id LIMIT 1";
    assert_eq!(database.texts(noted).await, [scene.user.id]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_there_is_not_exported() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let path = format!("/chat/{UNKNOWN_ID}/export?user_id={}", user.id);
    let answer = server.get(&path).send().await;
    answer.is_error(404, "Chat not found.");
    let answer = server
        .get(&format!("/user/{UNKNOWN_ID}/export"))
        .send()
        .await;
    answer.is_error(404, "User not found.");
}
