//! Imports in token mode: for who has logged in, within their quota.

use serde_json::json;

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
