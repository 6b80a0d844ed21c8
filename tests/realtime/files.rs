//! Files of a chat: uploaded, deleted and reverted through a socket.

use serde_json::{Value, json};

use super::{Scene, through_both};
use crate::support::{Setup, Socket};

through_both!(
    an_upload_through_v1,
    an_upload_through_v2,
    half_an_emoji_in_a_frame_is_a_replacement_character,
    a_deletion_detaches_and_takes_the_last_use_along,
    a_file_is_known_by_either_id,
    a_revert_makes_a_new_version,
    the_first_frame_shows_files_and_versions,
    a_file_that_is_too_long_for_a_frame_is_named_only,
);

async fn an_upload_through_v1(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut socket = scene.opened().await;
    let mut other = scene.open2().await;
    socket
        .send(&json!({"action": "upload_file", "filename": "d.csv", "file_data": base64(b"a,b\n1,2\n")}))
        .await;
    let answer = socket.json().await;
    assert_eq!(answer["action"], "file_uploaded");
    assert_eq!(answer["message"]["role"], "user");
    assert_eq!(answer["message"]["type"], "file");
    let content = answer["message"]["content"].as_str().expect("JSON as text");
    let content: Value = serde_json::from_str(content).expect("JSON as text");
    assert_eq!(content["filename"], "d.csv");
    let id = content["file_id"].as_str().expect("an id");
    assert_eq!(content["path"], format!("uploads/files/{id}_d.csv"));
    let download = scene
        .server
        .get(&format!("/file/{id}/content"))
        .send()
        .await;
    assert_eq!(download.text(), "a,b\n1,2\n");

    let received = other.action("file_uploaded").await;
    assert!(received["rev"].is_u64(), "{received}");
    assert!(received.to_string().contains(id), "{received}");
    assert_eq!(scene.stored().await.len(), 1);
    let login = scene.server.login(&scene.user.email).await;
    assert!(login.text().contains(id), "the workspace has the file, too");
}

async fn half_an_emoji_in_a_frame_is_a_replacement_character(setup: Setup) {
    let scene = Scene::new(setup, &["fake-say"]).await;
    let mut v1 = scene.opened().await;
    let mut v2 = scene.open2().await;
    let upload = r#"{"\ud83d": 1, "action": "upload_file", "id": "u\ud83d", "filename": "1\ud83d.txt", "file_data": "YQ=="}"#;
    v1.send_text(upload).await;
    let answer = v1.json().await;
    let content = answer["message"]["content"].as_str().expect("JSON as text");
    let content: Value = serde_json::from_str(content).expect("JSON as text");
    assert_eq!(content["filename"], "1\u{fffd}.txt");
    v2.send_text(&upload.replace("1\\ud83d", "\\ude00")).await;
    assert_eq!(v2.action("ack").await["in_reply_to"], "u\u{fffd}");
    let files = scene
        .server
        .get(&format!("/chat/{}/files", scene.chat))
        .send()
        .await;
    let names = ["/files/0/filename", "/files/1/filename"].map(|name| files.string(name));
    assert_eq!(names, ["1\u{fffd}.txt", "\u{fffd}.txt"]);
    let prompt = r#"{"action": "new_message", "prompt": "a\ud83d", "model": "fake-say"}"#;
    v1.send_text(prompt).await;
    assert_eq!(v1.text().await, "a\u{fffd}");
    v2.action("generation_ended").await;
    v2.send_text(prompt).await;
    assert_eq!(v1.text().await, "a\u{fffd}");
}

async fn an_upload_through_v2(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut socket = scene.open2().await;
    let mut other = scene.server.chat_client(&scene.chat).await;
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    socket
        .send(&json!({"action": "upload_file", "filename": "b.bin", "file_data": base64(&bytes), "id": "u"}))
        .await;
    let ack = socket.action("ack").await;
    assert_eq!(ack["in_reply_to"], "u");
    let id = ack["file_id"].as_str().expect("the file's id");
    let download = scene
        .server
        .get(&format!("/file/{id}/content"))
        .send()
        .await;
    assert_eq!(download.body, bytes);
    other
        .until("the upload's message", |client| client.messages.len() == 1)
        .await;
    assert_eq!(other.last().kind, "file");
}

async fn a_deletion_detaches_and_takes_the_last_use_along(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut socket = scene.opened().await;
    let mut other = scene.open2().await;
    let id = scene.uploads(&mut socket, "d.csv", b"a,b\n").await;
    let second = scene
        .server
        .post("/chat/new")
        .form(&[
            ("user_id", &scene.user.id),
            ("workspace_id", &scene.user.workspace),
            ("chat_name", "second"),
            ("selected_file_ids", &id),
        ])
        .send()
        .await;
    second.has_status(200);

    socket
        .send(&json!({"action": "delete_file", "file_id": id}))
        .await;
    let answer = socket.json().await;
    assert_eq!(
        answer,
        json!({"action": "file_deleted", "message": {"role": "system", "type": "file",
            "content": "d.csv was deleted.", "deleted_file_id": id}})
    );
    let received = other.action("file_deleted").await;
    assert!(received["rev"].is_u64(), "{received}");
    let download = scene
        .server
        .get(&format!("/file/{id}/content"))
        .send()
        .await;
    download.has_status(200);
    socket
        .send(&json!({"action": "delete_file", "file_id": id}))
        .await;
    let error = format!("No file found for file_id={id} in this chat.");
    assert_eq!(socket.json().await, json!({ "error": error }));

    let mut socket = scene.server.v1(&second.string("/chat_id")).await;
    let first = socket.json().await;
    let id = first["chat_files"][0]["id"]
        .as_str()
        .expect("the second chat has the file");
    socket
        .send(&json!({"action": "delete_file", "file_id": id}))
        .await;
    assert_eq!(socket.json().await["action"], "file_deleted");
    let database = scene.server.database().await;
    for table in ["file", "chat_file", "content", "content_chunk"] {
        assert_eq!(database.count(table).await, 0, "rows of {table}");
    }
}

async fn a_file_is_known_by_either_id(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let file = scene.server.file(&scene.user, "d.csv", "a,b\n").await;
    let mut chats = Vec::new();
    for _ in 0..2 {
        let form = [
            ("user_id", scene.user.id.as_str()),
            ("workspace_id", &scene.user.workspace),
            ("chat_name", "x"),
            ("selected_file_ids", &file),
        ];
        let made = scene.server.post("/chat/new").form(&form).send().await;
        chats.push(made.string("/chat_id"));
    }
    // The second attachment has an id of its own, and can be named by the file's.
    for chat in chats {
        let mut socket = scene.server.v1(&chat).await;
        socket.json().await;
        socket
            .send(&json!({"action": "delete_file", "file_id": file}))
            .await;
        let answer = socket.json().await;
        assert_eq!(answer["action"], "file_deleted", "{answer}");
    }
    assert_eq!(scene.server.database().await.count("file").await, 0);
}

async fn a_revert_makes_a_new_version(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-rate-0"]).await;
    let mut socket = scene.opened().await;
    let mut other = scene.open2().await;
    for prompt in ["first agent.based", "second agent.based"] {
        socket.send(&compose("fake-compose-rate-0", prompt)).await;
        let answer = socket.json().await;
        assert_eq!(answer["action"], "agent_response", "{answer}");
    }
    let mut again = scene.server.v1(&scene.chat).await;
    let first = again.json().await;
    let file = &first["chat_files_based"][0];
    assert_eq!(file["name"], "agent.based");
    assert_eq!(file["type"], "based");
    let versions = file["versions"].as_array().expect("a list");
    assert_eq!(versions.len(), 2, "{file}");
    let oldest = versions[0]["version_id"].as_str().expect("an id");
    let stamp = versions[0]["timestamp"].as_str().expect("a time");
    assert_eq!(versions[1]["diff"], "");
    assert_eq!(
        versions[0]["diff"],
        "@@ -1 +1 @@\n-# first agent.based\n+# second agent.based\n"
    );

    socket
        .send(&json!({"action": "revert_version", "version_id": "unknown", "filename": "agent.based"}))
        .await;
    assert_eq!(
        socket.json().await,
        json!({"error": "No version found for version_id=unknown"})
    );
    socket
        .send(&json!({"action": "revert_version", "version_id": oldest, "filename": "agent.based"}))
        .await;
    let answer = socket.json().await;
    let text = "# first agent.based\nline one\nline two\nline three\n";
    assert_eq!(
        answer,
        json!({"action": "revert_complete", "message": {"role": "assistant", "type": "file", "content": {
            "based_filename": "agent.based", "based_content": text,
            "message": format!("Reverted to version from {stamp}.")}}})
    );
    let received = other.action("revert_complete").await;
    assert!(received["rev"].is_u64(), "{received}");
    let mut again = scene.server.v1(&scene.chat).await;
    let file = &again.json().await["chat_files_based"][0];
    assert_eq!(file["versions"].as_array().map(Vec::len), Some(3));
    assert_eq!(file["latest_content"], text);
    let texts = scene
        .server
        .database()
        .await
        .texts("SELECT content FROM chat_file_version ORDER BY rowid")
        .await;
    assert_eq!(texts[2], texts[0], "byte for byte");

    // A version of another file of the same chat is not this file's.
    socket
        .send(&compose("fake-compose-rate-0", "make other.based"))
        .await;
    socket.json().await;
    socket
        .send(&json!({"action": "revert_version", "version_id": oldest, "filename": "other.based"}))
        .await;
    let error = format!("No version found for version_id={oldest}");
    assert_eq!(socket.json().await, json!({ "error": error }));
}

async fn the_first_frame_shows_files_and_versions(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut socket = scene.opened().await;
    let mut ids = Vec::new();
    let table = [
        (
            "d.csv",
            &b"a,b\n1,2\n"[..],
            "csv",
            json!(null),
            "a,b\n1,2\n",
        ),
        ("m.py", b"print(1)\n", "code", json!("python"), "print(1)\n"),
        ("n.md", b"# n\n", "markdown", json!(null), "# n\n"),
        ("i.png", b"\x89PNG\r\n", "image", json!(null), ""),
        ("o.txt", b"text", "other", json!(null), ""),
    ];
    for (name, bytes, ..) in &table {
        ids.push(scene.uploads(&mut socket, name, bytes).await);
    }
    let mut again = scene.server.v1(&scene.chat).await;
    let first = again.json().await;
    for (index, (name, _, kind, language, content)) in table.iter().enumerate() {
        let file = &first["chat_files"][index];
        assert_eq!(file["name"], *name);
        assert_eq!(file["type"], *kind, "{file}");
        assert_eq!(file["language"], *language, "{file}");
        assert_eq!(file["content"], *content, "{file}");
        assert_eq!(file["id"], ids[index]);
        let url = file["url"].as_str().expect("a URL");
        scene.server.get(url).send().await.has_status(200);
    }
}

async fn a_file_that_is_too_long_for_a_frame_is_named_only(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let long = "x".repeat(70_000);
    for number in 0..12 {
        let name = format!("{number}.md");
        let text = if number == 0 {
            long.clone()
        } else {
            "y".repeat(60_000)
        };
        let form = scene
            .user
            .upload_to(&scene.chat, "true")
            .file("files", &name, text);
        scene.server.upload(form).await.has_status(200);
    }
    let mut old = scene.server.v1(&scene.chat).await;
    let text = old.text().await;
    assert!(text.len() <= 500_000, "a frame of {} bytes", text.len());
    let first: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(first["chat_files"].as_array().map(Vec::len), Some(12));
    assert_eq!(first["chat_files"][0]["content"], "");
    let mut new = scene.server.v2(&scene.chat).await;
    let text = new.text().await;
    assert!(text.len() <= 500_000, "a frame of {} bytes", text.len());
    let first: Value = serde_json::from_str(&text).expect("JSON");
    let file = &first["chat_files"][0];
    assert_eq!(
        (&file["content"], &file["truncated"]),
        (&json!(null), &json!(true)),
        "{}",
        file["name"]
    );
    assert!(file["url"].is_string());
}

/// A request for files.
pub(super) fn compose(model: &str, prompt: &str) -> Value {
    json!({"action": "new_message", "prompt": prompt, "model": model, "is_first_prompt": true,
        "is_chat_or_composer": true, "selected_filename": null})
}

impl Scene {
    /// Uploads through a v1 socket; the file's id.
    pub(super) async fn uploads(&self, socket: &mut Socket, name: &str, bytes: &[u8]) -> String {
        socket
            .send(&json!({"action": "upload_file", "filename": name, "file_data": base64(bytes)}))
            .await;
        let answer = socket.json().await;
        let content = answer["message"]["content"].as_str();
        let content =
            content.unwrap_or_else(|| panic!("an upload is answered, and not by {answer}"));
        let content: Value = serde_json::from_str(content).expect("JSON as text");
        content["file_id"].as_str().expect("an id").to_owned()
    }
}

/// Standard base64.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk
            .iter()
            .fold(0, |bits, byte| bits << 8 | usize::from(*byte))
            << (8 * (3 - chunk.len()));
        for index in 0..4 {
            let letter = char::from(ALPHABET[bits >> (18 - 6 * index) & 63]);
            text.push(if index <= chunk.len() { letter } else { '=' });
        }
    }
    text
}
