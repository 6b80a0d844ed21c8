//! Broken multipart bodies (docs/http-compatibility.md#multipart-errors).

use super::{assert_invalid, missing};
use crate::support::{Multipart, Response, Server, User, login};

const UNREADABLE: &str = "There was an error parsing the body";

async fn post(
    server: &Server,
    content_type: &str,
    body: impl Into<hyper::body::Bytes>,
) -> Response {
    server
        .post("/chat/new")
        .body(content_type, body)
        .send()
        .await
}

fn chat_form(user: &User) -> Multipart {
    Multipart::new()
        .text("user_id", &user.id)
        .text("workspace_id", &user.workspace)
        .text("chat_name", "x")
}

#[tokio::test]
async fn a_boundary_has_at_most_70_bytes() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    for (length, status) in [(70, 200), (71, 400), (60_000, 400)] {
        let boundary = "b".repeat(length);
        let field = |name: &str, value: &str| {
            format!(
                "--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n"
            )
        };
        let body = format!(
            "{}{}{}--{boundary}--\r\n",
            field("user_id", &user.id),
            field("workspace_id", &user.workspace),
            field("chat_name", "x")
        );
        let content_type = format!("multipart/form-data; boundary={boundary}");
        let response = server
            .post("/chat/new")
            .body(&content_type, body)
            .send()
            .await;
        response.has_status(status);
        if status == 400 {
            response.is_error(400, "The boundary of the multipart is too long.");
        }
    }
}

#[tokio::test]
async fn a_boundary_must_be_named() {
    let server = Server::start().await;
    for content_type in ["multipart/form-data", "multipart/form-data; charset=utf-8"] {
        post(&server, content_type, "x")
            .await
            .is_error(400, "Missing boundary in multipart.");
    }
}

#[tokio::test]
async fn garbage_is_refused() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let content_type = chat_form(&user).content_type();
    let good = String::from_utf8(chat_form(&user).into_bytes()).expect("a form of text");
    post(&server, &content_type, "garbage")
        .await
        .is_error(400, UNREADABLE);
    post(&server, "multipart/form-data; boundary=other", good.clone())
        .await
        .is_error(400, UNREADABLE);
    post(&server, &content_type, format!("preamble\r\n{good}"))
        .await
        .is_error(400, UNREADABLE);
    post(&server, &content_type, good.replace("\r\n", "\n"))
        .await
        .is_error(400, UNREADABLE);
    assert_eq!(server.database().await.count("chat").await, 0);
}

#[tokio::test]
async fn every_part_must_have_a_name() {
    let server = Server::start().await;
    let detail = r#"The Content-Disposition header field "name" must be provided."#;
    for head in [
        "Content-Disposition: form-data",
        "Content-Disposition: form-data; filename=\"a\"",
    ] {
        let form = Multipart::new().part(head, "x");
        server
            .post("/chat/new")
            .multipart(form)
            .send()
            .await
            .is_error(400, detail);
    }
}

#[tokio::test]
async fn text_is_limited_and_files_are_not() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let text = Multipart::new().text("chat_name", &"x".repeat(1024 * 1024 + 1));
    let response = server.post("/chat/new").multipart(text).send().await;
    response.is_error(400, "Part exceeded maximum size of 1024KB.");
    let content = vec![7; 2 * 1024 * 1024];
    let file = server.file(&user, "big", &content).await;
    let stored = server.get(&format!("/file/{file}/content")).send().await;
    assert!(stored.body == content);
}

#[tokio::test]
async fn fields_and_files_are_counted() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let fields = (0..1001).fold(Multipart::new(), |form, n| form.text(&format!("f{n}"), "x"));
    let response = server.post("/chat/new").multipart(fields).send().await;
    response.is_error(400, "Too many fields. Maximum number of fields is 1000.");
    let to_workspace = user.to_workspace();
    let files = (0..1001).fold(to_workspace, |form, _| form.file("files", "a", "a"));
    let response = server.upload(files).await;
    response.is_error(400, "Too many files. Maximum number of files is 1000.");
    assert_eq!(server.database().await.count("file").await, 0);
}

#[tokio::test]
async fn a_body_that_was_cut_off_only_lacks_its_end() {
    let server = Server::start().await;
    let form = Multipart::new()
        .text("user_id", "u")
        .begin("Content-Disposition: form-data; name=\"workspace_id\"")
        .raw("unfini");
    let content_type = form.content_type();
    let response = post(&server, &content_type, form.into_truncated_bytes()).await;
    assert_invalid(&response, &[missing("workspace_id"), missing("chat_name")]);
    let empty = post(&server, &content_type, "").await;
    assert_invalid(
        &empty,
        &[
            missing("user_id"),
            missing("workspace_id"),
            missing("chat_name"),
        ],
    );
}

#[tokio::test]
async fn loose_ends_are_fine() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let content_type = chat_form(&user).content_type();
    let good = chat_form(&user).into_bytes();
    let epilogue = [&good[..], b"an epilogue\r\nof two lines"].concat();
    post(&server, &content_type, epilogue).await.has_status(200);
    let without_last_line_end = good[..good.len() - 2].to_vec();
    post(&server, &content_type, without_last_line_end)
        .await
        .has_status(200);
    let boundary = content_type.split_once('=').expect("a boundary").1;
    let quoted = format!("multipart/form-data; boundary=\"{boundary}\"");
    post(&server, &quoted, good.clone()).await.has_status(200);
    let content_types = format!("multipart/form-data; charset=utf-8; boundary={boundary}");
    post(&server, &content_types, good).await.has_status(200);
}

#[tokio::test]
async fn no_cut_of_a_body_breaks_the_server() {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = chat_form(&user).typed_file("files", "a.txt", "text/plain", "content");
    let content_type = form.content_type();
    let whole = form.into_bytes();
    for length in 0..whole.len() {
        let response = post(&server, &content_type, whole[..length].to_vec()).await;
        assert!(
            matches!(response.status, 200 | 400 | 422),
            "cut at {length}: {}",
            response.status
        );
    }
}

#[tokio::test]
async fn strange_part_headers_break_nothing() {
    let server = Server::start().await;
    let form_data = "Content-Disposition: form-data; name=\"chat_name\"";
    let long = format!("{form_data}\r\nX-Long: {}", "x".repeat(100_000));
    let many = form_data.to_owned() + "\r\nX-A: b".repeat(10_000).as_str();
    let heads: [&[u8]; 9] = [
        b"",
        b"no colon here",
        b": no name",
        b"Content-Disposition: attachment; name=\"chat_name\"",
        b"Content-Disposition: form-data; name=\"unclosed",
        b"Content-Disposition: form-data; name=\"\xff\xfe\"",
        b"Content-Disposition: form-data; name=\"a\0b\"",
        long.as_bytes(),
        many.as_bytes(),
    ];
    for head in heads {
        let form = Multipart::new().part(head, "x");
        let response = server.post("/chat/new").multipart(form).send().await;
        let excerpt = String::from_utf8_lossy(&head[..head.len().min(60)]);
        assert!(
            matches!(response.status, 400 | 422),
            "{excerpt}: {}",
            response.status
        );
        assert!(response.json()["detail"].is_string() || response.json()["detail"].is_array());
    }
}
