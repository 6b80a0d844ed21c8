//! Reading workspaces, chats and files, one by one and in lists.

mod pages;

use serde_json::{Value, json};

use self::pages::ids;
use crate::support::{Server, login};

/// Settings of which none is set.
const NO_SETTINGS: &str = r#"{"instructions":null,"model_id":null,"temperature":null,"top_p":null,"max_tokens":null,"reasoning_effort":null,"extra":null}"#;

#[tokio::test]
async fn workspaces_are_listed_and_read() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let second = server.workspace(&user, "zweiter \"Raum\"").await;
    server.file(&user, "a.txt", "a").await;
    server.chat(&user, "one").await;
    server.chat(&user, "two").await;
    let list = server.get(&format!("/workspace?user_id={}", user.id));
    let expected = format!(
        r#"{{"workspaces":[{{"id":"{}","name":"Default Workspace"}},{{"id":"{second}","name":"zweiter \"Raum\""}}],"next":null}}"#,
        user.workspace
    );
    list.send().await.is(200, &expected);
    let details = server.get(&format!("/workspace/{}", user.workspace));
    let expected = format!(
        r#"{{"id":"{}","name":"Default Workspace","num_files":1,"num_chats":2,"settings":{NO_SETTINGS}}}"#,
        user.workspace
    );
    details.send().await.is(200, &expected);
}

#[tokio::test]
async fn files_of_a_workspace_are_listed_and_read() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = user
        .to_workspace()
        .typed_file("files", "m.PY", "text/x-python", "print(1)\n")
        .file("files", "empty", "")
        .file("files", "a.based", "abc");
    let ids = server.upload(form).await.json()["files"].clone();
    for id in ids.as_array().expect("a list") {
        server.reads(id.as_str().expect("an id")).await;
    }
    let file = |index: usize, name: &str, size: i64, kind: &str| {
        let id = ids[index].as_str().expect("an id");
        json!({
            "id": id, "filename": name, "path": format!("uploads/files/{id}_{name}"), "size": size, "type": kind,
            "language": null, "url": format!("http://{}/file/{id}/content", server.address()), "media_type": null,
            "text_state": "ready", "text_error": null,
        })
    };
    let mut python = file(0, "m.PY", 9, "code");
    python["language"] = "python".into();
    python["media_type"] = "text/x-python".into();
    let files = [
        python,
        file(1, "empty", 0, "other"),
        file(2, "a.based", 3, "based"),
    ];
    let path = format!("/workspace/{}/files", user.workspace);
    let list = server.get(&path).send().await;
    list.is(200, &json!({ "files": files, "next": null }).to_string());
    for file in files {
        let path = format!("/file/{}", file["id"].as_str().expect("an id"));
        let details = server.get(&path).send().await;
        details.is(200, &file.to_string());
        let content = server.get(&format!("{path}/content")).send().await;
        assert_eq!(json!(content.body.len()), file["size"]);
    }
}

#[tokio::test]
async fn a_workspace_lists_its_files_as_they_are_served() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let chat = server.chat(&user, "one").await;
    let mut files = Vec::new();
    for name in ["a.md", "b", "c.md"] {
        let form = user.upload_to(&chat, "true");
        let form = form.typed_file("files", name, "text/x-typed", "one");
        files.push(server.upload(form).await.string("/files/0"));
    }
    // What only another chat has, under another id.
    let other = server.chat_with(&user, &[&files[2]]).await;
    server.delete(&format!("/chat/{chat}")).send().await;
    let again = server.chat_with(&user, &[&files[0], &files[1]]).await;
    for file in &files[1..] {
        save(&server, file, "größer").await;
    }
    for chat in [&other, &again] {
        let path = format!("/chat/{chat}/files");
        let list = server.get(&path).send().await.json();
        for file in list["files"].as_array().expect("a list") {
            let is_changed = file["num_versions"] == 2;
            assert_eq!(is_changed, file["file_id"] != files[0], "{file}");
        }
    }
    let path = format!("/workspace/{}/files", user.workspace);
    let list = server.get(&path).send().await.json();
    assert_eq!(ids(&list, "files"), files);
    for (listed, (kind, media_type, text)) in
        list["files"].as_array().expect("a list").iter().zip([
            ("markdown", json!("text/x-typed"), "one"),
            ("based", Value::Null, "größer"),
            ("markdown", Value::Null, "größer"),
        ])
    {
        assert_eq!(listed["type"], kind);
        assert_eq!(listed["media_type"], media_type);
        assert_eq!(listed["size"], text.len());
        let url = listed["url"].as_str().expect("a path");
        assert_eq!(server.get(url).send().await.text(), text);
        let path = format!("/file/{}", listed["id"].as_str().expect("an id"));
        let details = server.get(&path).send().await.json();
        assert_eq!(details, *listed);
    }
}

#[tokio::test]
async fn chats_are_listed_and_read() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let made = server.chat_new(&user, "The Trial").await;
    let (chat, time) = (made.string("/chat_id"), made.string("/last_updated"));
    let mut expected = json!({
        "id": chat, "name": "The Trial", "last_updated": time, "num_versions": 0, "workspace_id": user.workspace,
    });
    let path = format!("/workspace/{}/chats", user.workspace);
    let list = server.get(&path).send().await;
    let listed = json!({ "chats": [expected], "next": null });
    list.is(200, &listed.to_string());
    let details = server.get(&format!("/chat/{chat}")).send().await;
    expected["rev"] = 0.into();
    expected["num_messages"] = 0.into();
    expected["generation"] = Value::Null;
    let nothing: Value = serde_json::from_str(NO_SETTINGS).expect("JSON");
    expected["settings"] = nothing.clone();
    expected["in_force"] = nothing;
    expected["in_force"]["instructions"] = json!([]);
    details.is(200, &expected.to_string());

    let file = server.chat_file(&user, &chat, "a.md", "one").await;
    save(&server, &file, "two").await;
    server.get(&format!("/chat/{chat}")).send().await;
    let details = server.get(&format!("/chat/{chat}")).send().await.json();
    assert_eq!(
        (&details["num_versions"], &details["rev"]),
        (&json!(2), &json!(2))
    );
    let list = server.get(&path).send().await.json();
    assert_eq!(list["chats"][0]["num_versions"], 2);
    assert_eq!(list["chats"][0]["last_updated"], details["last_updated"]);
}

#[tokio::test]
async fn files_of_a_chat_are_listed_with_their_newest_versions() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "d.csv", "a,b\n").await;
    server.chat_with(&user, &[&file]).await;
    let chat = server.chat_with(&user, &[&file]).await;
    let path = format!("/chat/{chat}/files");
    let list = server.get(&path).send().await;
    let id = list.string("/files/0/id");
    assert_ne!(id, file, "it is another attachment");
    server.reads(&id).await;
    let list = server.get(&path).send().await;
    let mut entry = json!({
        "id": id, "filename": "d.csv", "path": format!("uploads/files/{file}_d.csv"), "size": 4, "type": "csv",
        "language": null, "url": format!("http://{}/file/{id}/content", server.address()), "media_type": null,
        "text_state": "ready", "text_error": null, "file_id": file,
        "num_versions": 0, "version_id": null, "timestamp": null,
    });
    list.is(200, &json!({ "files": [entry], "next": null }).to_string());

    let saved = save(&server, &id, "größer").await;
    entry["size"] = 8.into();
    entry["num_versions"] = 2.into();
    entry["version_id"] = saved["version_id"].clone();
    entry["timestamp"] = saved["timestamp"].clone();
    let list = server.get(&path).send().await;
    list.is(200, &json!({ "files": [entry], "next": null }).to_string());
    // The attachment has the newest version in its chat; the workspace's file stays unchanged.
    let details = server.get(&format!("/file/{id}")).send().await.json();
    assert_eq!((&details["id"], &details["size"]), (&json!(id), &json!(8)));
    let details = server.get(&format!("/file/{file}")).send().await.json();
    assert_eq!(
        (&details["id"], &details["size"]),
        (&json!(file), &json!(4))
    );
}

async fn save(server: &Server, file: &str, text: &str) -> Value {
    let path = format!("/chat-file/{file}/versions");
    let saved = server.post(&path).form(&[("content", text)]).send().await;
    saved.has_status(200);
    saved.json()
}
