//! Open mode: a caller who is named touches only their own data (docs/promises.md#1-ownership).

use super::UNKNOWN_ID;
use crate::support::{Server, User, login};

/// Two users, one of whom has rows.
struct Scene {
    server: Server,
    stranger: User,
    owner: User,
    chat: String,
    file: String,
}

async fn scene() -> Scene {
    let server = Server::start().await;
    let (stranger, owner) = (
        login(&server, "stranger@example.com").await,
        login(&server, "owner@example.com").await,
    );
    let (chat, file) = (
        server.chat(&owner, "private").await,
        server.file(&owner, "private.txt", "secret").await,
    );
    Scene {
        server,
        stranger,
        owner,
        chat,
        file,
    }
}

#[tokio::test]
async fn a_foreign_workspace_takes_no_chat() {
    let Scene {
        server,
        stranger,
        owner,
        ..
    } = scene().await;
    let before = server.database().await.dump().await;
    let form = [
        ("user_id", stranger.id.as_str()),
        ("workspace_id", &owner.workspace),
        ("chat_name", "x"),
    ];
    server
        .post("/chat/new")
        .form(&form)
        .send()
        .await
        .is_error(404, "Workspace not found.");
    assert_eq!(server.database().await.dump().await, before);
}

#[tokio::test]
async fn a_foreign_file_cannot_be_selected() {
    let Scene {
        server,
        stranger,
        file,
        ..
    } = scene().await;
    let before = server.database().await.dump().await;
    let form = [
        ("user_id", stranger.id.as_str()),
        ("workspace_id", &stranger.workspace),
        ("chat_name", "x"),
        ("selected_file_ids", &file),
    ];
    let response = server.post("/chat/new").form(&form).send().await;
    response.is_error(404, &format!("File {file} not found in the workspace."));
    assert_eq!(server.database().await.dump().await, before);
}

#[tokio::test]
async fn a_file_of_another_workspace_of_ones_own_cannot_be_selected_either() {
    let Scene {
        server,
        owner,
        file,
        ..
    } = scene().await;
    let form = [("owner_id", owner.id.as_str()), ("name", "second")];
    let second = server
        .post("/workspace/new")
        .form(&form)
        .send()
        .await
        .string("/workspace_id");
    let form = [
        ("user_id", owner.id.as_str()),
        ("workspace_id", &second),
        ("chat_name", "x"),
        ("selected_file_ids", &file),
    ];
    let response = server.post("/chat/new").form(&form).send().await;
    response.is_error(404, &format!("File {file} not found in the workspace."));
}

#[tokio::test]
async fn foreign_targets_take_no_upload() {
    let Scene {
        server,
        stranger,
        owner,
        chat,
        ..
    } = scene().await;
    let rows = |database: crate::support::Database| async move {
        (
            database.count("file").await,
            database.count("chat_file").await,
        )
    };
    let before = rows(server.database().await).await;
    for (target, is_chat, detail) in [
        (&chat, "true", "Chat not found."),
        (&owner.workspace, "false", "Workspace not found."),
    ] {
        let form = stranger
            .upload_to(target, is_chat)
            .file("files", "x.txt", "x");
        server.upload(form).await.is_error(404, detail);
    }
    assert_eq!(rows(server.database().await).await, before);
}

#[tokio::test]
async fn a_login_shows_only_ones_own() {
    let Scene {
        server,
        stranger,
        owner,
        chat,
        file,
    } = scene().await;
    let response = server.login(&stranger.email).await;
    for foreign in [&owner.id, &owner.email, &owner.workspace, &chat, &file] {
        assert!(!response.text().contains(foreign), "{}", response.text());
    }
}

#[tokio::test]
async fn a_user_who_names_himself_in_a_query_reaches_only_his_own_rows() {
    let Scene {
        server,
        stranger,
        owner,
        chat,
        file,
    } = scene().await;
    let model = server.post("/models/new").form(&[
        ("user_id", owner.id.as_str()),
        ("name", "a model"),
        ("ak", ""),
        ("base_url", "http://127.0.0.1:9/v1"),
    ]);
    let model = model.send().await.string("/id");
    let reply = format!("/chat/{chat}/generations/{UNKNOWN_ID}/events");
    let before = server.database().await.dump().await;
    let workspace = &owner.workspace;
    let asked = [
        ("GET", format!("/file/{file}/content"), "File not found."),
        ("GET", reply, "Generation not found."),
        ("POST", format!("/chat/{chat}/stop"), "Chat not found."),
        ("POST", format!("/models/{model}/test"), "Model not found."),
        ("DELETE", "/chat/new".to_owned(), "Chat not found."),
        ("DELETE", format!("/chat/{chat}"), "Chat not found."),
        ("DELETE", format!("/file/delete/{file}"), "File not found."),
        (
            "DELETE",
            format!("/models/delete/{model}"),
            "Model not found.",
        ),
        (
            "DELETE",
            format!("/workspace/delete/{workspace}"),
            "Workspace not found.",
        ),
    ];
    for (method, path, detail) in &asked {
        for (user, detail) in [(&*stranger.id, *detail), (UNKNOWN_ID, "User not found.")] {
            let named = format!("{path}?user_id={user}");
            let answer = server.request(method, &named).send().await;
            answer.is_error(404, detail);
        }
        let named = format!("{path}?user_id={}", "x".repeat(256));
        let answer = server.request(method, &named).send().await;
        answer.has_status(422);
    }
    assert_eq!(server.database().await.dump().await, before);
    for (method, path, _) in asked.iter().filter(|(_, path, _)| !path.contains("/new")) {
        let named = format!("{path}?user_id={}", owner.id);
        let answer = server.request(method, &named).send().await;
        let is_reply = path.ends_with("/events");
        answer.has_status(if is_reply { 404 } else { 200 });
    }
}
