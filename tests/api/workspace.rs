//! `POST /workspace/new`.

use super::{UNKNOWN_ID, assert_invalid, assert_is_id, missing};
use crate::support::{Multipart, Server, login};

#[tokio::test]
async fn a_workspace_without_files() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let response = server
        .post("/workspace/new")
        .form(&[("owner_id", &user.id), ("name", "MyNewWorkspace")])
        .send()
        .await;
    let workspace = response.string("/workspace_id");
    assert_is_id(&workspace);
    response.is(
        200,
        &format!(
            r#"{{"workspace_id":"{workspace}","files":[],"workspace":{{"id":"{workspace}","name":"MyNewWorkspace","files":[],"chats":[]}}}}"#
        ),
    );
    let listed = server.login(&user.email).await;
    assert_eq!(listed.string("/workspaces/1/id"), workspace);
    assert_eq!(listed.string("/workspaces/1/name"), "MyNewWorkspace");
}

#[tokio::test]
async fn a_workspace_with_files() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = Multipart::new()
        .text("owner_id", &user.id)
        .text("name", "MyNewWorkspace")
        .typed_file("files", "document.pdf", "application/pdf", "%PDF-1.4")
        .typed_file(
            "files",
            "image.png",
            "image/png",
            [0x89, b'P', b'N', b'G', 0, 255],
        );
    let response = server.post("/workspace/new").multipart(form).send().await;
    let workspace = response.string("/workspace_id");
    let (document, image) = (
        response.string("/files/0/file_id"),
        response.string("/files/1/file_id"),
    );
    assert_is_id(&document);
    assert_ne!(document, image);
    response.is(
        200,
        &format!(
            r#"{{"workspace_id":"{workspace}","files":[{{"file_id":"{document}","filename":"document.pdf"}},{{"file_id":"{image}","filename":"image.png"}}],"workspace":{{"id":"{workspace}","name":"MyNewWorkspace","files":[{{"id":"{document}","filename":"document.pdf"}},{{"id":"{image}","filename":"image.png"}}],"chats":[]}}}}"#
        ),
    );
    let content = server.get(&format!("/file/{image}/content")).send().await;
    assert_eq!(&content.body[..], [0x89, b'P', b'N', b'G', 0, 255]);
}

#[tokio::test]
async fn files_may_come_before_the_fields() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = Multipart::new()
        .file("files", "early.txt", "early")
        .text("name", "later")
        .text("owner_id", &user.id);
    let response = server.post("/workspace/new").multipart(form).send().await;
    response.has_status(200);
    assert_eq!(response.string("/files/0/filename"), "early.txt");
}

#[tokio::test]
async fn an_unknown_owner_gets_no_workspace_and_leaves_no_file() {
    let server = Server::start().await;
    login(&server, "someone@example.com").await;
    let form = Multipart::new()
        .text("owner_id", UNKNOWN_ID)
        .text("name", "x")
        .file("files", "a.txt", "a");
    server
        .post("/workspace/new")
        .multipart(form)
        .send()
        .await
        .is_error(404, "User not found.");
    let plain = server
        .post("/workspace/new")
        .form(&[("owner_id", ""), ("name", "x")])
        .send()
        .await;
    plain.is_error(404, "User not found.");
    let database = server.database().await;
    assert_eq!(database.count("workspace").await, 1);
    assert_eq!(database.count("file").await, 0);
}

#[tokio::test]
async fn missing_fields_are_named_in_order() {
    let server = Server::start().await;
    let empty = server
        .post("/workspace/new")
        .multipart(Multipart::new().text("other", "x"))
        .send()
        .await;
    assert_invalid(&empty, &[missing("owner_id"), missing("name")]);
    let with_file = Multipart::new()
        .file("files", "a.txt", "a")
        .text("owner_id", UNKNOWN_ID);
    let response = server
        .post("/workspace/new")
        .multipart(with_file)
        .send()
        .await;
    assert_invalid(&response, &[missing("name")]);
    login(&server, "someone@example.com").await;
    assert_eq!(server.database().await.count("file").await, 0);
}

#[tokio::test]
async fn files_sent_as_text_are_refused() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let expected = r#"{"detail":[{"type":"value_error","loc":["body","files",0],"msg":"Value error, Expected UploadFile, received: <class 'str'>","input":"abc","ctx":{"error":{}}}]}"#;
    let multipart = Multipart::new()
        .text("owner_id", &user.id)
        .text("name", "x")
        .text("files", "abc");
    server
        .post("/workspace/new")
        .multipart(multipart)
        .send()
        .await
        .is(422, expected);
    let form = [
        ("owner_id", user.id.as_str()),
        ("name", "x"),
        ("files", "abc"),
    ];
    server
        .post("/workspace/new")
        .form(&form)
        .send()
        .await
        .is(422, expected);
    assert_eq!(server.database().await.count("workspace").await, 1);
}

#[tokio::test]
async fn names_may_be_empty_or_anything_else() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let names = [
        "",
        "  spaces  ",
        "line\nbreak",
        "\"quotes\" \\ /",
        "日本語 🐛 \u{202e}",
    ];
    for (place, name) in (1..).zip(names) {
        let form = [("owner_id", user.id.as_str()), ("name", name)];
        server
            .post("/workspace/new")
            .form(&form)
            .send()
            .await
            .has_status(200);
        let listed = server.login(&user.email).await;
        assert_eq!(listed.string(&format!("/workspaces/{place}/name")), name);
    }
}
