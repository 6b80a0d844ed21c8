//! Protocol v1 (docs/websocket.md#v1), row by row and error by error.

use serde_json::{Value, json};

use super::{Scene, through_both, words};
use crate::support::{Setup, Socket};

through_both!(
    the_first_frame_is_the_chat,
    an_unknown_chat_is_an_error_and_a_close,
    without_a_model_plain_text_is_echoed,
    plain_text_goes_to_the_newest_model,
    a_plain_answer_is_a_bare_text_frame,
    a_reply_goes_to_every_v1_client_and_an_error_to_its_sender,
    errors_are_worded_as_before,
    bad_frames_are_answered_and_the_socket_stays,
    an_action_that_cannot_be_read_is_no_prompt,
    a_second_message_waits_for_its_turn,
    pings_and_closes_are_answered,
);

async fn the_first_frame_is_the_chat(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-2-rate-0", "fake"]).await;
    let mut socket = scene.server.v1(&scene.chat).await;
    assert_eq!(socket.protocol, None);
    let first = socket.json().await;
    let keys: Vec<_> = first.as_object().expect("an object").keys().collect();
    let wanted = [
        "chat_id",
        "chat_name",
        "conversation",
        "chat_files_based",
        "chat_files",
        "workspace_id",
        "models",
        "initial",
        "chat_files_text",
    ];
    assert_eq!(keys, wanted);
    assert_eq!(first["chat_id"], scene.chat);
    assert_eq!(first["chat_name"], "The Trial");
    assert_eq!(first["conversation"], json!([]));
    assert_eq!(first["chat_files_based"], json!([]));
    assert_eq!(first["chat_files"], json!([]));
    assert_eq!(first["chat_files_text"], json!([]));
    assert_eq!(first["workspace_id"], scene.user.workspace);
    assert_eq!(first["models"], json!(["fake-words-2-rate-0", "fake"]));
    assert_eq!(first["initial"], true);

    socket
        .send(&json!({"action": "new_message", "prompt": "Who accuses me?", "model": "fake-words-2-rate-0"}))
        .await;
    assert_eq!(socket.text().await, "w1 w2");
    let mut second = scene.server.v1(&scene.chat).await;
    let conversation = json!([
        {"role": "user", "type": "text", "content": "Who accuses me?"},
        {"role": "assistant", "type": "text", "content": "w1 w2"},
    ]);
    assert_eq!(second.json().await["conversation"], conversation);
}

async fn an_unknown_chat_is_an_error_and_a_close(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    for chat in ["no-such-chat", "0197-x%20y"] {
        let socket = scene.server.try_socket(&format!("/ws/{chat}"), &[]).await;
        let mut socket = socket.expect("v1 gets errors inside the socket");
        assert_eq!(socket.text().await, r#"{"error":"Chat not found."}"#);
        assert_eq!(socket.closed().await, Some(1000));
    }
}

async fn without_a_model_plain_text_is_echoed(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut socket = scene.opened().await;
    socket.send_text("hello there").await;
    assert_eq!(socket.text().await, "Echo: hello there");
    assert_eq!(
        scene.stored().await,
        [
            "user text complete hello there",
            "assistant text complete Echo: hello there"
        ]
    );
}

async fn plain_text_goes_to_the_newest_model(setup: Setup) {
    let scene = Scene::new(setup, &["fake-empty", "fake-words-3-rate-0"]).await;
    let mut socket = scene.opened().await;
    for text in ["hello", "[1, 2]", r#""quoted""#, r#"{"no": "action"}"#] {
        socket.send_text(text).await;
        assert_eq!(socket.text().await, "w1 w2 w3", "{text}");
    }
    let stored = scene.stored().await;
    assert_eq!(stored.len(), 8);
    assert_eq!(stored[2], "user text complete [1, 2]");
}

async fn a_plain_answer_is_a_bare_text_frame(setup: Setup) {
    let scene = Scene::new(setup, &["fake-say", "fake-unicode"]).await;
    let mut socket = scene.opened().await;
    for text in [r#"{"action":"looks like JSON"}"#, "two\nlines", "größer 🦀"] {
        socket
            .send(&json!({"action": "new_message", "prompt": text, "model": "fake-say", "is_first_prompt": false,
                "is_chat_or_composer": false, "selected_filename": null}))
            .await;
        assert_eq!(socket.text().await, text);
    }
}

async fn a_reply_goes_to_every_v1_client_and_an_error_to_its_sender(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-2-rate-0"]).await;
    let mut sender = scene.opened().await;
    let mut other = scene.opened().await;
    let elsewhere = scene.server.chat(&scene.user, "Another").await;
    let mut stranger = scene.server.v1(&elsewhere).await;
    stranger.json().await;
    sender.send(&json!({"action": "nonsense"})).await;
    assert_eq!(
        sender.text().await,
        r#"{"error":"Unknown action: nonsense"}"#
    );
    sender
        .send(&json!({"action": "new_message", "prompt": "hello", "model": "fake-words-2-rate-0"}))
        .await;
    assert_eq!(sender.text().await, "w1 w2");
    assert_eq!(other.text().await, "w1 w2");
    stranger.is_quiet().await;
}

async fn errors_are_worded_as_before(setup: Setup) {
    let scene = Scene::new(setup, &["fake-diff-rate-0"]).await;
    let mut socket = scene.opened().await;
    let table = [
        (
            json!({"action": "upload_file"}),
            "Missing filename or file_data.",
        ),
        (
            json!({"action": "upload_file", "filename": "a.txt"}),
            "Missing filename or file_data.",
        ),
        (
            json!({"action": "upload_file", "file_data": "YQ=="}),
            "Missing filename or file_data.",
        ),
        (
            json!({"action": "delete_file"}),
            "Missing file_id for delete_file.",
        ),
        (
            json!({"action": "delete_file", "file_id": "nothing"}),
            "No file found for file_id=nothing in this chat.",
        ),
        (
            json!({"action": "revert_version"}),
            "Missing version_id or filename for revert_version.",
        ),
        (
            json!({"action": "revert_version", "version_id": "v"}),
            "Missing version_id or filename for revert_version.",
        ),
        (
            json!({"action": "revert_version", "filename": "a.based"}),
            "Missing version_id or filename for revert_version.",
        ),
        (
            json!({"action": "revert_version", "version_id": "v", "filename": "a.based"}),
            "No .based file found for filename=a.based",
        ),
        (
            json!({"action": "new_message", "prompt": "x", "model": "unknown"}),
            "Model not found.",
        ),
        (json!({"action": "dance"}), "Unknown action: dance"),
        (json!({"action": ""}), "Unknown action: "),
    ];
    for (message, error) in table {
        socket.send(&message).await;
        assert_eq!(socket.json().await, json!({"error": error}), "{message}");
    }
    assert!(scene.stored().await.is_empty(), "none of it was stored");
}

async fn bad_frames_are_answered_and_the_socket_stays(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-1-rate-0"]).await;
    let mut socket = scene.opened().await;
    socket.binary(&[0, 159, 146, 150]).await;
    is_error(&socket.json().await);
    let wrong_types = [
        json!({"action": "upload_file", "filename": "a.txt", "file_data": "not base64!"}),
        json!({"action": "upload_file", "filename": 5, "file_data": "YQ=="}),
        json!({"action": "upload_file", "filename": "a.txt", "file_data": {"a": 1}}),
        json!({"action": "delete_file", "file_id": ["a"]}),
        json!({"action": "new_message", "prompt": 7, "model": "fake-words-1-rate-0"}),
        json!({"action": "new_message", "prompt": "x", "model": {}}),
        json!({"action": "new_message"}),
    ];
    for message in wrong_types {
        socket.send(&message).await;
        is_error(&socket.json().await);
    }
    socket.send_text("still here").await;
    assert_eq!(socket.text().await, "w1");
    assert_eq!(scene.stored().await.len(), 2, "only the last was stored");
}

async fn an_action_that_cannot_be_read_is_no_prompt(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-1-rate-0"]).await;
    let mut socket = scene.opened().await;
    let deep = "[".repeat(200);
    for frame in [
        r#"{"action": "upload_file", "filename": "a.txt", "file_data": "YWJj"#,
        r#"{"action": "upload_file", "filename": "a.txt", "file_data": "YWJj\x"}"#,
        r#" {"filename": "a.txt", "action": "upload_file", "file_data": "YW
            Jj"}"#,
        "\u{feff}{\"action\": \"upload_file\"}",
        r#"{"action": "delete_file", "file_id": "a"}}"#,
        r#"{"prompt": NaN, "action": "new_message"}"#,
        &format!("{{\"action\": \"new_message\", \"prompt\": {deep}}}"),
        r#"{"action": 5, "prompt": "x"}"#,
        r#"{"action": null, "prompt": "x"}"#,
        r#"{"action": {"action": "new_message"}, "prompt": "x"}"#,
    ] {
        socket.send_text(frame).await;
        is_error(&socket.json().await);
    }
    assert!(scene.stored().await.is_empty(), "none of it was stored");
    for prompt in [r#"{"no": {"action": 1}}"#, "{action}", "the \"action\" {"] {
        socket.send_text(prompt).await;
        assert_eq!(socket.text().await, "w1", "{prompt}");
    }
}

async fn a_second_message_waits_for_its_turn(setup: Setup) {
    let scene = Scene::new(setup, &["fake-words-20-rate-20"]).await;
    let mut socket = scene.opened().await;
    socket.send_text("first").await;
    socket.send_text("second").await;
    assert_eq!(
        socket.text().await,
        r#"{"error":"A reply is still being written."}"#
    );
    assert_eq!(socket.text().await, words(20));
    assert_eq!(
        scene.stored().await.len(),
        2,
        "what was refused is not stored"
    );
}

async fn pings_and_closes_are_answered(setup: Setup) {
    let scene = Scene::new(setup, &[]).await;
    let mut socket = scene.opened().await;
    socket.ping().await;
    socket.close().await;
    // A lost connection affects no other client.
    drop(scene.opened().await);
    let mut socket = scene.opened().await;
    socket.send_text("x").await;
    assert_eq!(socket.text().await, "Echo: x");
}

#[track_caller]
fn is_error(frame: &Value) {
    assert!(frame["error"].is_string(), "an error: {frame}");
}

impl Scene {
    /// A v1 socket whose first frame was read.
    pub(super) async fn opened(&self) -> Socket {
        let mut socket = self.server.v1(&self.chat).await;
        assert_eq!(socket.json().await["initial"], true);
        socket
    }
}
