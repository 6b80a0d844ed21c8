//! What archives may take of a server beside the texts that they bring.

use serde_json::{Value, json};

use super::scene::{import, made};
use crate::support::archive::archive;
use crate::support::{FakeModel, Server, login};

/// A chat that refers to a model and a file which never come.
fn waiting(id: &str) -> (String, String) {
    let chat = json!({
        "version": 1, "id": id, "name": id, "workspace_id": "w", "settings": { "model_id": "m" },
        "messages": [], "files": [{ "id": "a", "file_id": "f", "filename": "a.txt", "versions": [] }],
    });
    (format!("chats/{id}/chat.json"), chat.to_string())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_noted_goes_with_what_it_is_about() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let file = ("workspaces/w/g/b.txt".to_owned(), "x".to_owned());
    let answer = import(&server, &user, archive(&[waiting("c"), file])).await;
    assert_eq!(made(&answer, "made"), [1, 0, 1, 1]);
    let kinds = async || {
        let database = server.database().await;
        let counted = "SELECT count(*) FROM user WHERE num_import_links <> (SELECT count(*) FROM import_link WHERE user_id = user.id)";
        assert_eq!(database.number(counted).await, 0);
        database
            .texts("SELECT kind FROM import_link ORDER BY kind")
            .await
    };
    assert_eq!(
        kinds().await,
        ["chat_file", "chat_model", "file_name", "workspace_name"]
    );
    let id = async |sql: &str| server.database().await.texts(sql).await.remove(0);
    let attached = id("SELECT id FROM chat_file").await;
    let path = format!("/file/delete/{attached}");
    server.delete(&path).send().await.has_status(200);
    assert_eq!(kinds().await, ["chat_model", "file_name", "workspace_name"]);
    let chat = id("SELECT id FROM chat").await;
    let path = format!("/chat/{chat}");
    server.delete(&path).send().await.has_status(200);
    assert_eq!(kinds().await, ["file_name", "workspace_name"]);
    let workspace = id("SELECT id FROM workspace WHERE name = 'Imported'").await;
    let path = format!("/workspace/delete/{workspace}");
    server.delete(&path).send().await.has_status(200);
    assert!(kinds().await.is_empty());
    // All at once.
    let answer = import(&server, &user, archive(&[waiting("c")])).await;
    assert_eq!(made(&answer, "made"), [1, 0, 0, 1]);
    let workspace = id("SELECT id FROM workspace WHERE name = 'Imported'").await;
    let path = format!("/workspace/delete/{workspace}");
    server.delete(&path).send().await.has_status(200);
    assert!(kinds().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_has_only_so_much_that_waits() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let (path, chat) = waiting("c");
    let mut chat: Value = serde_json::from_str(&chat).expect("JSON");
    chat["workspace_id"] = json!(user.workspace);
    let chat = archive(&[(path, chat.to_string())]);
    let file = archive(&[(format!("workspaces/{}/f/a.txt", user.workspace), "x")]);
    server
        .change("UPDATE user SET num_import_links = 99999")
        .await;
    for archive in [&chat, &archive(&[waiting("d")])] {
        let answer = import(&server, &user, archive.clone()).await;
        assert_eq!(answer.status, 413, "{answer:?}");
        let detail = answer.string("/detail");
        assert!(
            detail.starts_with("Too much of what was imported"),
            "{detail}"
        );
    }
    let database = server.database().await;
    assert_eq!(database.count("chat").await, 0);
    server
        .change("DELETE FROM import_link; UPDATE user SET num_import_links = 99999")
        .await;
    import(&server, &user, file).await.has_status(200);
    let other = archive(&[(format!("workspaces/{}/g/a.txt", user.workspace), "x")]);
    assert_eq!(import(&server, &user, other).await.status, 413);
    server.change("UPDATE user SET num_import_links = 0").await;
    import(&server, &user, chat).await.has_status(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn small_archives_take_little_memory() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    // A list of lists, of which each takes 32 bytes or more where it is read as a value of any shape.
    let lists = format!("[{}[]]", "[],".repeat(1_300_000));
    let document = |field: &str| format!("{{\"version\":1,{field}}}");
    let chat = |field: &str| ("chats/c/chat.json".to_owned(), document(field));
    let message = |id: &str, field: &str| {
        let fields = "\"id\":\"m\",\"parent_id\":null,\"role\":\"user\",\"status\":\"complete\",\
            \"model\":null,\"created_at\":\"2026-01-01T00:00:00.000000+00:00\"";
        chat(&format!(
            "\"id\":\"{id}\",\"name\":\"c\",\"workspace_id\":\"w\",\"messages\":[{{{fields},{field}}}],\"files\":[]"
        ))
    };
    let name = "a".repeat(1000);
    let files: Vec<String> = (0..20_000)
        .map(|id| format!("{{\"id\":\"{id}\",\"filename\":\"{name}\",\"media_type\":null}}"))
        .collect();
    let all: Vec<String> = [
        "id",
        "name",
        "workspace_id",
        "last_updated",
        "head_id",
        "settings",
    ]
    .iter()
    .map(|field| format!("\"{field}\":{lists}"))
    .collect();
    let text = "\"type\":\"text\",\"content\":\"\"";
    let about = json!(format!("{{\"file_id\":\"f\",\"new\":{lists}}}"));
    let cases = [
        (400, chat(&all.join(","))),
        (400, chat(&format!("\"settings\":{{\"extra\":{lists}}}"))),
        (
            400,
            (
                "export.json".to_owned(),
                document(&format!("\"settings\":{{\"extra\":{lists}}}")),
            ),
        ),
        (400, message("a", &format!("{text},\"usage\":{lists}"))),
        (400, message("b", &format!("{text},\"file_ids\":{lists}"))),
        (200, message("c", &format!("{text},\"new\":{lists}"))),
        (
            200,
            message("d", &format!("\"type\":\"file\",\"content\":{about}")),
        ),
        (
            400,
            (
                "workspaces/w/files.json".to_owned(),
                format!("[{}]", files.join(",")),
            ),
        ),
    ];
    for (number, (status, entry)) in cases.into_iter().enumerate() {
        let answer = import(&server, &user, archive(&[entry])).await;
        assert_eq!(answer.status, status, "case {number}: {answer:?}");
    }
}

/// Both get their id from the same one in the archive.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attachment_and_a_file_of_one_id_are_two() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let model = FakeModel::start();
    let form = [
        ("user_id", user.id.as_str()),
        ("name", "fake"),
        ("ak", "any"),
        ("base_url", &model.base_url()),
    ];
    let saved = server.post("/models/new").form(&form).send().await;
    saved.has_status(200);
    let chat = json!({
        "version": 1, "id": "c", "name": "c", "workspace_id": user.workspace, "messages": [],
        "files": [{ "id": "f", "file_id": null, "filename": "a.txt", "versions": [] }],
    });
    let entries = [
        ("chats/c/chat.json".to_owned(), chat.to_string()),
        (
            format!("workspaces/{}/f/b.txt", user.workspace),
            "text".to_owned(),
        ),
    ];
    let answer = import(&server, &user, archive(&entries)).await;
    assert_eq!(made(&answer, "made"), [0, 0, 1, 1]);
    let file = server.database().await.texts("SELECT id FROM file").await;
    let attached = server
        .database()
        .await
        .texts("SELECT id FROM chat_file")
        .await;
    assert_eq!(file, attached);
    let other = server.chat(&user, "other").await;
    let sent = server.post(&format!("/chat/{other}/messages"));
    let sent = sent.json(json!({ "prompt": "Read it.", "file_ids": file }).to_string());
    sent.send().await.has_status(202);
    server.chat_with(&user, &[&file[0]]).await;
    let attached =
        "SELECT count(DISTINCT chat_id) FROM chat_file WHERE file_id = (SELECT id FROM file)";
    assert_eq!(server.database().await.number(attached).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_comes_after_its_file_was_attached_elsewhere() {
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let file = (
        format!("workspaces/{}/f/a.txt", user.workspace),
        "text".to_owned(),
    );
    let answer = import(&server, &user, archive(&[file])).await;
    assert_eq!(made(&answer, "made"), [0, 0, 1, 0]);
    let file = server.database().await.texts("SELECT id FROM file").await;
    server.chat_with(&user, &[&file[0]]).await;
    let message = json!({
        "id": "m", "parent_id": null, "role": "user", "type": "text", "content": "Read it.", "status": "complete",
        "model": null, "created_at": "2026-01-01T00:00:00.000000+00:00", "file_ids": ["f"], "selected": 1,
    });
    let version =
        json!({ "id": "v", "timestamp": "2026-01-01T00:00:00.000000+00:00", "content": "newer" });
    let chat = json!({
        "version": 1, "id": "c", "name": "c", "workspace_id": user.workspace, "messages": [message],
        "files": [{ "id": "f", "file_id": "f", "filename": "a.txt", "versions": [version] }],
    });
    let chat = archive(&[("chats/c/chat.json", chat.to_string())]);
    let answer = import(&server, &user, chat).await;
    assert_eq!(made(&answer, "made"), [0, 0, 0, 1]);
    let database = server.database().await;
    let attached =
        "SELECT count(DISTINCT chat_id) FROM chat_file WHERE file_id = (SELECT id FROM file)";
    assert_eq!(database.number(attached).await, 2);
    let chat = database
        .texts("SELECT id FROM chat WHERE name = 'c'")
        .await
        .remove(0);
    let shown = server.get(&format!("/chat/{chat}/messages")).send().await;
    let files = server.get(&format!("/chat/{chat}/files")).send().await;
    assert_eq!(
        shown.json()["messages"][0]["file_ids"],
        json!([files.json()["files"][0]["id"]])
    );
    assert_eq!(files.json()["files"][0]["num_versions"], 1);
    database.has_no_orphans().await;
}
