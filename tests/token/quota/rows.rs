//! Limits of rows.

use serde_json::json;

use super::super::Town;
use super::{stored, upload};
use crate::support::{Database, FakeModel, Setup};

#[tokio::test]
async fn messages_are_stored_and_counted() {
    let setup = Setup::app().variable("storage_quota_bytes", "1000000");
    let setup = setup.variable("allow_private_models", "true");
    let (town, model) = (Town::with(setup).await, FakeModel::start());
    let josef = town.person("josef@example.com").await;
    josef
        .model(&town, "fake-words-50-rate-0", &model.base_url())
        .await;
    let chat = josef.chat(&town, "c").await;
    let mut socket = josef.socket(&town, &chat).await;
    let prompt = "x".repeat(1000);
    socket
        .send(&json!({ "action": "new_message", "prompt": prompt }))
        .await;
    socket.action("generation_ended").await;
    let database = town.server.database().await;
    let bytes = "SELECT sum(octet_length(content)) FROM chat_conversation";
    let bytes = database.number(bytes).await;
    assert!(bytes > 1100, "{bytes}");
    assert_eq!(stored(&town, &josef).await, bytes);
    // A message beyond the quota is refused, and messages are deleted with their chat.
    let almost = format!("UPDATE user SET stored_bytes = 1000000 - 500 + {bytes}");
    town.server.change(&almost).await;
    let again = json!({ "action": "new_message", "prompt": prompt });
    socket.send(&again).await;
    assert_eq!(socket.action("error").await["code"], "too_large");
    let delete = town.server.delete(&format!("/chat/{chat}")).by(&josef);
    delete.send().await.has_status(200);
    assert_eq!(stored(&town, &josef).await, 1_000_000 - 500);
}

#[tokio::test]
async fn rows_have_limits() {
    let setup = Setup::app().variable("row_limits", "workspaces=2 chats=2 files=3");
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let full = |things: &str, most: i64| {
        format!("You have as many {things} as you may have ({most}). Delete some to make room.")
    };
    let workspace = async || {
        let form = [("owner_id", josef.id.as_str()), ("name", "w")];
        let new = town.server.post("/workspace/new").by(&josef).form(&form);
        new.send().await
    };
    workspace().await.has_status(200);
    workspace().await.is_error(413, &full("workspaces", 2));
    let file = upload(&town, &josef, 1).await.string("/files/0");
    let chat = async |workspace: &str, files: &[&str]| {
        let mut form = vec![
            ("user_id", josef.id.as_str()),
            ("workspace_id", workspace),
            ("chat_name", "c"),
        ];
        form.extend(files.iter().map(|file| ("selected_file_ids", *file)));
        let new = town.server.post("/chat/new").by(&josef).form(&form);
        new.send().await
    };
    chat("none", &[])
        .await
        .is_error(404, "Workspace not found.");
    let first = chat(&josef.workspace, &[&file]).await;
    first.has_status(200);
    // The file, and that it is in the chat, are two.
    upload(&town, &josef, 1).await.has_status(200);
    upload(&town, &josef, 1)
        .await
        .is_error(413, &full("files", 3));
    chat(&josef.workspace, &[&file])
        .await
        .is_error(413, &full("files", 3));
    chat(&josef.workspace, &[]).await.has_status(200);
    for files in [&[][..], &[file.as_str()]] {
        chat(&josef.workspace, files)
            .await
            .is_error(413, &full("chats", 2));
    }
    town.server
        .database()
        .await
        .knows_how_much_is_stored()
        .await;
    let delete = format!("/chat/{}", first.string("/chat_id"));
    let deleted = town.server.delete(&delete).by(&josef).send().await;
    deleted.has_status(200);
    chat(&josef.workspace, &[&file]).await.has_status(200);
    town.server
        .database()
        .await
        .knows_how_much_is_stored()
        .await;
}

#[tokio::test]
async fn creating_and_renaming_is_limited() {
    let town = Town::with(Setup::app().variable("rate_limits", "create=2/600")).await;
    let josef = town.person("josef@example.com").await;
    let chat = josef.chat(&town, "one").await;
    josef.chat(&town, "two").await;
    for (path, id) in [("/chat/rename", "chat_id"), ("/file/rename", "file_id")] {
        let form = [(id, chat.as_str()), ("new_name", "another")];
        let renamed = town.server.patch(path).by(&josef).form(&form).send().await;
        renamed.is_error(429, "Too many requests. Please try again later.");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_copies_that_are_made_at_once_no_more_are_stored_than_there_is_room_for() {
    let setup = Setup::app().variable("rate_limits", "");
    let town = Town::with(setup.variable("storage_quota_bytes", "250000")).await;
    let josef = town.person("josef@example.com").await;
    let chat = josef.chat(&town, "c").await;
    // Several parts, and room for two copies.
    town.server
        .change(&Database::conversation(&chat, 8_000))
        .await;
    let size = stored(&town, &josef).await;
    assert!((70_000..80_000).contains(&size), "{size}");
    let copies = (0..8).map(|_| {
        let body = json!({ "message_id": format!("{chat}-8000") }).to_string();
        let copy = town.server.post(&format!("/chat/{chat}/copy"));
        copy.by(&josef).json(body).send()
    });
    let answers = futures::future::join_all(copies).await;
    let made = answers.iter().filter(|answer| answer.status == 200).count();
    for answer in answers.iter().filter(|answer| answer.status != 200) {
        assert_eq!(answer.status, 413, "{answer:?}");
    }
    assert!(made <= 2, "{made}");
    let whole = 1 + made as i64;
    assert_eq!(stored(&town, &josef).await, whole * size);
    let database = town.server.database().await;
    assert_eq!(database.count("chat").await, whole);
    assert_eq!(database.count("chat_conversation").await, whole * 8_000);
    database.knows_how_much_is_stored().await;
}

#[tokio::test]
async fn of_messages_that_are_sent_at_once_no_more_are_stored_than_there_is_room_for() {
    let setup = Setup::app().variable("rate_limits", "");
    let setup = setup.variable("allow_private_models", "true");
    let town = Town::with(setup.variable("storage_quota_bytes", "500000")).await;
    let model = FakeModel::start();
    let josef = town.person("josef@example.com").await;
    josef.model(&town, "fake-silent", &model.base_url()).await;
    let mut chats = Vec::new();
    for _ in 0..16 {
        chats.push(josef.chat(&town, "c").await);
    }
    let body = json!({ "prompt": "x".repeat(100_000) }).to_string();
    let messages = chats.iter().map(|chat| {
        let message = town.server.post(&format!("/chat/{chat}/messages"));
        let message = message.header("accept", "application/json");
        message.by(&josef).json(body.clone()).send()
    });
    let answers = futures::future::join_all(messages).await;
    let (sent, refused): (Vec<_>, _) = answers.iter().partition(|answer| answer.status == 202);
    for answer in &refused {
        assert_eq!(answer.status, 413, "{answer:?}");
    }
    // With room for the reply that each begins.
    assert_eq!(sent.len(), 2);
    assert_eq!(stored(&town, &josef).await, 2 * (100_000 + 262_144));
}
