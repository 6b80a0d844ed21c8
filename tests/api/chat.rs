//! `POST /chat/new`, `DELETE /chat/{chat_id}`, `PATCH /chat/rename`.

use super::{UNKNOWN_ID, assert_invalid, assert_is_id, assert_is_now, missing};
use crate::support::{Multipart, Server, login};

#[tokio::test]
async fn a_new_chat_is_answered_as_in_the_seed() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let response = server.chat_new(&user, "General Chat").await;
    let (chat, time) = (
        response.string("/chat_id"),
        response.string("/last_updated"),
    );
    assert_is_id(&chat);
    assert_is_now(&time);
    response.is(
        200,
        &format!(r#"{{"chat_id":"{chat}","name":"General Chat","last_updated":"{time}"}}"#),
    );
    let listed = server.login(&user.email).await;
    assert_eq!(listed.string("/workspaces/0/chats/0/id"), chat);
    assert_eq!(listed.string("/workspaces/0/chats/0/last_updated"), time);
}

#[tokio::test]
async fn a_new_chat_may_start_with_files_of_its_workspace() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let (one, two) = (
        server.file(&user, "one.txt", "1").await,
        server.file(&user, "two.txt", "2").await,
    );
    let fields = [
        ("user_id", user.id.as_str()),
        ("workspace_id", &user.workspace),
        ("chat_name", "with files"),
        ("selected_file_ids", &one),
        ("selected_file_ids", &two),
    ];
    // Twice, because several chats can have one file.
    for _ in 0..2 {
        server
            .post("/chat/new")
            .form(&fields)
            .send()
            .await
            .has_status(200);
    }
    let database = server.database().await;
    assert_eq!(database.count("chat").await, 2);
    assert_eq!(database.count("chat_file").await, 4);
    assert_eq!(database.count("file").await, 2);
}

#[tokio::test]
async fn one_file_selected_twice_is_one_file_of_the_chat() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "one.txt", "1").await;
    let form = Multipart::new()
        .text("user_id", &user.id)
        .text("workspace_id", &user.workspace)
        .text("chat_name", "twice")
        .text("selected_file_ids", &file)
        .text("selected_file_ids", &file);
    server
        .post("/chat/new")
        .multipart(form)
        .send()
        .await
        .has_status(200);
    assert_eq!(server.database().await.count("chat_file").await, 1);
}

#[tokio::test]
async fn an_unknown_selected_file_makes_no_chat() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let file = server.file(&user, "one.txt", "1").await;
    let response = server
        .post("/chat/new")
        .form(&[
            ("user_id", &user.id),
            ("workspace_id", &user.workspace),
            ("chat_name", "never"),
            ("selected_file_ids", &file),
            ("selected_file_ids", UNKNOWN_ID),
        ])
        .send()
        .await;
    response.is_error(
        404,
        &format!("File {UNKNOWN_ID} not found in the workspace."),
    );
    let database = server.database().await;
    assert_eq!(database.count("chat").await, 0);
    assert_eq!(database.count("chat_file").await, 0);
}

#[tokio::test]
async fn unknown_users_and_workspaces_get_no_chat() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let new = |user_id: &str, workspace_id: &str| {
        server
            .post("/chat/new")
            .form(&[
                ("user_id", user_id),
                ("workspace_id", workspace_id),
                ("chat_name", "x"),
            ])
            .send()
    };
    new(UNKNOWN_ID, &user.workspace)
        .await
        .is_error(404, "User not found.");
    // The caller is looked at first.
    new(UNKNOWN_ID, UNKNOWN_ID)
        .await
        .is_error(404, "User not found.");
    new(&user.id, UNKNOWN_ID)
        .await
        .is_error(404, "Workspace not found.");
    new("", "").await.is_error(404, "User not found.");
    new("' OR 1=1 --", "\u{0}")
        .await
        .is_error(404, "User not found.");
    assert_eq!(server.database().await.count("chat").await, 0);
}

#[tokio::test]
async fn a_renamed_chat_has_its_new_name_and_time() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let made = server.chat_new(&user, "old").await;
    let chat = made.string("/chat_id");
    let response = server
        .patch("/chat/rename")
        .multipart(
            Multipart::new()
                .text("chat_id", &chat)
                .text("new_name", "New Chat Name"),
        )
        .send()
        .await;
    let time = response.string("/last_updated");
    assert_is_now(&time);
    assert!(time > made.string("/last_updated"), "renaming is a change");
    response.is(
        200,
        &format!(r#"{{"chat_id":"{chat}","name":"New Chat Name","last_updated":"{time}"}}"#),
    );
    let listed = server.login(&user.email).await;
    assert_eq!(listed.string("/workspaces/0/chats/0/name"), "New Chat Name");
    assert_eq!(listed.string("/workspaces/0/chats/0/last_updated"), time);
}

#[tokio::test]
async fn a_deleted_chat_is_gone_and_its_files_stay_in_the_workspace() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let (chat, kept) = (
        server.chat(&user, "gone").await,
        server.chat(&user, "kept").await,
    );
    let form = user
        .upload_to(&chat, "true")
        .file("files", "notes.md", "# notes");
    let file = server.upload(form).await.string("/files/0");

    let path = format!("/chat/{chat}");
    server
        .delete(&path)
        .send()
        .await
        .is_error(200, "Chat deleted successfully.");
    server
        .delete(&path)
        .send()
        .await
        .is_error(404, "Chat not found.");

    let database = server.database().await;
    assert_eq!(database.texts("SELECT id FROM chat").await, [kept]);
    // Foreign keys are enforced and cascade.
    assert_eq!(database.count("chat_file").await, 0);
    let listed = server.login(&user.email).await;
    assert_eq!(listed.string("/workspaces/0/files/0/id"), file);
    let content = server.get(&format!("/file/{file}/content")).send().await;
    content.has_status(200);
    assert_eq!(content.text(), "# notes");
}

#[tokio::test]
async fn unknown_chats_are_not_found() {
    let server = Server::start().await;
    let rename = server
        .patch("/chat/rename")
        .form(&[("chat_id", UNKNOWN_ID), ("new_name", "x")]);
    rename.send().await.is_error(404, "Chat not found.");
    // Ids are opaque, and these two are only the names of other routes.
    for id in [
        UNKNOWN_ID,
        "rename",
        "new",
        "x",
        "%20",
        "%00",
        "..%5C",
        "%27%20OR%201=1",
    ] {
        server
            .delete(&format!("/chat/{id}"))
            .send()
            .await
            .is_error(404, "Chat not found.");
    }
}

#[tokio::test]
async fn missing_fields_are_named_in_order() {
    let server = Server::start().await;
    let empty = server.post("/chat/new").form(&[]).send().await;
    assert_invalid(
        &empty,
        &[
            missing("user_id"),
            missing("workspace_id"),
            missing("chat_name"),
        ],
    );
    let only_name = server
        .post("/chat/new")
        .form(&[("chat_name", "x")])
        .send()
        .await;
    assert_invalid(&only_name, &[missing("user_id"), missing("workspace_id")]);
    let rename = server.patch("/chat/rename").form(&[]).send().await;
    assert_invalid(&rename, &[missing("chat_id"), missing("new_name")]);
    let no_body = server.patch("/chat/rename").send().await;
    assert_invalid(&no_body, &[missing("chat_id"), missing("new_name")]);
}
