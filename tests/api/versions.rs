//! `/chat-file/...`: the versions of a chat's files, over HTTP (docs/promises.md#20-exact-history).

mod refused;

use std::sync::Arc;

use serde_json::{Value, json};

use super::{assert_is_id, assert_is_now};
use crate::support::{Multipart, Response, Server, User, login};

/// A user with a file in a chat.
struct Scene {
    server: Server,
    user: User,
    chat: String,
    file: String,
}

impl Scene {
    async fn new(name: &str, content: &str) -> Self {
        let server = Server::start().await;
        let user = login(&server, "someone@example.com").await;
        let chat = server.chat(&user, "watched").await;
        let file = server.chat_file(&user, &chat, name, content).await;
        Self {
            server,
            user,
            chat,
            file,
        }
    }

    async fn get(&self, path: &str) -> Response {
        let path = format!("/chat-file/{}/{path}", self.file);
        self.server.get(&path).send().await
    }

    async fn save(&self, text: &str) -> Response {
        let path = format!("/chat-file/{}/versions", self.file);
        let form = Multipart::new().text("content", text);
        self.server.post(&path).multipart(form).send().await
    }

    async fn revert(&self, version: &str) -> Response {
        let path = format!("/chat-file/{}/revert", self.file);
        let form = [("version_id", version)];
        self.server.post(&path).form(&form).send().await
    }

    /// The versions, which are on one page.
    async fn versions(&self) -> Vec<Value> {
        let list = self.get("versions?limit=200").await;
        list.has_status(200);
        let versions = list.json()["versions"].take();
        versions.as_array().expect("a list").clone()
    }

    /// The id of a version by its number.
    async fn version(&self, number: usize) -> String {
        let versions = self.versions().await;
        let id = versions[number - 1]["id"].as_str();
        id.expect("an id").to_owned()
    }
}

#[tokio::test]
async fn a_saved_text_is_a_version_and_the_original_another() {
    let scene = Scene::new("a.md", "one\n").await;
    assert_eq!(scene.versions().await, [] as [Value; 0]);
    // What was uploaded is there already.
    let expected = r#"{"version_id":null,"timestamp":null,"changed":false}"#;
    scene.save("one\n").await.is(200, expected);
    assert_eq!(scene.versions().await, [] as [Value; 0]);

    let saved = scene.save("zwölf\n").await;
    let (id, time) = (saved.string("/version_id"), saved.string("/timestamp"));
    assert_is_id(&id);
    assert_is_now(&time);
    let expected = json!({ "version_id": id, "timestamp": time, "changed": true });
    saved.is(200, &expected.to_string());
    // The same again makes none.
    let expected = json!({ "version_id": id, "timestamp": time, "changed": false });
    scene.save("zwölf\n").await.is(200, &expected.to_string());

    let original = scene.version(1).await;
    let list = scene.get("versions").await;
    let expected = json!({ "versions": [
        { "id": original, "number": 1, "timestamp": time, "size": 4 },
        { "id": id, "number": 2, "timestamp": time, "size": 7 },
    ], "next": null });
    list.is(200, &expected.to_string());
    let details = scene.get(&format!("versions/{id}")).await;
    let expected = json!({
        "id": id, "number": 2, "timestamp": time, "size": 7, "content": "zwölf\n",
    });
    details.is(200, &expected.to_string());
    let content = format!("/file/{}/content", scene.file);
    assert_eq!(scene.server.get(&content).send().await.text(), "zwölf\n");
}

#[tokio::test]
async fn versions_are_compared() {
    let scene = Scene::new("a.md", "one\ntwo\n").await;
    scene.save("one\n2\n").await;
    scene.save("one\n2\nthree").await;
    let (first, second, third) = (
        scene.version(1).await,
        scene.version(2).await,
        scene.version(3).await,
    );
    let diff = |from: &str, to: &str, diff: &str| {
        json!({ "from": from, "to": to, "diff": diff }).to_string()
    };
    let asked = scene.get(&format!("diff?from={first}&to={second}")).await;
    asked.is(200, &diff(&first, &second, "@@ -2 +2 @@\n-two\n+2\n"));
    // Backwards, and to itself.
    let asked = scene.get(&format!("diff?from={second}&to={first}")).await;
    asked.is(200, &diff(&second, &first, "@@ -2 +2 @@\n-2\n+two\n"));
    let asked = scene.get(&format!("diff?from={third}&to={third}")).await;
    asked.is(200, &diff(&third, &third, ""));
    // To the newest.
    let expected = "@@ -2,0 +3 @@\n+three\n\\ No newline at end of file\n";
    for to in ["", "&to="] {
        let asked = scene.get(&format!("diff?from={second}{to}")).await;
        asked.is(200, &diff(&second, &third, expected));
    }
}

#[tokio::test]
async fn going_back_makes_a_version_and_a_message() {
    let scene = Scene::new("a.md", "one\n").await;
    scene.save("two\n").await;
    let (first, second) = (scene.version(1).await, scene.version(2).await);
    let reverted = scene.revert(&first).await;
    let third = scene.version(3).await;
    assert!(third != first && third != second);
    let expected = json!({
        "version_id": third, "timestamp": reverted.string("/timestamp"), "content": "one\n", "changed": true,
    });
    reverted.is(200, &expected.to_string());
    let stamp = scene.versions().await[0]["timestamp"].clone();
    let based = json!({
        "based_filename": "a.md", "based_content": "one\n",
        "message": format!("Reverted to version from {}.", stamp.as_str().expect("a time")),
    });
    let database = scene.server.database().await;
    let messages = "SELECT role || ' ' || type || ' ' || content FROM chat_conversation";
    let expected = format!("assistant file {based}");
    assert_eq!(database.texts(messages).await, [expected]);

    // A revert to the text that the file has: `changed` is false, and no version is made.
    let again = scene.revert(&first).await.json();
    assert_eq!(again["version_id"], third);
    assert_eq!(again["changed"], false);
    assert_eq!(scene.versions().await.len(), 3);
    assert_eq!(database.count("chat_conversation").await, 2);
}

#[tokio::test]
async fn open_sockets_receive_versions() {
    let scene = Scene::new("a.md", "one\n").await;
    let mut client = scene.server.v2(&scene.chat).await;
    assert_eq!(client.json().await["rev"], 1);
    let saved = scene.save("two\n").await;
    // Without a change there is no event.
    scene.save("two\n").await.has_status(200);
    let first = scene.version(1).await;
    let event = json!({
        "action": "file_version", "rev": 2, "file_id": scene.file, "name": "a.md",
        "version_id": saved.string("/version_id"), "timestamp": saved.string("/timestamp"),
        "diff": "@@ -1 +1 @@\n-one\n+two\n", "content": "two\n",
    });
    assert_eq!(client.json().await, event);

    let reverted = scene.revert(&first).await.json();
    let message = client.json().await;
    assert_eq!(
        (&message["action"], &message["rev"]),
        (&json!("message"), &json!(3))
    );
    let version = client.json().await;
    assert_eq!(
        (&version["action"], &version["rev"]),
        (&json!("file_version"), &json!(4))
    );
    assert_eq!(version["version_id"], reverted["version_id"]);
    let event = json!({
        "action": "revert_complete", "rev": 5, "file_id": scene.file, "name": "a.md",
        "version_id": reverted["version_id"], "message": message["message"],
    });
    assert_eq!(client.json().await, event);
    client.send(&json!({ "action": "sync", "rev": 1 })).await;
    let sync = client.action("sync").await;
    assert_eq!(sync["rev"], 5);
    assert_eq!(sync["files"][0]["content"], "one\n");
    assert_eq!(
        sync["files"][0]["versions"].as_array().map(Vec::len),
        Some(3)
    );
}

#[tokio::test]
async fn every_version_can_be_restored_byte_for_byte() {
    let scene = Scene::new("a.md", "original").await;
    let long = "ä\n".repeat(80 * 1024);
    let marked = format!("\u{feff}{long}");
    let texts = [
        "one\r\ntwo",
        "",
        "\n\n\n",
        "a\u{0}b",
        "\u{feff}\u{202e}\u{1f600}",
        &marked,
        "\u{feff}one\ntwo",
    ];
    for text in texts {
        let saved = scene.save(text).await.json();
        assert_eq!(saved["changed"], true, "{:?}", &text[..text.len().min(20)]);
    }
    let versions = scene.versions().await;
    assert_eq!(versions.len(), 8);
    let texts: Vec<_> = [&["original"], &texts[..]].concat();
    for (version, text) in versions.iter().zip(texts) {
        assert_eq!(version["size"], text.len(), "{version}");
        let id = version["id"].as_str().expect("an id");
        let reverted = scene.revert(id).await;
        assert_eq!(reverted.json()["content"], text);
        let content = format!("/file/{}/content", scene.file);
        let content = scene.server.get(&content).send().await;
        assert_eq!(content.body, text.as_bytes());
        let details = scene.get(&format!("versions/{id}")).await;
        assert_eq!(details.json()["content"], text);
    }
}

#[tokio::test]
async fn line_ends_and_marks_are_those_of_the_file() {
    // A browser sends the lines of a form's text with CRLF; other clients send what they like.
    for (file, same, changed, stored) in [
        ("one\ntwo\n", "one\r\ntwo\r\n", "one\r\n2\r\n", "one\n2\n"),
        ("one\r\ntwo\r\n", "one\ntwo\n", "one\n2\n", "one\r\n2\r\n"),
        (
            "\u{feff}one\r\ntwo",
            "one\r\ntwo",
            "one\n2",
            "\u{feff}one\r\n2",
        ),
        ("a\r\nb\nc\r\n", "a\nb\nc\n", "a\nb\nd\n", "a\r\nb\nd\r\n"),
    ] {
        let scene = Scene::new("a.md", file).await;
        assert_eq!(scene.save(same).await.json()["changed"], false, "{file:?}");
        assert_eq!(scene.versions().await, [] as [Value; 0]);
        assert_eq!(scene.save(changed).await.json()["changed"], true);
        let content = format!("/file/{}/content", scene.file);
        let content = scene.server.get(&content).send().await;
        assert_eq!(content.text(), stored, "{file:?}");
        let shown = scene
            .get(&format!("versions/{}", scene.version(1).await))
            .await;
        assert_eq!(shown.json()["content"], file);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_saves_at_once_are_twenty_versions() {
    let scene = Arc::new(Scene::new("a.md", "original").await);
    let savers: Vec<_> = (0..20)
        .map(|number| {
            let scene = scene.clone();
            tokio::spawn(async move { scene.save(&format!("text {number}")).await.json() })
        })
        .collect();
    let mut ids = Vec::new();
    for saver in savers {
        let saved = saver.await.expect("every save is answered");
        assert_eq!(saved["changed"], true);
        ids.push(saved["version_id"].as_str().expect("an id").to_owned());
    }
    let versions = scene.versions().await;
    assert_eq!(versions.len(), 21);
    for (number, id) in ids.iter().enumerate() {
        let details = scene.get(&format!("versions/{id}")).await.json();
        assert_eq!(details["content"], format!("text {number}"));
    }
    let details = scene
        .get(&format!("versions/{}", scene.version(1).await))
        .await;
    assert_eq!(details.json()["content"], "original");
    let chat = scene
        .server
        .get(&format!("/chat/{}", scene.chat))
        .send()
        .await;
    assert_eq!(chat.json()["rev"], 21);
}

#[tokio::test]
async fn a_file_of_several_chats_is_named_by_its_attachment() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "a.md", "one").await;
    let path = format!("/chat-file/{file}/versions");
    let list = server.get(&path).send().await;
    list.is_error(404, "File not found.");
    let first = server.chat_with(&user, &[&file]).await;
    let mut rest = Vec::new();
    for _ in 0..2 {
        let chat = server.chat_with(&user, &[&file]).await;
        let files = server.get(&format!("/chat/{chat}/files")).send().await;
        rest.push((chat, files.string("/files/0/id")));
    }
    // The first attachment has the file's own id.
    let saved = server.post(&path).form(&[("content", "two")]).send().await;
    saved.has_status(200);
    has_content(&server, &user, &file, "two").await;
    for (_, id) in &rest {
        let list = server.get(&format!("/chat-file/{id}/versions"));
        list.send().await.is(200, r#"{"versions":[],"next":null}"#);
    }
    // Without it the id could mean either of two, then only one.
    let detach = format!("/chat/{first}");
    server.delete(&detach).send().await.has_status(200);
    let list = server.get(&path).send().await;
    list.is_error(404, "File not found.");
    has_content(&server, &user, &file, "one").await;
    let (chat, _) = &rest[0];
    let detach = format!("/chat/{chat}");
    server.delete(&detach).send().await.has_status(200);
    let saved = server
        .post(&path)
        .form(&[("content", "three")])
        .send()
        .await;
    saved.has_status(200);
    let (_, id) = &rest[1];
    let list = server
        .get(&format!("/chat-file/{id}/versions"))
        .send()
        .await;
    assert_eq!(list.json()["versions"].as_array().map(Vec::len), Some(2));
    has_content(&server, &user, &file, "three").await;
    // Another chat that gets it gets it under another id, so that the file's own doesn't mean this chat's now.
    let another = server.chat_with(&user, &[&file]).await;
    let files = server.get(&format!("/chat/{another}/files")).send().await;
    let another = files.string("/files/0/id");
    assert_ne!(another, file);
    let list = server.get(&path).send().await;
    list.is_error(404, "File not found.");
    has_content(&server, &user, &file, "one").await;
    has_content(&server, &user, &another, "one").await;
    has_content(&server, &user, id, "three").await;
}

/// Fails unless the file of this id has the content `text` wherever it is read, and the size of `text`.
async fn has_content(server: &Server, user: &User, id: &str, text: &str) {
    let content = server.get(&format!("/file/{id}/content")).send().await;
    assert_eq!(content.text(), text);
    let details = server.get(&format!("/file/{id}")).send().await.json();
    assert_eq!(details["size"], text.len());
    let path = format!("/workspace/{}/files", user.workspace);
    let list = server.get(&path).send().await.json();
    let listed = &list["files"][0];
    if listed["id"] == id {
        assert_eq!(*listed, details);
    }
}
