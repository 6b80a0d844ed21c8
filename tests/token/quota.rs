//! How much somebody may store.

use super::{Person, Town};
use crate::support::{Multipart, Response, Setup};

const FULL: &str = "Your storage is full. Delete files or chats to make room.";

async fn upload(town: &Town, person: &Person, bytes: usize) -> Response {
    let form = Multipart::new()
        .text("target_id", &person.workspace)
        .text("is_chat", "false")
        .file("files", "a.bin", vec![b'x'; bytes]);
    town.server
        .post("/file/upload")
        .by(person)
        .multipart(form)
        .send()
        .await
}

async fn stored(town: &Town, person: &Person) -> i64 {
    let sql = format!("SELECT stored_bytes FROM user WHERE id = '{}'", person.id);
    town.server.database().await.number(&sql).await
}

#[tokio::test]
async fn what_is_more_than_the_quota_is_not_stored() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "1000")).await;
    let josef = town.person("josef@example.com").await;
    upload(&town, &josef, 600).await.has_status(200);
    upload(&town, &josef, 401).await.is_error(413, FULL);
    assert_eq!(stored(&town, &josef).await, 600);
    upload(&town, &josef, 400).await.has_status(200);
    // What is full is said before anything is taken in.
    upload(&town, &josef, 0).await.is_error(413, FULL);
    let form = Multipart::new()
        .text("owner_id", &josef.id)
        .text("name", "w");
    let form = form.file("files", "a.bin", "x");
    let new = town
        .server
        .post("/workspace/new")
        .by(&josef)
        .multipart(form);
    new.send().await.is_error(413, FULL);
    let database = town.server.database().await;
    assert_eq!(
        (
            database.count("content").await,
            database.count("workspace").await
        ),
        (2, 1)
    );
    // It is everybody's own.
    let leni = town.person("leni@example.com").await;
    upload(&town, &leni, 1000).await.has_status(200);
}

#[tokio::test]
async fn what_there_is_no_room_for_is_not_even_taken_in() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "1000000")).await;
    let josef = town.person("josef@example.com").await;
    let head = format!(
        "POST /file/upload HTTP/1.1\r\nhost: {}\r\nauthorization: {}\r\n\
         content-type: multipart/form-data; boundary=b\r\ncontent-length: 50000000\r\n\r\n\
         --b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"a.bin\"\r\n\r\n",
        town.server.address(),
        josef.bearer()
    );
    // The rest never comes.
    let answer = town
        .server
        .raw([head.into_bytes(), vec![b'x'; 2_000_000]].concat())
        .await;
    assert_eq!(answer.status, 413, "{}", answer.body);
    assert!(answer.body.contains(FULL), "{}", answer.body);
    let database = town.server.database().await;
    assert_eq!(database.count("content_chunk").await, 0);
    upload(&town, &josef, 1_000_000).await.has_status(200);
}

#[tokio::test]
async fn sockets_are_refused_what_there_is_no_room_for() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "1000")).await;
    let josef = town.person("josef@example.com").await;
    let (chat, messages) = josef.stores(&town).await;
    let full = "UPDATE user SET stored_bytes = 1000";
    town.server.change(full).await;
    let database = town.server.database().await;
    let counts = async || {
        let tables = ["chat_conversation", "file", "chat_file_version"];
        futures::future::join_all(tables.map(|table| database.count(table))).await
    };
    let before = counts().await;
    let mut socket = josef.window(&town, &chat).await;
    for message in messages {
        socket.send(&message).await;
        let refused = socket.json().await;
        assert_eq!(refused["code"], "too_large", "{message}: {refused}");
        assert_eq!(refused["error"], FULL);
    }
    assert_eq!(counts().await, before);
}

#[tokio::test]
async fn an_empty_variable_is_no_quota() {
    let town = Town::with(Setup::app().variable("storage_quota_bytes", "")).await;
    let josef = town.person("josef@example.com").await;
    upload(&town, &josef, 3_000_000).await.has_status(200);
    assert_eq!(stored(&town, &josef).await, 3_000_000);
}

#[tokio::test]
async fn content_that_chats_share_counts_once_and_goes_with_the_last() {
    let town = Town::new().await;
    let josef = town.person("josef@example.com").await;
    let file = upload(&town, &josef, 500).await.string("/files/0");
    let mut chats = Vec::new();
    for _ in 0..2 {
        let form = [
            ("user_id", josef.id.as_str()),
            ("workspace_id", &josef.workspace),
            ("chat_name", "c"),
            ("selected_file_ids", &file),
        ];
        let made = town
            .server
            .post("/chat/new")
            .by(&josef)
            .form(&form)
            .send()
            .await;
        chats.push(made.string("/chat_id"));
    }
    assert_eq!(stored(&town, &josef).await, 500);
    for chat in chats {
        let path = format!("/chat/{chat}");
        town.server
            .delete(&path)
            .by(&josef)
            .send()
            .await
            .has_status(200);
        assert_eq!(stored(&town, &josef).await, 500);
    }
    let path = format!("/file/delete/{file}");
    town.server
        .delete(&path)
        .by(&josef)
        .send()
        .await
        .has_status(200);
    assert_eq!(stored(&town, &josef).await, 0);
}
