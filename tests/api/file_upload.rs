//! `POST /file/upload`.

use serde_json::json;

use super::{NOBODY, assert_invalid, assert_is_id, missing};
use crate::support::{Multipart, Response, Server, User, login};

async fn upload(server: &Server, form: Multipart) -> Response {
    server.post("/file/upload").multipart(form).send().await
}

fn to(user: &User, target: &str, is_chat: &str) -> Multipart {
    Multipart::new()
        .text("user_id", &user.id)
        .text("target_id", target)
        .text("is_chat", is_chat)
}

#[tokio::test]
async fn an_upload_to_a_chat_is_a_file_of_both_chat_and_workspace() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let chat = server.chat(&user, "General Chat").await;
    let form = to(&user, &chat, "true")
        .typed_file("files", "document.pdf", "application/pdf", "%PDF-1.4")
        .typed_file("files", "main.py", "text/x-python", "print('grüß')\n");
    let response = upload(&server, form).await;
    let (pdf, python) = (response.string("/files/0"), response.string("/files/1"));
    assert_is_id(&pdf);
    assert_ne!(pdf, python);
    let body = response.json();
    assert_eq!(body["files"], json!([pdf, python]));
    assert_eq!(
        body["details"][1],
        json!({
            "id": python, "name": "main.py", "content": "print('grüß')\n", "language": "python",
            "type": "code", "url": format!("/file/{python}/content"),
        })
    );
    let expected_start = format!(
        r#"{{"files":["{pdf}","{python}"],"details":[{{"id":"{pdf}","name":"document.pdf","content":"#
    );
    assert!(
        response.text().starts_with(&expected_start),
        "{}",
        response.text()
    );
    let expected_end =
        format!(r#","language":"python","type":"code","url":"/file/{python}/content"}}]}}"#);
    assert!(
        response.text().ends_with(&expected_end),
        "{}",
        response.text()
    );

    let database = server.database().await;
    let files = database.texts("SELECT id FROM file ORDER BY rowid").await;
    assert_eq!(files, [pdf.clone(), python.clone()]);
    assert_eq!(
        database
            .texts("SELECT id FROM chat_file ORDER BY rowid")
            .await,
        files
    );
    assert_eq!(
        database.texts("SELECT path FROM file ORDER BY rowid").await,
        [
            format!("uploads/files/{pdf}_document.pdf"),
            format!("uploads/files/{python}_main.py")
        ],
    );
    // An upload is not a version.
    assert_eq!(database.count("chat_file_version").await, 0);
}

#[tokio::test]
async fn an_upload_to_a_workspace_is_a_file_of_the_workspace_only() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let response = upload(
        &server,
        to(&user, &user.workspace, "false").file("files", "note.txt", "hi"),
    )
    .await;
    let file = response.string("/files/0");
    response.is(
        200,
        &format!(
            r#"{{"files":["{file}"],"details":[{{"id":"{file}","name":"note.txt","content":null,"language":null,"type":"other","url":"/file/{file}/content"}}]}}"#
        ),
    );
    let database = server.database().await;
    assert_eq!(database.count("chat_file").await, 0);
    assert_eq!(
        server
            .login(&user.email)
            .await
            .string("/workspaces/0/files/0/filename"),
        "note.txt"
    );
}

#[tokio::test]
async fn details_tell_what_kind_of_file_it_is() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let kinds = [
        ("a.js", "code", Some("javascript"), true),
        ("a.ts", "code", Some("typescript"), true),
        ("a.java", "code", Some("java"), true),
        ("a.c", "code", Some("c"), true),
        ("a.cpp", "code", Some("cpp"), true),
        ("a.cs", "code", Some("csharp"), true),
        ("a.rb", "code", Some("ruby"), true),
        ("a.go", "code", Some("go"), true),
        ("a.rs", "code", Some("rust"), true),
        ("A.PY", "code", Some("python"), true),
        ("a.csv", "csv", None, true),
        ("a.md", "markdown", None, true),
        ("a.markdown", "markdown", None, true),
        ("a.png", "image", None, false),
        ("a.exe", "computer", None, false),
        ("a.txt", "other", None, false),
        ("a", "other", None, false),
    ];
    let form = kinds
        .iter()
        .fold(to(&user, &user.workspace, "false"), |form, (name, ..)| {
            form.file("files", name, "text of it")
        });
    let response = upload(&server, form).await;
    response.has_status(200);
    let body = response.json();
    for (place, (name, kind, language, has_content)) in kinds.into_iter().enumerate() {
        let detail = &body["details"][place];
        assert_eq!(detail["id"], body["files"][place], "{name}");
        assert_eq!(detail["name"], name);
        assert_eq!(detail["type"], kind, "{name}");
        assert_eq!(detail["language"], json!(language), "{name}");
        assert_eq!(
            detail["content"],
            json!(has_content.then_some("text of it")),
            "{name}"
        );
    }
}

#[tokio::test]
async fn code_that_is_not_utf8_is_told_with_replacements_and_stored_as_it_came() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let response = upload(
        &server,
        to(&user, &user.workspace, "false").file("files", "a.py", b"x\xffy"),
    )
    .await;
    assert_eq!(response.string("/details/0/content"), "x\u{fffd}y");
    let content = server.get(&response.string("/details/0/url")).send().await;
    assert_eq!(&content.body[..], b"x\xffy");
}

#[tokio::test]
async fn user_id_may_be_missing_in_open_mode_and_s3_urls_are_ignored() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = Multipart::new()
        .text("target_id", &user.workspace)
        .text("is_chat", "false")
        .text("s3_urls", "https://bucket.example.com/x")
        .file("files", "note.txt", "hi");
    upload(&server, form).await.has_status(200);
}

#[tokio::test]
async fn is_chat_is_read_as_pydantic_reads_a_bool() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let chat = server.chat(&user, "c").await;
    for (word, target) in [
        ("1", &chat),
        ("true", &chat),
        ("t", &chat),
        ("YES", &chat),
        ("y", &chat),
        ("On", &chat),
        ("TRUE", &chat),
        ("0", &user.workspace),
        ("false", &user.workspace),
        ("F", &user.workspace),
        ("no", &user.workspace),
        ("n", &user.workspace),
        ("oFF", &user.workspace),
    ] {
        let response = upload(&server, to(&user, target, word).file("files", "a", "a")).await;
        assert_eq!(response.status, 200, "{word}: {}", response.text());
    }
    for word in ["maybe", "", " true", "true ", "2", "ja"] {
        upload(&server, to(&user, &chat, word).file("files", "a", "a")).await.is(
            422,
            &format!(
                r#"{{"detail":[{{"type":"bool_parsing","loc":["body","is_chat"],"msg":"Input should be a valid boolean, unable to interpret input","input":"{word}"}}]}}"#
            ),
        );
    }
}

#[tokio::test]
async fn an_upload_without_files_is_refused_before_the_target_is_looked_up() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    for is_chat in ["true", "false"] {
        upload(&server, to(&user, NOBODY, is_chat))
            .await
            .is_error(400, "No files uploaded.");
    }
    let form = [
        ("user_id", user.id.as_str()),
        ("target_id", NOBODY),
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
    let response = upload(&server, Multipart::new().file("files", "a", "a")).await;
    assert_invalid(&response, &[missing("target_id"), missing("is_chat")]);
    let response = server.post("/file/upload").send().await;
    assert_invalid(&response, &[missing("target_id"), missing("is_chat")]);
}

#[tokio::test]
async fn files_sent_as_text_are_refused() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    upload(&server, to(&user, &user.workspace, "false").text("files", "abc")).await.is(
        422,
        r#"{"detail":[{"type":"value_error","loc":["body","files",0],"msg":"Value error, Expected UploadFile, received: <class 'str'>","input":"abc","ctx":{"error":{}}}]}"#,
    );
}

#[tokio::test]
async fn unknown_targets_get_nothing_and_nothing_is_kept() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let with_file = |form: Multipart| form.file("files", "a.txt", "a");
    upload(&server, with_file(to(&user, NOBODY, "true")))
        .await
        .is_error(404, "Chat not found.");
    upload(&server, with_file(to(&user, NOBODY, "false")))
        .await
        .is_error(404, "Workspace not found.");
    // A workspace is no chat.
    upload(&server, with_file(to(&user, &user.workspace, "true")))
        .await
        .is_error(404, "Chat not found.");
    let stranger = User {
        id: NOBODY.to_owned(),
        ..user.clone()
    };
    upload(&server, with_file(to(&stranger, &user.workspace, "false")))
        .await
        .is_error(404, "User not found.");
    assert_eq!(server.database().await.count("file").await, 0);
}

#[tokio::test]
async fn an_upload_that_breaks_off_in_its_second_file_stores_neither() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = to(&user, &user.workspace, "false")
        .file("files", "first.txt", "complete")
        .raw("------kafka-test-boundary\r\nContent-Disposition: form-data; name=\"files\"; filename=\"second.txt\"\r\n\r\nhalf of i");
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
    tokio::io::AsyncWriteExt::write_all(&mut stream, &request)
        .await
        .expect("the server reads");
    drop(stream);
    // Whatever the server does about it, it does before it can answer this.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
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
    let nameless = to(&user, &user.workspace, "false")
        .file("files", "first.txt", "complete")
        .part(
            "Content-Disposition: form-data; filename=\"second.txt\"",
            "x",
        );
    upload(&server, nameless).await.has_status(400);
    let text = to(&user, &user.workspace, "false")
        .file("files", "first.txt", "complete")
        .text("files", "abc");
    upload(&server, text).await.has_status(422);
    let wrong_field = Multipart::new()
        .file("files", "first.txt", "complete")
        .text("is_chat", "false")
        .file("target_id", "second.txt", "x");
    upload(&server, wrong_field).await.has_status(422);
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

#[tokio::test]
async fn empty_files_and_equal_names_are_fine() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = to(&user, &user.workspace, "false")
        .file("files", "same", "")
        .file("files", "same", "2");
    let response = upload(&server, form).await;
    response.has_status(200);
    assert_ne!(response.string("/files/0"), response.string("/files/1"));
    let content = server.get(&response.string("/details/0/url")).send().await;
    content.has_status(200);
    assert_eq!(content.header("content-length"), "0");
}
