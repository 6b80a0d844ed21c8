//! Refused actions, which change nothing.

use serde_json::{Value, json};

use super::super::{Scene, through_both};
use super::SAY;
use crate::support::{Setup, Socket};

through_both!(
    refused_actions_change_nothing,
    nothing_is_chosen_while_a_reply_is_written,
);

async fn refused_actions_change_nothing(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask(SAY, "one").await;
    let reply = client.reply().await;
    let one = client.messages[0].id.clone();
    let elsewhere = scene.server.chat(&scene.user, "The Castle").await;
    let mut castle = scene.server.chat_client(&elsewhere).await;
    castle.ask(SAY, "K.").await;
    let foreign = castle.reply().await.id;
    let mut socket = scene.open2().await;
    let file =
        json!({"action": "upload_file", "filename": "a.txt", "file_data": "eA==", "id": "u"});
    socket.send(&file).await;
    let file = socket.action("ack").await["message_id"].clone();
    let deleted = json!({"action": "delete_file", "file_id": scene.file().await, "id": "d"});
    socket.send(&deleted).await;
    let deleted = socket.action("ack").await["message_id"].clone();

    let before = scene.server.database().await.dump().await;
    let table = [
        (
            json!({"message_id": "none"}),
            "not_found",
            "Message not found.",
        ),
        (
            json!({"message_id": foreign}),
            "not_found",
            "Message not found.",
        ),
        (
            json!({"message_id": 5}),
            "bad_request",
            "message_id must be a string.",
        ),
        (
            json!({"message_id": "x".repeat(2000)}),
            "too_large",
            "message_id is too long.",
        ),
    ];
    for action in ["edit_message", "regenerate", "select_branch"] {
        let missing = format!("Missing message_id for {action}.");
        let missing = [
            (json!({}), "bad_request", missing.as_str()),
            (json!({"message_id": null}), "bad_request", &missing),
        ];
        for (fields, code, error) in table.iter().chain(&missing) {
            let mut message = json!({"action": action, "id": "x", "prompt": "x", "model": SAY});
            message["message_id"] = fields["message_id"].clone();
            refused(&mut socket, &message, code, error).await;
        }
    }
    let edit = |id: &Value, prompt: Value| json!({"action": "edit_message", "id": "x", "message_id": id, "prompt": prompt, "model": SAY});
    let again =
        |id: &Value| json!({"action": "regenerate", "id": "x", "message_id": id, "model": SAY});
    for id in [&json!(reply.id), &file, &deleted] {
        let error = "Only what a person has said can be edited.";
        refused(&mut socket, &edit(id, json!("x")), "bad_request", error).await;
    }
    for id in [&file, &deleted] {
        let error = "Only a reply, or what a person has said, can be answered again.";
        refused(&mut socket, &again(id), "bad_request", error).await;
    }
    let one = json!(one);
    let not_text = "prompt must be a string.";
    refused(&mut socket, &edit(&one, json!(5)), "bad_request", not_text).await;
    let long = json!("x".repeat(190_000) + "\u{e9}".repeat(40_000).as_str());
    let error = "A message has at most 256 KiB of text.";
    // Longer than a frame through Pushpin.
    if scene.server.sockets() == scene.server.address() {
        refused(&mut socket, &edit(&one, long), "too_large", error).await;
    }
    let missing = json!({"action": "edit_message", "id": "x", "message_id": one, "model": SAY});
    let error = "Missing prompt for edit_message.";
    refused(&mut socket, &missing, "bad_request", error).await;
    for mut message in [edit(&one, json!("x")), again(&one)] {
        message["model"] = json!("unknown");
        refused(&mut socket, &message, "not_found", "Model not found.").await;
    }
    assert_eq!(scene.server.database().await.dump().await, before);
    assert_eq!(scene.model.requests().await, 2);
}

async fn nothing_is_chosen_while_a_reply_is_written(setup: Setup) {
    const SLOW: &str = "fake-words-400-rate-20";
    let scene = Scene::new(setup, &[SAY, SLOW]).await;
    let mut client = scene.grown().await;
    let ids = scene.ids().await;
    let mut socket = scene.open2().await;
    client.ask(SLOW, "at length").await;
    socket.action("delta").await;
    let stored = scene.ids().await;
    for action in ["edit_message", "regenerate", "select_branch"] {
        let message =
            json!({"action": action, "message_id": ids[2], "prompt": "x", "model": SAY, "id": "b"});
        socket.send(&message).await;
        let busy = socket.action("error").await;
        assert_eq!(
            (&busy["code"], &busy["in_reply_to"]),
            (&json!("busy"), &json!("b"))
        );
        assert_eq!(busy["error"], "A reply is still being written.");
    }
    assert_eq!(scene.ids().await, stored);
    // A file that comes meanwhile follows the reply, and what the reply goes on with is still its own.
    let file =
        json!({"action": "upload_file", "filename": "a.txt", "file_data": "eA==", "id": "u"});
    socket.send(&file).await;
    let file = socket.action("ack").await;
    socket.send(&json!({"action": "stop"})).await;
    socket.action("generation_ended").await;
    client
        .until("the end", |client| {
            client.running.is_none() && client.last().kind == "file"
        })
        .await;
    assert_eq!(client.head.as_deref(), file["message_id"].as_str());
    scene.agrees(&client).await;
}

/// Fails unless the message is refused so.
async fn refused(socket: &mut Socket, message: &Value, code: &str, error: &str) {
    socket.send(message).await;
    let answer = socket.action("error").await;
    assert_eq!(answer["code"], code, "{message}: {answer}");
    assert_eq!(answer["error"], error, "{message}");
    assert_eq!(answer["in_reply_to"], "x");
}
