//! Form fields (docs/http-compatibility.md#form-fields), for both encodings of a form.

use serde_json::{Value, json};

use super::{assert_invalid, missing};
use crate::support::{Multipart, Server, User, login};

fn all_missing() -> [String; 3] {
    [
        missing("user_id"),
        missing("workspace_id"),
        missing("chat_name"),
    ]
}

/// A form of `/chat/new` up to the name, which the caller appends as it likes.
fn urlencoded_until_name(user: &User) -> String {
    format!(
        "user_id={}&workspace_id={}&chat_name=",
        user.id, user.workspace
    )
}

const URLENCODED: &str = "application/x-www-form-urlencoded";

#[tokio::test]
async fn both_encodings_give_the_same_result() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let name = "a&b=c;d+e %41 ü 🐛\r\n\"quoted\"";
    let form = Multipart::new()
        .text("user_id", &user.id)
        .text("workspace_id", &user.workspace)
        .text("chat_name", name);
    assert_eq!(
        server
            .post("/chat/new")
            .multipart(form)
            .send()
            .await
            .string("/name"),
        name
    );
    assert_eq!(server.chat_new(&user, name).await.string("/name"), name);
}

#[tokio::test]
async fn other_content_types_count_as_an_empty_form() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let body = urlencoded_until_name(&user) + "x";
    for content_type in [
        "application/json",
        "text/plain",
        "application/octet-stream",
        "nonsense",
    ] {
        let response = server
            .post("/chat/new")
            .body(content_type, body.clone())
            .send()
            .await;
        assert_invalid(&response, &all_missing());
    }
    let untyped = server
        .post("/chat/new")
        .untyped_body(body.clone())
        .send()
        .await;
    assert_invalid(&untyped, &all_missing());
    let query = server.post(&format!("/chat/new?{body}")).send().await;
    assert_invalid(&query, &all_missing());
    let with_charset = server
        .post("/chat/new")
        .body(&format!("{URLENCODED}; charset=utf-8"), body);
    with_charset.send().await.has_status(200);
}

#[tokio::test]
async fn values_are_taken_as_they_are() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    for name in [
        "",
        " ",
        " padded ",
        "null",
        "\u{feff}",
        "\u{202e}evil",
        "<script>",
        "'; DROP TABLE chat; --",
    ] {
        let response = server.chat_new(&user, name).await;
        assert_eq!(response.string("/name"), name);
        let rename = server.patch("/chat/rename").multipart(
            Multipart::new()
                .text("chat_id", &response.string("/chat_id"))
                .text("new_name", name),
        );
        assert_eq!(rename.send().await.string("/name"), name);
    }
}

#[tokio::test]
async fn the_last_of_a_repeated_field_counts_and_unknown_ones_do_not() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let body = urlencoded_until_name(&user) + "first&other=1&chat_name=last";
    let urlencoded = server.post("/chat/new").body(URLENCODED, body).send().await;
    assert_eq!(urlencoded.string("/name"), "last");
    let form = Multipart::new()
        .text("chat_name", "first")
        .text("user_id", &user.id)
        .text("workspace_id", &user.workspace)
        .text("other", "1")
        .text("chat_name", "last");
    assert_eq!(
        server
            .post("/chat/new")
            .multipart(form)
            .send()
            .await
            .string("/name"),
        "last"
    );
}

#[tokio::test]
async fn odd_bytes_in_a_form_are_never_an_error_of_the_server() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    for (sent, name) in [
        ("a%FFb", "a\u{fffd}b"),
        ("a+b", "a b"),
        ("a%2Bb", "a+b"),
        ("x;other=1", "x"),
        ("50%", "50%"),
    ] {
        let body = urlencoded_until_name(&user) + sent;
        let response = server.post("/chat/new").body(URLENCODED, body).send().await;
        assert_eq!(response.string("/name"), name, "{sent}");
    }
    for sent in [
        &b"\xff\xfe"[..],
        b"%",
        b"%zz",
        b"%00",
        b"a\0b",
        b"==",
        b"&&&=&",
        b"\x80&\x81=\x82",
    ] {
        let mut body = urlencoded_until_name(&user).into_bytes();
        body.extend_from_slice(sent);
        let response = server.post("/chat/new").body(URLENCODED, body).send().await;
        response.has_status(200);
        let form = Multipart::new()
            .text("user_id", &user.id)
            .text("workspace_id", &user.workspace)
            .part("Content-Disposition: form-data; name=\"chat_name\"", sent);
        server
            .post("/chat/new")
            .multipart(form)
            .send()
            .await
            .has_status(200);
    }
}

#[tokio::test]
async fn a_file_where_text_belongs_is_refused() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = Multipart::new()
        .text("owner_id", &user.id)
        .file("name", "x.txt", "x");
    let response = server.post("/workspace/new").multipart(form).send().await;
    response.has_status(422);
    assert_eq!(response.string("/detail/0/type"), "string_type");
    assert_eq!(
        response.json()["detail"][0]["loc"],
        serde_json::json!(["body", "name"])
    );
    assert_eq!(
        response.string("/detail/0/msg"),
        "Input should be a valid string"
    );
    assert_eq!(server.database().await.count("workspace").await, 1);
}

#[tokio::test]
async fn long_names_are_stored_or_refused_but_break_nothing() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let name = "n".repeat(900_000);
    let response = server.chat_new(&user, &name).await;
    assert!(
        matches!(response.status, 200 | 413 | 422),
        "{}",
        response.status
    );
    server.login(&user.email).await.has_status(200);
}

#[tokio::test]
async fn json_with_the_same_fields_is_taken_wherever_a_form_is() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let post = |path: &str, body: Value| server.post(path).json(body.to_string()).send();
    let workspace = json!({ "owner_id": user.id, "name": "Mappe", "files": [] });
    let workspace = post("/workspace/new", workspace).await;
    workspace.has_status(200);
    let workspace = workspace.string("/workspace_id");
    let file = server.file(&user, "a.txt", "a").await;
    let chat = json!({
        "user_id": user.id, "workspace_id": user.workspace, "chat_name": "\u{1f600} „x“",
        "selected_file_ids": [file], "unknown": { "a": [1] }
    });
    let chat = post("/chat/new", chat).await;
    chat.has_status(200);
    assert_eq!(chat.string("/name"), "\u{1f600} „x“");
    let body = json!({ "workspace_id": workspace, "new_name": "", "user_id": null });
    let request = server.patch("/workspace/rename").json(body.to_string());
    request.send().await.has_status(200);
    let model =
        json!({ "user_id": user.id, "name": "m", "ak": "k", "base_url": "http://127.0.0.1:1/v1" });
    let model = post("/models/new", model).await;
    model.has_status(200);
    // What is JSON anyway need not be put into a text.
    let settings = json!({
        "user_id": user.id, "context_chars": 5000, "timeout_seconds": "60", "headers": { "X-A": "b" }
    });
    let path = format!("/models/{}", model.string("/id"));
    let changed = server.patch(&path).json(settings.to_string()).send().await;
    changed.has_status(200);
    let shown = changed.json();
    assert_eq!(shown["context_chars"], 5000, "{shown}");
    assert_eq!(shown["timeout_seconds"], 60, "{shown}");
    assert_eq!(
        shown["headers"].as_str().map(str::to_lowercase),
        Some("x-a".into()),
        "{shown}"
    );
    // Half an emoji is a sign that something is missing, as everywhere.
    let half = format!(
        r#"{{"owner_id": "{}", "\ud83d": 1, "name": "a\ud83d"}}"#,
        user.id
    );
    let workspace = server.post("/workspace/new").json(half).send().await;
    workspace.has_status(200);
    assert_eq!(workspace.string("/workspace/name"), "a\u{fffd}");
}

#[tokio::test]
async fn json_that_is_no_form_is_refused_in_the_shape_of_one() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let post = |body: &str| server.post("/chat/new").json(body.to_owned()).send();
    let invalid = post(r#"{"user_id": 7, "workspace_id": ["a"], "chat_name": true}"#).await;
    let error = |field: &str, input: Value| {
        json!({
            "type": "string_type", "loc": ["body", field],
            "msg": "Input should be a valid string", "input": input
        })
    };
    let expected = [
        error("user_id", json!(7)),
        error("workspace_id", json!(["a"])),
        error("chat_name", json!(true)),
    ];
    assert_eq!(invalid.json()["detail"], json!(expected));
    for (body, status) in [
        ("{}", 422),
        ("[]", 422),
        ("7", 422),
        ("{", 422),
        (r#"{"user_id": "a", "#, 422),
        ("user_id=a", 422),
        ("", 422),
    ] {
        post(body).await.has_status(status);
    }
    let broken = post(r#"{"user_id": "a", "#).await;
    assert_eq!(broken.json()["detail"][0]["type"], "json_invalid");
    // What must be a file can't come in JSON.
    let body = json!({ "target_id": user.workspace, "is_chat": false, "files": ["text"] });
    let upload = server.post("/file/upload").json(body.to_string());
    let upload = upload.send().await;
    assert_eq!(upload.json()["detail"][0]["type"], "value_error");
    let body = json!({ "target_id": user.workspace, "is_chat": "maybe" });
    let upload = server.post("/file/upload").json(body.to_string());
    let upload = upload.send().await;
    assert_eq!(upload.json()["detail"][0]["type"], "bool_parsing");
    // A key is never shown.
    let body = json!({ "user_id": user.id, "name": "m", "ak": ["sk-secret"], "base_url": "x" });
    let model = server.post("/models/new").json(body.to_string());
    let model = model.send().await;
    model.has_status(422);
    assert!(!model.text().contains("sk-secret"), "{}", model.text());
}
