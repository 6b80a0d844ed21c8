//! Protocol v2 (docs/websocket.md#v2): acknowledged, streamed, numbered.

mod sync;

use serde_json::{Value, json};

use super::{Scene, through_both, words};
use crate::support::{Setup, Socket, V2};

through_both!(
    the_first_frame_is_the_chat_with_ids,
    an_unknown_chat_is_an_error_and_a_close,
    a_message_is_acknowledged_and_streamed,
    errors_have_a_code_and_a_reference,
    an_action_without_an_id_gets_no_ack,
    both_protocols_see_one_chat,
    long_conversations_begin_with_the_newest,
    changes_over_http_reach_open_sockets,
    a_deleted_chat_closes_its_sockets,
);

async fn the_first_frame_is_the_chat_with_ids(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-2-rate-0"]).await;
    let mut socket = scene.server.v2(&scene.chat).await;
    assert_eq!(socket.protocol.as_deref(), Some(V2));
    let first = socket.json().await;
    assert_eq!(first["action"], "initial");
    assert_eq!(first["protocol"], 2);
    assert!(first["rev"].is_u64(), "{first}");
    assert_eq!(first["chat_id"], scene.chat);
    assert_eq!(first["chat_name"], "The Trial");
    assert_eq!(first["workspace_id"], scene.user.workspace);
    assert_eq!(first["models"], json!(["fake-words-2-rate-0"]));
    assert_eq!(first["conversation"], json!([]));
    assert_eq!(first["generation"], json!(null));

    let mut client = scene.server.chat_client(&scene.chat).await;
    client.ask("fake-words-2-rate-0", "Who accuses me?").await;
    client.settled().await;
    let mut socket = scene.server.v2(&scene.chat).await;
    let first = socket.json().await;
    let conversation = first["conversation"].as_array().expect("a list");
    assert_eq!(conversation.len(), 2);
    for message in conversation {
        for key in [
            "id",
            "parent_id",
            "role",
            "type",
            "content",
            "status",
            "model",
            "created_at",
        ] {
            assert!(message.get(key).is_some(), "{key} in {message}");
        }
    }
    assert_eq!(conversation[0]["role"], "user");
    assert_eq!(conversation[0]["content"], "Who accuses me?");
    assert_eq!(conversation[0]["parent_id"], json!(null));
    assert_eq!(conversation[1]["role"], "assistant");
    assert_eq!(conversation[1]["content"], "w1 w2");
    assert_eq!(conversation[1]["status"], "complete");
    assert_eq!(conversation[1]["model"], "fake-words-2-rate-0");
    assert_eq!(conversation[1]["parent_id"], conversation[0]["id"]);
}

async fn an_unknown_chat_is_an_error_and_a_close(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    for chat in ["nothing", "0197-x%20y"] {
        let headers = [("sec-websocket-protocol", V2)];
        let socket = scene
            .server
            .try_socket(&format!("/ws/{chat}"), &headers)
            .await;
        let mut socket = socket.expect("v2 gets errors inside the socket");
        assert_eq!(socket.protocol.as_deref(), Some(V2));
        let error = json!({"action": "error", "code": "not_found", "error": "Chat not found."});
        assert_eq!(socket.json().await, error);
        assert_eq!(socket.closed().await, Some(1008));
    }
}

async fn a_message_is_acknowledged_and_streamed(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-12-rate-20"]).await;
    let mut sender = scene.open2().await;
    let mut other = scene.open2().await;
    sender
        .send(&json!({"action": "new_message", "prompt": "hello", "model": "fake-words-12-rate-20", "id": "m1"}))
        .await;
    let ack = sender.action("ack").await;
    assert_eq!(ack["in_reply_to"], "m1");
    assert!(ack["message_id"].is_string(), "{ack}");
    assert!(ack["generation_id"].is_string(), "{ack}");

    let mut frames = Vec::new();
    while frames
        .last()
        .is_none_or(|frame: &Value| frame["action"] != "generation_ended")
    {
        let frame = other.json().await;
        assert!(frame.get("in_reply_to").is_none(), "{frame}");
        frames.push(frame);
    }
    let actions: Vec<_> = frames
        .iter()
        .map(|frame| frame["action"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(actions[..3], ["message", "generation_started", "delta"]);
    assert_eq!(frames[0]["message"]["content"], "hello");
    assert_eq!(frames[0]["message"]["id"], ack["message_id"]);
    let (started, ended) = (&frames[1], &frames[frames.len() - 1]);
    assert_eq!(started["generation_id"], ack["generation_id"]);
    assert_eq!(started["model"], "fake-words-12-rate-20");
    let deltas = &frames[2..frames.len() - 1];
    assert!(
        deltas.len() > 3,
        "12 words in 0.6 s come in several pieces: {actions:?}"
    );
    let mut text = String::new();
    for (seq, delta) in (1..).zip(deltas) {
        assert_eq!(delta["action"], "delta");
        assert_eq!(delta["seq"], seq);
        assert_eq!(delta["generation_id"], started["generation_id"]);
        assert_eq!(delta["message_id"], started["message_id"]);
        assert!(delta.get("rev").is_none(), "{delta}");
        text += delta["content"].as_str().expect("text");
    }
    assert_eq!(text, words(12));
    assert_eq!(ended["status"], "complete");
    assert_eq!(ended["finish_reason"], "stop");
    assert_eq!(ended["usage"]["completion_tokens"], 12);
    assert_eq!(ended["error"], json!(null));
    assert_eq!(ended["message"]["content"], text);
    assert_eq!(ended["message"]["id"], started["message_id"]);
    let revs: Vec<_> = [&frames[0], started, ended]
        .iter()
        .map(|frame| frame["rev"].as_u64())
        .collect();
    assert!(revs.is_sorted() && revs[0].is_some(), "{revs:?}");
}

async fn errors_have_a_code_and_a_reference(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-40-rate-20"]).await;
    let mut socket = scene.open2().await;
    let table = [
        (json!({"action": "dance"}), "bad_request"),
        (json!({"no": "action"}), "bad_request"),
        (json!({"action": 7}), "bad_request"),
        (json!({"action": "new_message", "prompt": 7}), "bad_request"),
        (
            json!({"action": "new_message", "prompt": "x", "model": "unknown"}),
            "not_found",
        ),
        (
            json!({"action": "new_message", "prompt": "x", "model_id": "unknown"}),
            "not_found",
        ),
        (
            json!({"action": "new_message", "prompt": "x", "model": "fake-words-40-rate-20", "parent_id": "none"}),
            "not_found",
        ),
        (
            json!({"action": "upload_file", "filename": "a"}),
            "bad_request",
        ),
        (
            json!({"action": "upload_file", "filename": "a", "file_data": "?"}),
            "bad_request",
        ),
        (
            json!({"action": "delete_file", "file_id": "none"}),
            "not_found",
        ),
        (
            json!({"action": "revert_version", "version_id": "v", "filename": "f"}),
            "not_found",
        ),
        (json!({"action": "sync"}), "bad_request"),
        (json!({"action": "sync", "rev": "x"}), "bad_request"),
    ];
    for (number, (message, code)) in table.iter().enumerate() {
        let mut message = message.clone();
        message["id"] = json!(format!("e{number}"));
        socket.send(&message).await;
        let error = socket.json().await;
        assert_eq!(error["action"], "error", "{message}: {error}");
        assert_eq!(error["code"], *code, "{message}: {error}");
        assert_eq!(
            error["in_reply_to"],
            format!("e{number}"),
            "{message}: {error}"
        );
        assert!(error["error"].is_string(), "{message}: {error}");
    }
    for text in ["not JSON", "[1]", "5", "", "{", r#""x""#] {
        socket.send_text(text).await;
        let error = socket.json().await;
        assert_eq!(
            (&error["action"], &error["code"]),
            (&json!("error"), &json!("bad_request")),
            "{text}"
        );
    }
    socket.binary(b"\xff\x00").await;
    assert_eq!(socket.json().await["code"], "bad_request");
    assert!(scene.stored().await.is_empty());

    let message = json!({"action": "new_message", "prompt": "x", "model": "fake-words-40-rate-20", "id": "a"});
    socket.send(&message).await;
    socket.action("ack").await;
    socket.send(&message).await;
    let busy = socket.action("error").await;
    assert_eq!(
        (&busy["code"], &busy["in_reply_to"]),
        (&json!("busy"), &json!("a"))
    );
    socket.send(&json!({"action": "stop"})).await;
    socket.action("generation_ended").await;
    assert_eq!(
        scene.stored().await.len(),
        2,
        "what was refused is not stored"
    );
}

async fn an_action_without_an_id_gets_no_ack(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-2-rate-0"]).await;
    let mut socket = scene.open2().await;
    socket
        .send(&json!({"action": "new_message", "prompt": "hello", "model": "fake-words-2-rate-0"}))
        .await;
    loop {
        let frame = socket.json().await;
        assert!(
            frame.get("in_reply_to").is_none_or(Value::is_null),
            "{frame}"
        );
        if frame["action"] == "generation_ended" {
            break;
        }
    }
}

async fn both_protocols_see_one_chat(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-6-rate-20"]).await;
    let mut old = scene.opened().await;
    let mut new = scene.server.chat_client(&scene.chat).await;
    old.send_text("from the old").await;
    assert_eq!(new.settled().await.content, words(6));
    assert_eq!(old.text().await, words(6));
    new.ask("fake-words-6-rate-20", "from the new").await;
    assert_eq!(old.text().await, words(6));
    new.until("both replies", |client| client.messages.len() == 4)
        .await;
    new.settled().await;
    let contents: Vec<_> = new
        .messages
        .iter()
        .map(|message| message.content.as_str())
        .collect();
    assert_eq!(
        contents,
        ["from the old", &words(6), "from the new", &words(6)]
    );
}

async fn long_conversations_begin_with_the_newest(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-1-rate-0"]).await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    for number in 0..103 {
        client
            .ask("fake-words-1-rate-0", &format!("prompt {number}"))
            .await;
        client.reply().await;
    }
    let mut socket = scene.server.v2(&scene.chat).await;
    let first = socket.json().await;
    let conversation = first["conversation"].as_array().expect("a list");
    assert_eq!(conversation.len(), 200);
    assert_eq!(first["has_more"], true);
    assert_eq!(conversation[198]["content"], "prompt 102");
    let mut old = scene.server.v1(&scene.chat).await;
    let conversation = old.json().await["conversation"]
        .as_array()
        .expect("a list")
        .len();
    assert!(conversation >= 200, "v1 shows {conversation} of 206");
}

async fn changes_over_http_reach_open_sockets(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut socket = scene.open2().await;
    let mut client = scene.server.chat_client(&scene.chat).await;
    let form = [("chat_id", scene.chat.as_str()), ("new_name", "The Castle")];
    let renamed = scene.server.patch("/chat/rename").form(&form).send().await;
    renamed.has_status(200);
    let frame = socket.action("chat_renamed").await;
    assert_eq!(frame["name"], "The Castle");
    assert!(frame["rev"].is_u64(), "{frame}");
    client
        .until("the new name", |client| client.chat_name == "The Castle")
        .await;

    let form = scene
        .user
        .upload_to(&scene.chat, "true")
        .file("files", "d.csv", "a,b\n1,2\n");
    let uploaded = scene.server.upload(form).await;
    uploaded.has_status(200);
    let frame = socket.action("file_uploaded").await;
    assert!(frame["rev"].is_u64(), "{frame}");
    assert!(
        frame.to_string().contains(&uploaded.string("/files/0")),
        "{frame}"
    );
    assert!(frame.to_string().contains("d.csv"), "{frame}");
}

async fn a_deleted_chat_closes_its_sockets(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut new = scene.open2().await;
    let mut old = scene.opened().await;
    let deleted = scene
        .server
        .delete(&format!("/chat/{}", scene.chat))
        .send()
        .await;
    deleted.has_status(200);
    assert_eq!(new.json().await["action"], "chat_deleted");
    assert_eq!(new.closed().await, Some(1000));
    old.send_text("anybody there?").await;
    assert_eq!(old.text().await, r#"{"error":"Chat not found."}"#);
}

impl Scene {
    /// A v2 socket whose first frame was read.
    pub(super) async fn open2(&self) -> Socket {
        let mut socket = self.server.v2(&self.chat).await;
        assert_eq!(socket.json().await["action"], "initial");
        socket
    }
}
