//! Requests for versions that are refused.

use serde_json::json;

use super::super::{UNKNOWN_ID, assert_invalid, missing};
use super::Scene;
use crate::support::login;

#[tokio::test]
async fn a_file_that_is_too_long_or_no_text_is_not_edited() {
    let scene = Scene::new("a.md", "one").await;
    let limit = 256 * 1024;
    scene.save(&"x".repeat(limit)).await.has_status(200);
    let versions = async || {
        let dump = scene.server.database().await.dump().await;
        let rows = dump
            .lines()
            .filter(|row| row.starts_with("chat_file_version "));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = versions().await;
    assert_eq!(before.len(), 2);
    let long = scene.save(&"x".repeat(limit + 1)).await;
    long.is_error(413, "Request body too large.");
    let detail = "The file is too long to be edited here, no text, or not read yet.";
    let picture = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec();
    for content in [picture, vec![b'x'; limit + 1]] {
        let file = scene
            .server
            .chat_file(&scene.user, &scene.chat, "b", content);
        let path = format!("/chat-file/{}/versions", file.await);
        let saved = scene.server.post(&path).form(&[("content", "text")]);
        saved.send().await.is_error(400, detail);
        let list = scene.server.get(&path).send().await;
        list.is(200, r#"{"versions":[],"next":null}"#);
    }
    assert_eq!(versions().await, before);
}

#[tokio::test]
async fn unknown_files_and_versions_are_not_found() {
    let scene = Scene::new("a.md", "one").await;
    scene.save("two").await;
    let version = scene.version(1).await;
    // Another file of the same chat, which has versions of its own.
    let other = Scene {
        file: scene
            .server
            .chat_file(&scene.user, &scene.chat, "b.md", "one")
            .await,
        chat: scene.chat.clone(),
        user: scene.user.clone(),
        server: scene.server,
    };
    other.save("two").await;
    let own = other.version(2).await;
    let before = other.server.database().await.dump().await;
    for path in [
        format!("versions/{version}"),
        format!("versions/{UNKNOWN_ID}"),
        format!("diff?from={version}"),
        format!("diff?from={own}&to={version}"),
        format!("diff?from={version}&to={own}"),
        "diff?from=".to_owned(),
    ] {
        other.get(&path).await.is_error(404, "Version not found.");
    }
    for id in [&version, UNKNOWN_ID, ""] {
        other.revert(id).await.is_error(404, "Version not found.");
    }
    for id in [UNKNOWN_ID, "%00", "%27"] {
        let path = format!("/chat-file/{id}");
        for (method, path, field) in [
            ("GET", format!("{path}/versions/{version}"), "x"),
            ("GET", format!("{path}/diff?from={version}"), "x"),
            ("POST", format!("{path}/versions"), "content"),
            ("POST", format!("{path}/revert"), "version_id"),
        ] {
            let request = other.server.request(method, &path);
            let response = request.form(&[(field, &version)]).send().await;
            response.is_error(404, "File not found.");
        }
    }
    assert_eq!(other.server.database().await.dump().await, before);
    let path = format!("/chat-file/{}", other.file);
    for (path, field) in [("versions", "content"), ("revert", "version_id")] {
        let request = other
            .server
            .post(&format!("/chat-file/{}/{path}", other.file));
        assert_invalid(&request.form(&[]).send().await, &[missing(field)]);
    }
    let missing = other.server.get(&format!("{path}/diff")).send().await;
    missing.has_status(422);
    assert_eq!(missing.json()["detail"][0]["loc"], json!(["query", "from"]));
}

#[tokio::test]
async fn a_file_that_is_not_ones_own_is_not_changed() {
    let scene = Scene::new("a.md", "one").await;
    scene.save("two").await;
    let version = scene.version(1).await;
    let stranger = login(&scene.server, "stranger@example.com").await;
    let before = scene.server.database().await.dump().await;
    for (user, detail) in [
        (&*stranger.id, "File not found."),
        (UNKNOWN_ID, "User not found."),
    ] {
        for (path, field) in [("versions", "content"), ("revert", "version_id")] {
            let path = format!("/chat-file/{}/{path}", scene.file);
            let form = [(field, version.as_str()), ("user_id", user)];
            let response = scene.server.post(&path).form(&form).send().await;
            response.is_error(404, detail);
        }
        for path in [
            format!("versions?user_id={user}"),
            format!("versions/{version}?user_id={user}"),
            format!("diff?from={version}&user_id={user}"),
        ] {
            scene.get(&path).await.is_error(404, detail);
        }
    }
    assert_eq!(scene.server.database().await.dump().await, before);
    let path = format!("/chat-file/{}/revert", scene.file);
    let form = [
        ("version_id", version.as_str()),
        ("user_id", &scene.user.id),
    ];
    let own = scene.server.post(&path).form(&form).send().await;
    own.has_status(200);
}
