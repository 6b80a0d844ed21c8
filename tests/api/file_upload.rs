//! `POST /file/upload`: the stored files and the answer.

use serde_json::json;

use super::assert_is_id;
use crate::support::{Multipart, Server, login};

#[tokio::test]
async fn an_upload_to_a_chat_is_a_file_of_both_chat_and_workspace() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let chat = server.chat(&user, "General Chat").await;
    let form = user
        .upload_to(&chat, "true")
        .typed_file("files", "document.pdf", "application/pdf", "%PDF-1.4")
        .typed_file("files", "main.py", "text/x-python", "print('grüß')\n");
    let response = server.upload(form).await;
    let (pdf, python) = (response.string("/files/0"), response.string("/files/1"));
    assert_is_id(&pdf);
    assert_ne!(pdf, python);
    let body = response.json();
    assert_eq!(body["files"], json!([pdf, python]));
    assert_eq!(
        body["details"][1],
        json!({
            "id": python, "name": "main.py", "content": "print('grüß')\n", "language": "python",
            "type": "code", "url": format!("http://{}/file/{python}/content", server.address()), "text_state": "ready", "text_error": null,
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
    let expected_end = format!(
        r#","language":"python","type":"code","url":"http://{}/file/{python}/content","text_state":"ready","text_error":null}}]}}"#,
        server.address()
    );
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
    let response = server
        .upload(user.to_workspace().file("files", "note.txt", "hi"))
        .await;
    let file = response.string("/files/0");
    response.is(
        200,
        &format!(
            r#"{{"files":["{file}"],"details":[{{"id":"{file}","name":"note.txt","content":null,"language":null,"type":"other","url":"http://{}/file/{file}/content","text_state":"ready","text_error":null}}]}}"#,
            server.address()
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
async fn details_contain_the_kind_of_the_file() {
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
    let form = kinds.iter().fold(user.to_workspace(), |form, (name, ..)| {
        form.file("files", name, "text of it")
    });
    let response = server.upload(form).await;
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
async fn code_in_another_encoding_is_answered_as_text_and_stored_unchanged() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let response = server
        .upload(user.to_workspace().file("files", "a.py", b"x\xffy"))
        .await;
    assert_eq!(response.string("/details/0/content"), "xÿy");
    let content = server.get(&response.string("/details/0/url")).send().await;
    assert_eq!(&content.body[..], b"x\xffy");
}

#[tokio::test]
async fn user_id_may_be_missing_in_open_mode_and_s3_urls_ask_for_objects() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = Multipart::new()
        .text("target_id", &user.workspace)
        .text("is_chat", "false")
        .text("s3_urls", "https://bucket.example.com/x")
        .file("files", "note.txt", "hi");
    let uploaded = server.upload(form).await;
    uploaded.has_status(200);
    let uploaded = uploaded.json();
    assert_eq!(uploaded["files"], uploaded["details"]);
    assert_eq!(uploaded["files"][0]["name"], "note.txt");
    let form = Multipart::new()
        .text("user_id", "")
        .text("target_id", &user.workspace)
        .text("is_chat", "false")
        .file("files", "note.txt", "hi");
    let uploaded = server.upload(form).await;
    uploaded.has_status(200);
    assert_eq!(
        uploaded.json()["files"][0],
        uploaded.string("/details/0/id")
    );
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
        let response = server
            .upload(user.upload_to(target, word).file("files", "a", "a"))
            .await;
        assert_eq!(response.status, 200, "{word}: {}", response.text());
    }
    for word in ["maybe", "", " true", "true ", "2", "ja"] {
        server.upload(user.upload_to(&chat, word).file("files", "a", "a")).await.is(
            422,
            &format!(
                r#"{{"detail":[{{"type":"bool_parsing","loc":["body","is_chat"],"msg":"Input should be a valid boolean, unable to interpret input","input":"{word}"}}]}}"#
            ),
        );
    }
}

#[tokio::test]
async fn empty_files_and_equal_names_are_fine() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = user
        .to_workspace()
        .file("files", "same", "")
        .file("files", "same", "2");
    let response = server.upload(form).await;
    response.has_status(200);
    assert_ne!(response.string("/files/0"), response.string("/files/1"));
    let content = server.get(&response.string("/details/0/url")).send().await;
    content.has_status(200);
    assert_eq!(content.header("content-length"), "0");
}
