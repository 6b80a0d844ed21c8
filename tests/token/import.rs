//! Imports in token mode: for who has logged in, within their quota.

use serde_json::{Value, json};

use super::{Person, Town};
use crate::support::archive::archive;
use crate::support::{FakeModel, Multipart, Response, Setup};

impl Town {
    async fn import(&self, person: &Person, archive: Vec<u8>) -> Response {
        let request = self.server.post("/import").by(person);
        request.body("application/zip", archive).send().await
    }

    async fn export(&self, person: &Person) -> Vec<u8> {
        let path = format!("/user/{}/export", person.id);
        let answer = self.server.get(&path).by(person).send().await;
        answer.has_status(200);
        answer.body.to_vec()
    }
}

#[tokio::test]
async fn an_export_moves_to_another_account() {
    let town = Town::with(Setup::app().variable("allow_private_models", "true")).await;
    let josef = town.person("josef@example.com").await;
    let model = FakeModel::start();
    let form = [
        ("user_id", josef.id.as_str()),
        ("name", "fake"),
        ("ak", "a secret key"),
        ("base_url", &model.base_url()),
    ];
    let made = town.server.post("/models/new").by(&josef).form(&form);
    made.send().await.has_status(200);
    let chat = josef.chat(&town, "Trial").await;
    let form = Multipart::new()
        .text("target_id", &chat)
        .text("is_chat", "true")
        .file("files", "a.md", "text");
    let upload = town.server.post("/file/upload").by(&josef).multipart(form);
    upload.send().await.has_status(200);
    let archive = town.export(&josef).await;
    let leni = town.person("leni@example.com").await;
    for (made, there) in [(1, 0), (0, 1)] {
        let answer = town.import(&leni, archive.clone()).await;
        answer.has_status(200);
        let counts = |number| json!({ "workspaces": number, "models": number, "files": number, "chats": number });
        assert_eq!(answer.json()["made"], counts(made), "{answer:?}");
        assert_eq!(answer.json()["there_already"], counts(there));
    }
    // In the name of another user.
    let path = format!("/import?user_id={}", josef.id);
    let foreign = town
        .server
        .post(&path)
        .by(&leni)
        .body("application/zip", archive.clone());
    foreign.send().await.is_error(404, "User not found.");
    let nobody = town.server.post("/import").body("application/zip", archive);
    assert_eq!(nobody.send().await.status, 401);
    let database = town.server.database().await;
    database.has_no_orphans().await;
    database.knows_how_much_is_stored().await;
    assert_eq!(database.count("long_work").await, 0);
    let gone = town.server.delete(&format!("/user/{}", leni.id)).by(&leni);
    gone.send().await.has_status(200);
    let database = town.server.database().await;
    assert_eq!(database.count("chat").await, 1);
    assert_eq!(database.count("import_link").await, 0);
}

#[tokio::test]
async fn limits_hold_and_what_came_before_stays() {
    let setup = Setup::app()
        .variable("storage_quota_bytes", "1000")
        .variable("row_limits", "workspaces=2 chats=1")
        .variable("max_upload_bytes", "2000");
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let file =
        |name: &str, length: usize| (format!("workspaces/w/{name}/{name}.bin"), vec![7; length]);
    let sent = archive(&[
        file("a", 400),
        file("large", 2001),
        file("b", 400),
        file("c", 400),
    ]);
    let answer = town.import(&josef, sent).await;
    answer.is_error(
        413,
        "Your storage is full. Delete files or chats to make room.",
    );
    let database = town.server.database().await;
    let names = database
        .texts("SELECT filename FROM file ORDER BY rowid")
        .await;
    assert_eq!(names, ["a.bin", "b.bin"]);
    database.knows_how_much_is_stored().await;
    let sent = archive(&[file("a", 400), file("large", 2001)]);
    let answer = town.import(&josef, sent).await;
    answer.has_status(200);
    assert_eq!(answer.json()["there_already"]["files"], 1);
    let left_out = json!([{
        "what": "workspaces/w/large/large.bin",
        "reason": "This server takes no file of more than 2000 bytes.",
    }]);
    assert_eq!(answer.json()["left_out"], left_out);
    // The login's workspace, and the archive's.
    let answer = town
        .import(&josef, archive(&[("workspaces/v/files.json", "[]")]))
        .await;
    assert_eq!(answer.status, 413, "{answer:?}");
    let chat = |id: &str| {
        let json = json!({ "version": 1, "id": id, "name": id, "workspace_id": "w", "messages": [], "files": [] });
        (format!("chats/{id}/chat.json"), json.to_string())
    };
    let answer = town
        .import(&josef, archive(&[chat("one"), chat("two")]))
        .await;
    assert_eq!(answer.status, 413, "{answer:?}");
    assert!(
        answer.text().contains("as many chats as you may have"),
        "{answer:?}"
    );
    let database = town.server.database().await;
    assert_eq!(database.texts("SELECT name FROM chat").await, ["one"]);
}

#[tokio::test]
async fn models_at_refused_addresses_are_left_out() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    let models = json!([
        { "id": "m", "name": "inside", "base_url": "http://127.0.0.1:1/v1", "user_id": "x" },
        { "id": "n", "name": "outside", "base_url": "https://models.example/v1", "user_id": "x" },
    ]);
    let user = json!({ "version": 1, "models": models, "workspaces": [], "settings": { "model_id": "n" } });
    let answer = town
        .import(&josef, archive(&[("export.json", user.to_string())]))
        .await;
    answer.has_status(200);
    assert_eq!(answer.json()["left_out"][0]["what"], "model inside");
    let listed = town
        .server
        .get(&format!("/models?user_id={}", josef.id))
        .by(&josef)
        .send()
        .await;
    assert_eq!(listed.json()["models"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed.json()["models"][0]["name"], "outside");
    let settings = town
        .server
        .get(&format!("/user/{}/settings", josef.id))
        .by(&josef)
        .send()
        .await;
    assert_eq!(
        settings.json()["model_id"],
        listed.json()["models"][0]["id"]
    );
}

/// A chat of so many messages, each changed by its number.
fn chat_of(count: usize, change: impl Fn(usize, &mut Value)) -> (String, String) {
    let message = |number: usize| {
        let mut message = json!({
            "id": format!("m{number}"), "parent_id": null, "role": "assistant", "type": "text", "content": "",
            "status": "complete", "model": null, "created_at": "2026-01-01T00:00:00.000000+00:00",
        });
        change(number, &mut message);
        message
    };
    let messages: Vec<Value> = (0..count).map(message).collect();
    let chat = json!({ "version": 1, "id": "c", "name": "c", "workspace_id": "w", "messages": messages, "files": [] });
    ("chats/c/chat.json".to_owned(), chat.to_string())
}

/// A text that packs badly.
fn text(length: usize) -> String {
    let mut state = 1_u64;
    let mut next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        char::from(b'0' + (state >> 33) as u8 % 64)
    };
    (0..length).map(|_| next()).filter(|c| *c != '\\').collect()
}

#[tokio::test]
async fn a_chat_beyond_the_quota_leaves_nothing() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "3000000")).await;
    let josef = town.person("josef@example.com").await;
    let full = "Your storage is full. Delete files or chats to make room.";
    let nothing = async || {
        let database = town.server.database().await;
        assert_eq!(database.count("content").await, 0);
        assert_eq!(database.count("chat").await, 0);
        let stored = "SELECT sum(stored_bytes) FROM user";
        assert_eq!(database.number(stored).await, 0);
        database.knows_how_much_is_stored().await;
    };
    let texts = |number: usize, message: &mut Value| {
        message["content"] = format!("{number}{}", text(200_000)).into();
    };
    let whole = archive(&[chat_of(40, texts)]);
    town.import(&josef, whole.clone()).await.is_error(413, full);
    nothing().await;
    // The rest never comes: what is staged is the user's from its beginning.
    let head = format!(
        "POST /import HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\ncontent-type: application/zip\r\n\
         content-length: {}\r\n\r\n",
        town.server.address(),
        josef.bearer(),
        whole.len()
    );
    let part = &whole[..whole.len() * 3 / 4];
    let answer = town.server.raw([head.as_bytes(), part].concat()).await;
    assert_eq!(answer.status, 413, "{}", answer.body);
    nothing().await;
    // It fits while it comes, and fails at its end.
    let (path, chat) = chat_of(10, texts);
    let mut twice: Value = serde_json::from_str(&chat).expect("JSON");
    let version =
        json!({ "id": "v", "timestamp": "2026-01-01T00:00:00.000000+00:00", "content": "" });
    twice["files"] =
        json!([{ "id": "f", "file_id": null, "filename": "f", "versions": [version, version] }]);
    let twice = archive(&[(path.as_str(), twice.to_string())]);
    let answer = town.import(&josef, twice).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    nothing().await;
    // The document does not end.
    let cut = archive(&[(path.as_str(), &chat[..chat.len() - 1])]);
    let answer = town.import(&josef, cut).await;
    assert_eq!(answer.status, 400, "{answer:?}");
    nothing().await;
    town.import(&josef, archive(&[(path, chat)]))
        .await
        .has_status(200);
    let database = town.server.database().await;
    assert_eq!(database.count("content").await, 0);
    database.knows_how_much_is_stored().await;
}

#[tokio::test]
async fn what_messages_have_beside_their_texts_counts() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "100000")).await;
    let josef = town.person("josef@example.com").await;
    for (name, value) in [
        ("error", json!(text(2_000))),
        ("usage", json!({ "prompt_tokens": vec![7; 1_000] })),
        ("note", json!("n".repeat(2_000))),
    ] {
        let beside = |_: usize, message: &mut Value| message[name] = value.clone();
        let answer = town.import(&josef, archive(&[chat_of(60, beside)])).await;
        assert_eq!(answer.status, 413, "{name}: {answer:?}");
        let answer = town.import(&josef, archive(&[chat_of(20, beside)])).await;
        answer.has_status(200);
        let stored = "SELECT max(stored_bytes) BETWEEN 20000 AND 60000 FROM user";
        assert_eq!(
            town.server.database().await.number(stored).await,
            1,
            "{name}"
        );
        let id = "SELECT id FROM chat";
        let id = town.server.database().await.texts(id).await.remove(0);
        let deleted = town.server.delete(&format!("/chat/{id}")).by(&josef);
        deleted.send().await.has_status(200);
        let stored = "SELECT max(stored_bytes) FROM user";
        assert_eq!(
            town.server.database().await.number(stored).await,
            0,
            "{name}"
        );
    }
}
