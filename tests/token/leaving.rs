//! `DELETE /user/{user_id}`: a person leaves, and nothing of theirs stays.

use serde_json::json;

use super::Town;
use crate::support::{Multipart, Server, login};

#[tokio::test]
async fn no_data_of_a_deleted_user_stays() {
    let town = Town::new().await;
    let leni = town.person("leni@example.com").await;
    // Except for the counters of this address, and for the record that something was done.
    let stored = async || {
        let dump = town.server.database().await.dump().await;
        let rows = dump
            .lines()
            .filter(|row| !row.starts_with("rate_limit ") && !row.starts_with("audit "));
        rows.map(str::to_owned).collect::<Vec<_>>()
    };
    let before = stored().await;
    let josef = town.person("josef@example.com").await;
    let chat = josef.chat(&town, "c").await;
    let form = Multipart::new()
        .text("target_id", &chat)
        .text("is_chat", "true")
        .file("files", "a.txt", "marker-of-josef");
    let server = &town.server;
    server
        .post("/file/upload")
        .by(&josef)
        .multipart(form)
        .send()
        .await
        .has_status(200);
    josef.model(&town, "m", "https://models.example/v1").await;
    town.ask_code("josef@example.com").await.has_status(200);
    let bearer = josef.bearer();
    let headers = [
        ("authorization", bearer.as_str()),
        ("sec-websocket-protocol", "kafka.v2"),
    ];
    let mut socket = server
        .try_socket(&format!("/ws/{chat}"), &headers)
        .await
        .expect("it opens");
    socket.json().await;
    socket
        .send(&json!({ "action": "upload_file", "filename": "b.md", "file_data": "Yg==" }))
        .await;
    socket.action("file_uploaded").await;

    let path = format!("/user/{}", josef.id);
    let foreign = server.delete(&path).by(&leni).send().await;
    foreign.is_error(404, "User not found.");
    let gone = server.delete(&path).by(&josef).send().await;
    gone.is(
        200,
        r#"{"detail":"User and all associated data deleted successfully."}"#,
    );
    assert!(matches!(socket.closed().await, Some(1000 | 1008)));
    server.delete(&path).by(&josef).send().await.has_status(401);
    assert_eq!(stored().await, before);
    let rows = stored().await.join("\n");
    assert!(!rows.contains(&josef.id), "{rows}");
    let dump = server.database().await.dump().await;
    for trace in [
        "josef@example.com",
        chat.as_str(),
        "marker-of-josef",
        &josef.workspace,
    ] {
        assert!(!dump.contains(trace), "{trace} is still there:\n{dump}");
    }
    server
        .get("/auth/sessions")
        .by(&leni)
        .send()
        .await
        .has_status(200);
    // The same address begins again.
    assert_ne!(town.person("josef@example.com").await.id, josef.id);
}

#[tokio::test]
async fn in_open_mode_knowing_the_id_is_enough() {
    let server = Server::start().await;
    let josef = login(&server, "josef@example.com").await;
    server
        .delete("/user/unknown")
        .send()
        .await
        .is_error(404, "User not found.");
    server
        .delete(&format!("/user/{}", josef.id))
        .send()
        .await
        .has_status(200);
    assert_eq!(server.database().await.count("workspace").await, 0);
}
