//! `POST /file/upload`: refused uploads, of which no part is stored.

use tokio::io::AsyncWriteExt;

use super::{UNKNOWN_ID, assert_invalid, missing};
use crate::support::{Multipart, Server, User, login};

#[tokio::test]
async fn an_upload_without_files_is_refused_before_the_target_is_looked_up() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    for is_chat in ["true", "false"] {
        server
            .upload(user.upload_to(UNKNOWN_ID, is_chat))
            .await
            .is_error(400, "No files uploaded.");
    }
    let form = [
        ("user_id", user.id.as_str()),
        ("target_id", UNKNOWN_ID),
        ("is_chat", "true"),
    ];
    server
        .post("/file/upload")
        .form(&form)
        .send()
        .await
        .is_error(400, "No files uploaded.");
}

#[tokio::test]
async fn missing_fields_are_named_in_order() {
    let server = Server::start().await;
    let response = server
        .upload(Multipart::new().file("files", "a", "a"))
        .await;
    assert_invalid(&response, &[missing("target_id"), missing("is_chat")]);
    let response = server.post("/file/upload").send().await;
    assert_invalid(&response, &[missing("target_id"), missing("is_chat")]);
}

#[tokio::test]
async fn a_client_that_stalls_in_a_wrong_form_gets_its_answer() {
    let server = Server::start().await;
    let refused = server.raw(
        "POST /file/upload HTTP/1.1\r\nhost: localhost\r\ncontent-type: multipart/form-data; boundary=b\r\n\
         content-length: 1000\r\n\r\n--b\r\ncontent-disposition: form-data\r\n\r\nthe rest never comes",
    );
    let refused = refused.await;
    // The host's own answer to one that stalls is 408.
    assert_eq!(refused.status, 400, "{refused:?}");
}

#[tokio::test]
async fn files_sent_as_text_are_refused() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    server.upload(user.to_workspace().text("files", "abc")).await.is(
        422,
        r#"{"detail":[{"type":"value_error","loc":["body","files",0],"msg":"Value error, Expected UploadFile, received: <class 'str'>","input":"abc","ctx":{"error":{}}}]}"#,
    );
}

#[tokio::test]
async fn unknown_targets_get_nothing_and_nothing_is_kept() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let with_file = |form: Multipart| form.file("files", "a.txt", "a");
    server
        .upload(with_file(user.upload_to(UNKNOWN_ID, "true")))
        .await
        .is_error(404, "Chat not found.");
    server
        .upload(with_file(user.upload_to(UNKNOWN_ID, "false")))
        .await
        .is_error(404, "Workspace not found.");
    // A workspace is no chat.
    server
        .upload(with_file(user.upload_to(&user.workspace, "true")))
        .await
        .is_error(404, "Chat not found.");
    let stranger = User {
        id: UNKNOWN_ID.to_owned(),
        ..user.clone()
    };
    server
        .upload(with_file(stranger.upload_to(&user.workspace, "false")))
        .await
        .is_error(404, "User not found.");
    assert_eq!(server.database().await.count("file").await, 0);
}

#[tokio::test]
async fn an_upload_that_breaks_off_in_its_second_file_stores_neither() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = user
        .to_workspace()
        .file("files", "first.txt", "complete")
        .begin_file("second.txt")
        .raw("half of i");
    let content_type = form.content_type();
    let body = form.into_truncated_bytes();
    // Announced longer than sent: the connection ends in the middle.
    let mut request = format!(
        "POST /file/upload HTTP/1.1\r\nhost: {}\r\ncontent-type: {content_type}\r\ncontent-length: {}\r\n\r\n",
        server.address(),
        body.len() + 1000,
    )
    .into_bytes();
    request.extend_from_slice(&body);
    let mut stream = server.connect().await;
    stream.write_all(&request).await.expect("the server reads");
    drop(stream);
    // Whatever the server does about it, it has done when this is logged.
    server.logs("path=\"/file/upload\"").await;
    assert!(
        server
            .login(&user.email)
            .await
            .text()
            .contains(r#""files":[]"#)
    );
    assert_eq!(server.database().await.count("file").await, 0);
}

#[tokio::test]
async fn an_upload_whose_second_file_is_wrong_stores_neither() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    // A part without a name after a good file; text where a file belongs; a file where text belongs.
    let nameless = user
        .to_workspace()
        .file("files", "first.txt", "complete")
        .part(
            "Content-Disposition: form-data; filename=\"second.txt\"",
            "x",
        );
    server.upload(nameless).await.has_status(400);
    let text = user
        .to_workspace()
        .file("files", "first.txt", "complete")
        .text("files", "abc");
    server.upload(text).await.has_status(422);
    let wrong_field = Multipart::new()
        .file("files", "first.txt", "complete")
        .text("is_chat", "false")
        .file("target_id", "second.txt", "x");
    server.upload(wrong_field).await.has_status(422);
    let database = server.database().await;
    assert_eq!(database.count("file").await, 0);
    assert_eq!(database.count("chat_file").await, 0);
    assert!(
        server
            .login(&user.email)
            .await
            .text()
            .contains(r#""files":[]"#)
    );
}
