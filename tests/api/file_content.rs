//! `GET /file/{file_id}/content`: downloads.

use super::UNKNOWN_ID;
use crate::support::{Server, User, login};

/// A server with one user and one file of these bytes; the path of its content.
async fn server_with(name: &str, content_type: &str, content: &[u8]) -> (Server, User, String) {
    let server = Server::start().await;
    let user = login(&server, "someone@example.com").await;
    let form = user
        .to_workspace()
        .typed_file("files", name, content_type, content);
    let path = server.upload(form).await.string("/details/0/url");
    (server, user, path)
}

/// Bytes that are wrong when any two of their chunks are swapped or one is missing.
fn pattern(size: usize) -> Vec<u8> {
    (0..size)
        .map(|place| (place % 251) as u8 ^ (place / 65_536) as u8)
        .collect()
}

#[tokio::test]
async fn a_download_is_what_was_uploaded() {
    let content = pattern(3_000_001);
    let (server, _, path) = server_with("data.bin", "application/octet-stream", &content).await;
    let response = server.get(&path).send().await;
    response.has_status(200);
    assert!(response.body == content, "every byte, in order");
    assert_eq!(response.header("content-length"), "3000001");
    assert_eq!(response.header("content-type"), "application/octet-stream");
    assert_eq!(response.header("accept-ranges"), "bytes");
    assert_eq!(response.header("x-content-type-options"), "nosniff");
    let etag = response.header("etag");
    assert!(
        etag.len() > 2 && etag.starts_with('"') && etag.ends_with('"'),
        "{etag} is a strong ETag"
    );
}

#[tokio::test]
async fn head_answers_the_same_without_a_body() {
    let (server, _, path) = server_with("a.txt", "text/plain", b"0123456789").await;
    let get = server.get(&path).send().await;
    let head = server.head(&path).send().await;
    head.has_status(200);
    assert!(head.body.is_empty());
    for name in [
        "content-length",
        "content-type",
        "etag",
        "content-disposition",
        "accept-ranges",
    ] {
        assert_eq!(head.header(name), get.header(name), "{name}");
        assert_ne!(get.header(name), "", "{name}");
    }
}

#[tokio::test]
async fn ranges_are_served() {
    let content = pattern(700_000);
    let (server, _, path) = server_with("data.bin", "application/octet-stream", &content).await;
    for (range, from, to) in [
        ("bytes=0-9", 0, 9),
        ("bytes=10-10", 10, 10),
        ("bytes=262140-262150", 262_140, 262_150),
        ("bytes=100000-", 100_000, 699_999),
        ("bytes=-5", 699_995, 699_999),
        ("bytes=-9999999", 0, 699_999),
        ("bytes=699999-9999999", 699_999, 699_999),
    ] {
        let response = server.get(&path).header("range", range).send().await;
        response.has_status(206);
        assert_eq!(
            response.header("content-range"),
            format!("bytes {from}-{to}/700000"),
            "{range}"
        );
        assert_eq!(
            response.header("content-length"),
            (to - from + 1).to_string(),
            "{range}"
        );
        assert!(response.body == content[from..=to], "{range}");
    }
    for range in ["bytes=700000-", "bytes=9999999-99999999", "bytes=-0"] {
        let response = server.get(&path).header("range", range).send().await;
        response.has_status(416);
        assert_eq!(
            response.header("content-range"),
            "bytes */700000",
            "{range}"
        );
    }
    // A header that is no range of bytes is ignored, as RFC 9110 demands.
    for range in [
        "bytes=5-1",
        "bytes=a-b",
        "lines=1-2",
        "bytes",
        "",
        "bytes=99999999999999999999999-x",
    ] {
        let response = server.get(&path).header("range", range).send().await;
        response.has_status(200);
        assert!(response.body == content, "{range:?}");
    }
}

#[tokio::test]
async fn conditions_are_respected() {
    let (server, _, path) = server_with("a.txt", "text/plain", b"0123456789").await;
    let etag = server.get(&path).send().await.header("etag").to_owned();
    for known in [
        etag.clone(),
        format!("\"other\", {etag}"),
        format!("W/{etag}"),
        "*".to_owned(),
    ] {
        let response = server
            .get(&path)
            .header("if-none-match", &known)
            .send()
            .await;
        response.has_status(304);
        assert!(response.body.is_empty());
        assert_eq!(response.header("etag"), etag);
    }
    let changed = server
        .get(&path)
        .header("if-none-match", "\"other\"")
        .send()
        .await;
    changed.has_status(200);
    let range = |condition: &str| {
        server
            .get(&path)
            .header("range", "bytes=0-1")
            .header("if-range", condition)
            .send()
    };
    assert_eq!(range(&etag).await.status, 206);
    assert_eq!(range("\"other\"").await.status, 200);
}

#[tokio::test]
async fn an_empty_file_has_no_range() {
    let (server, _, path) = server_with("empty", "text/plain", b"").await;
    server.get(&path).send().await.has_status(200);
    let response = server.get(&path).header("range", "bytes=0-0").send().await;
    response.has_status(416);
    assert_eq!(response.header("content-range"), "bytes */0");
}

#[tokio::test]
async fn a_file_of_two_chats_is_found_by_each_of_its_ids() {
    let (server, user, path) = server_with("a.txt", "text/plain", b"shared").await;
    let file = path.rsplit('/').nth(1).expect("the id of the file");
    for chat_name in ["first", "second"] {
        let form = [
            ("user_id", user.id.as_str()),
            ("workspace_id", &user.workspace),
            ("chat_name", chat_name),
            ("selected_file_ids", file),
        ];
        let response = server.post("/chat/new").form(&form).send().await;
        response.has_status(200);
    }
    let ids = server
        .database()
        .await
        .texts("SELECT id FROM chat_file ORDER BY rowid")
        .await;
    assert_eq!(ids[0], file, "the first attachment has the id of the file");
    assert_ne!(ids[1], file, "later ones have new ones");
    for id in ids {
        let content = server.get(&format!("/file/{id}/content")).send().await;
        content.has_status(200);
        assert_eq!(content.text(), "shared");
    }
}

#[tokio::test]
async fn unknown_files_are_not_found() {
    let server = Server::start().await;
    for id in [UNKNOWN_ID, "x", "%00", "..", "%2e%2e"] {
        let response = server.get(&format!("/file/{id}/content")).send().await;
        assert_eq!(response.status, 404, "{id}");
    }
    server
        .get(&format!("/file/{UNKNOWN_ID}/content"))
        .send()
        .await
        .is_error(404, "File not found.");
    server
        .head(&format!("/file/{UNKNOWN_ID}/content"))
        .send()
        .await
        .has_status(404);
}

#[tokio::test]
async fn a_file_is_shown_with_its_text_if_that_is_asked_for() {
    let (server, _, path) = server_with("a.txt", "text/plain", "Gregor Samsa\n".as_bytes()).await;
    let path = path.trim_end_matches("/content").to_owned();
    let without = server.get(&path).send().await.json();
    assert_eq!(without.get("text"), None);
    let with = server.get(&format!("{path}?with_text=true")).send().await;
    assert_eq!(with.string("/text"), "Gregor Samsa\n");
    let wrong = server
        .get(&format!("{path}?with_text=perhaps"))
        .send()
        .await;
    wrong.has_status(422);
}
