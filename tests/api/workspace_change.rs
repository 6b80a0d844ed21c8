//! `PATCH /workspace/rename` and `DELETE /workspace/delete/{workspace_id}`.

use serde_json::json;

use super::{UNKNOWN_ID, assert_invalid, missing};
use crate::support::{Multipart, Server, login};

#[tokio::test]
async fn a_renamed_workspace_has_its_new_name() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    for name in ["Das Schloß", "", "../\u{0}\r\n\"'"] {
        let form = Multipart::new()
            .text("workspace_id", &user.workspace)
            .text("new_name", name);
        let response = server.patch("/workspace/rename").multipart(form);
        let expected = json!({ "workspace_id": user.workspace, "new_name": name }).to_string();
        response.send().await.is(200, &expected);
        let listed = server.login(&user.email).await;
        assert_eq!(listed.string("/workspaces/0/name"), name);
    }
    let form = [
        ("workspace_id", user.workspace.as_str()),
        ("new_name", "by its owner"),
        ("user_id", &user.id),
    ];
    let response = server.patch("/workspace/rename").form(&form).send().await;
    response.has_status(200);
}

#[tokio::test]
async fn a_workspace_that_is_not_ones_own_keeps_its_name() {
    let server = Server::start().await;
    let owner = login(&server, "owner@example.com").await;
    let stranger = login(&server, "stranger@example.com").await;
    let before = server.database().await.dump().await;
    for (workspace, user, detail) in [
        (UNKNOWN_ID, None, "Workspace not found."),
        ("", None, "Workspace not found."),
        (
            &owner.workspace,
            Some(&*stranger.id),
            "Workspace not found.",
        ),
        (&owner.workspace, Some(UNKNOWN_ID), "User not found."),
        (UNKNOWN_ID, Some(UNKNOWN_ID), "User not found."),
    ] {
        let mut form = vec![("workspace_id", workspace), ("new_name", "stolen")];
        form.extend(user.map(|user| ("user_id", user)));
        let response = server.patch("/workspace/rename").form(&form).send().await;
        response.is_error(404, detail);
    }
    assert_eq!(server.database().await.dump().await, before);
}

#[tokio::test]
async fn errors_name_missing_and_too_long_fields() {
    let server = Server::start().await;
    let empty = server.patch("/workspace/rename").form(&[]).send().await;
    assert_invalid(&empty, &[missing("workspace_id"), missing("new_name")]);
    let long = "x".repeat(256);
    let form = [("workspace_id", "x"), ("new_name", long.as_str())];
    let response = server.patch("/workspace/rename").form(&form).send().await;
    response.has_status(422);
    assert_eq!(response.string("/detail/0/type"), "string_too_long");
}

#[tokio::test]
async fn a_deleted_workspace_takes_along_all_that_is_in_it() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let other = server.workspace(&user, "kept").await;
    let form = user.upload_to(&other, "false");
    server.upload(form.file("files", "kept.txt", "kept")).await;

    let file = server.file(&user, "large.bin", vec![7; 2_000_000]).await;
    let chat = server.chat_with(&user, &[&file]).await;
    let edited = server.chat_file(&user, &chat, "notes.md", "one").await;
    let form = [("content", "two")];
    let path = format!("/chat-file/{edited}/versions");
    server.post(&path).form(&form).send().await.has_status(200);
    // Its message is another row that must go.
    let path = format!("/file/delete/{edited}");
    server.delete(&path).send().await.has_status(200);
    let edited = server.chat_file(&user, &chat, "more.md", "one").await;
    let path = format!("/chat-file/{edited}/versions");
    server.post(&path).form(&form).send().await.has_status(200);

    let path = format!("/workspace/delete/{}", user.workspace);
    let detail = "Workspace and all associated data deleted successfully.";
    server.delete(&path).send().await.is_error(200, detail);
    let again = server.delete(&path).send().await;
    again.is_error(404, "Workspace not found.");

    let database = server.database().await;
    for table in [
        "chat",
        "chat_file",
        "chat_file_version",
        "chat_conversation",
    ] {
        assert_eq!(database.count(table).await, 0, "rows of {table}");
    }
    for table in ["workspace", "file", "content", "content_chunk"] {
        assert_eq!(database.count(table).await, 1, "rows of {table}");
    }
    assert_eq!(database.number("SELECT stored_bytes FROM user").await, 4);
    database.has_no_orphans().await;
    let listed = server.login(&user.email).await.json();
    assert_eq!(listed["workspaces"].as_array().map(Vec::len), Some(1));
    assert_eq!(listed["workspaces"][0]["id"], other);
    for path in [
        format!("/file/{file}/content"),
        format!("/chat/{chat}"),
        format!("/chat-file/{edited}/versions"),
    ] {
        server.get(&path).send().await.has_status(404);
    }

    // The default one is not made again.
    let path = format!("/workspace/delete/{other}");
    server.delete(&path).send().await.has_status(200);
    let listed = server.login(&user.email).await.json();
    assert_eq!(listed["workspaces"], json!([]));
    assert_eq!(server.database().await.count("content").await, 0);
}

#[tokio::test]
async fn deleting_a_workspace_closes_the_sockets_of_all_its_chats() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let mut clients = Vec::new();
    let mut old = Vec::new();
    for name in ["one", "two", "three"] {
        let chat = server.chat(&user, name).await;
        clients.push(server.v2(&chat).await);
        old.push(server.v1(&chat).await);
    }
    let path = format!("/workspace/delete/{}", user.workspace);
    server.delete(&path).send().await.has_status(200);
    for client in &mut clients {
        let received = client.action("chat_deleted").await;
        assert_eq!(received, json!({ "action": "chat_deleted" }));
        assert_eq!(client.closed().await, Some(1000));
    }
    for client in &mut old {
        assert_eq!(client.json().await["initial"], true);
        assert_eq!(client.json().await, json!({ "error": "Chat not found." }));
        assert_eq!(client.closed().await, Some(1000));
    }
}

#[tokio::test]
async fn unknown_workspaces_are_not_deleted() {
    let server = Server::start().await;
    login(&server, "someone@example.com").await;
    let before = server.database().await.dump().await;
    for id in [UNKNOWN_ID, "x", "%00", "%20", "%27%20OR%201=1", "new"] {
        let path = format!("/workspace/delete/{id}");
        let response = server.delete(&path).send().await;
        response.is_error(404, "Workspace not found.");
    }
    assert_eq!(server.database().await.dump().await, before);
}
