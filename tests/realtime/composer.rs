//! Composer mode: the model writes files.

use serde_json::{Value, json};

use super::files::compose;
use super::{Scene, through_both};
use crate::support::Setup;

through_both!(
    a_new_file_through_v1,
    a_changed_file_through_v1,
    a_composed_reply_is_one_message_in_v1,
    the_same_steps_through_v2,
    a_diff_that_does_not_apply_is_asked_for_again_as_a_whole_file,
    a_longer_fence_holds_fences,
    equal_text_makes_no_version,
    files_reach_the_model,
    an_uploaded_text_is_edited_and_its_original_kept,
    half_a_file_changes_none,
    a_name_means_one_file_however_it_is_written,
    a_diff_keeps_line_ends_and_mark,
    files_that_are_no_text_are_not_overwritten,
    a_hostile_reply_does_no_harm,
);

const FILE: &str = "# make agent.based\nline one\nline two\nline three\n";

async fn a_new_file_through_v1(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-rate-0"]).await;
    let mut socket = scene.opened().await;
    socket
        .send(&compose("fake-compose-rate-0", "make agent.based"))
        .await;
    let answer = socket.json().await;
    let content = json!({"based_filename": "agent.based", "based_content": FILE});
    assert_eq!(answer["action"], "agent_response");
    assert_eq!(answer["type"], "file");
    assert_eq!(answer["content"], content);
    assert_eq!(
        answer["message"],
        json!({"role": "assistant", "type": "file", "content": content})
    );
    assert_eq!(answer["block"]["role"], "assistant");
    assert_eq!(answer["block"]["type"], "file");
    let block: Value = serde_json::from_str(answer["block"]["content"].as_str().expect("text"))
        .expect("JSON as text");
    assert_eq!(block, content);
    let id = answer["id"].as_str().expect("the chat file's id");
    let files = scene
        .server
        .database()
        .await
        .texts("SELECT id FROM chat_file")
        .await;
    assert_eq!(files, [id]);
    // What was made in a chat is downloaded as what was uploaded.
    let mut again = scene.server.v1(&scene.chat).await;
    let url = again.json().await["chat_files"][0]["url"].clone();
    let url = url.as_str().expect("an address");
    let whole = scene.server.get(url).send().await;
    whole.has_status(200);
    assert_eq!(whole.text(), FILE);
    let part = scene.server.get(url).header("range", "bytes=2-5");
    let part = part.send().await;
    part.has_status(206);
    assert_eq!(part.text(), &FILE[2..6]);
    let system = scene.model.last().await["body"]["messages"][0].clone();
    assert_eq!(system["role"], "system");
    assert!(system["content"].to_string().contains("file="), "{system}");
}

async fn a_changed_file_through_v1(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-rate-0", "fake-diff-rate-0"]).await;
    let mut socket = scene.opened().await;
    socket
        .send(&compose("fake-compose-rate-0", "make agent.based"))
        .await;
    socket.json().await;
    socket
        .send(&change("fake-diff-rate-0", "change agent.based"))
        .await;
    let answer = socket.json().await;
    let changed = FILE.replace("line two\n", "line two, changed\n");
    assert_eq!(answer["action"], "agent_response", "{answer}");
    assert_eq!(answer["message"]["role"], "assistant");
    assert_eq!(answer["message"]["type"], "file");
    let content = json!({"based_filename": "agent.based", "based_content": changed});
    assert_eq!(answer["message"]["content"], content);
    assert_eq!(
        answer["diff"],
        "@@ -3 +3 @@\n-line two\n+line two, changed\n"
    );
    assert_eq!(answer["message"]["diff"], answer["diff"]);
    assert_eq!(scene.versions().await, [FILE, &changed]);
}

async fn a_composed_reply_is_one_message_in_v1(setup: Setup) {
    let models = ["fake-compose-rate-0", "fake-words-2-rate-0"];
    let scene = Scene::new(setup, &models).await;
    let form = scene.user.upload_to(&scene.chat, "true");
    let form = form.file("files", "notes.md", "some notes");
    let form = form.file("files", "b.bin", [0xff, 0xfe, 0x00, 0x01]);
    let uploaded = scene.server.upload(form).await;
    let mut socket = scene.opened().await;
    socket
        .send(&compose("fake-compose-rate-0", "make agent.based"))
        .await;
    assert_eq!(socket.json().await["action"], "agent_response");
    socket.send_text("and now?").await;
    assert_eq!(socket.text().await, "w1 w2");

    let first = scene.server.v1(&scene.chat).await.json().await;
    let conversation = first["conversation"].as_array().expect("a list");
    let kinds = conversation
        .iter()
        .map(|message| (&message["role"], &message["type"]));
    let kinds: Vec<String> = kinds
        .map(|(role, kind)| format!("{role} {kind}").replace('"', ""))
        .collect();
    let wanted = ["user text", "assistant file", "user text", "assistant text"];
    assert_eq!(kinds, wanted, "{conversation:?}");
    let file = conversation[1]["content"].as_str().expect("JSON as text");
    assert!(file.contains("agent.based"), "{file}");
    // What was written in the chat is in a list of its own, and what has no text is in none.
    let notes = json!({
        "file_id": uploaded.string("/files/0"), "name": "notes.md", "content": "some notes", "type": "markdown",
    });
    assert_eq!(first["chat_files_text"], json!([notes]));

    let raw = scene.stored().await.remove(1);
    assert!(raw.starts_with("assistant text complete "), "{raw}");
    let text = raw.replacen("assistant text complete ", "", 1);
    let first = scene.server.v2(&scene.chat).await.json().await;
    assert_eq!(first["conversation"][1]["content"], text);
    assert!(first.get("chat_files_text").is_none(), "{first}");
}

async fn the_same_steps_through_v2(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-two-rate-0", "fake-diff-rate-0"]).await;
    let mut socket = scene.open2().await;
    socket
        .send(&compose("fake-compose-two-rate-0", "make agent.based"))
        .await;
    let mut names = Vec::new();
    while names.len() < 2 {
        let made = socket.action("file_version").await;
        for key in ["file_id", "version_id", "timestamp", "rev"] {
            assert!(!made[key].is_null(), "{key} in {made}");
        }
        assert_eq!(made["content"], FILE);
        names.push(made["name"].as_str().expect("a name").to_owned());
    }
    names.sort();
    assert_eq!(names, ["agent.based", "second.based"]);
    scene.settles().await;
    let mut socket = scene.open2().await;
    socket
        .send(&change("fake-diff-rate-0", "change agent.based"))
        .await;
    let made = socket.action("file_version").await;
    assert_eq!(made["name"], "agent.based");
    assert_eq!(
        made["content"],
        FILE.replace("line two\n", "line two, changed\n")
    );
    assert_eq!(made["diff"], "@@ -3 +3 @@\n-line two\n+line two, changed\n");
}

async fn a_diff_that_does_not_apply_is_asked_for_again_as_a_whole_file(setup: Setup) {
    let models = [
        "fake-compose-rate-0",
        "fake-bad-diff-rate-0",
        "fake-worse-diff-rate-0",
    ];
    let scene = Scene::new(setup, &models).await;
    let mut socket = scene.opened().await;
    socket
        .send(&compose("fake-compose-rate-0", "make agent.based"))
        .await;
    socket.json().await;
    socket
        .send(&change("fake-bad-diff-rate-0", "change agent.based"))
        .await;
    let answer = socket.json().await;
    assert_eq!(answer["action"], "agent_response", "{answer}");
    let whole = "# whole\nline one\nline two\nline three\n";
    assert_eq!(
        answer["message"]["content"]["based_content"], whole,
        "{answer}"
    );
    assert_eq!(
        scene.model.requests().await,
        3,
        "one for the file, two for the change"
    );

    socket
        .send(&change("fake-worse-diff-rate-0", "change agent.based"))
        .await;
    let answer = socket.json().await;
    let error = answer["error"].as_str().expect("an error");
    assert!(error.starts_with("Applying diff failed: "), "{error}");
    assert_eq!(
        scene.model.requests().await,
        5,
        "asked again once, not more"
    );
    assert_eq!(scene.versions().await, [FILE, whole]);

    // Without a selected file there is nothing to apply a diff to.
    let elsewhere = scene.server.chat(&scene.user, "empty").await;
    let mut socket = scene.server.v1(&elsewhere).await;
    socket.json().await;
    socket
        .send(&compose("fake-worse-diff-rate-0", "change agent.based"))
        .await;
    assert_eq!(
        socket.json().await,
        json!({"error": "No selected .based file to apply diff."})
    );
}

async fn a_longer_fence_holds_fences(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-fences-rate-0"]).await;
    let mut socket = scene.opened().await;
    socket
        .send(&compose("fake-compose-fences-rate-0", "make a.md"))
        .await;
    let answer = socket.json().await;
    assert_eq!(answer["content"]["based_filename"], "a.md", "{answer}");
    assert_eq!(
        answer["content"]["based_content"],
        "# make a.md\n```sh\ncargo run\n```\nend\n"
    );
}

async fn equal_text_makes_no_version(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-rate-0"]).await;
    let mut socket = scene.opened().await;
    for _ in 0..3 {
        socket
            .send(&compose("fake-compose-rate-0", "make agent.based"))
            .await;
        assert_eq!(socket.json().await["action"], "agent_response");
    }
    assert_eq!(scene.versions().await, [FILE]);
    assert_eq!(scene.server.database().await.count("chat_file").await, 1);
}

async fn an_uploaded_text_is_edited_and_its_original_kept(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-rate-0"]).await;
    let form = scene.user.upload_to(&scene.chat, "true");
    let uploaded = scene
        .server
        .upload(form.file("files", "a.md", "as uploaded\n"));
    let id = uploaded.await.string("/files/0");
    let mut socket = scene.opened().await;
    socket
        .send(&compose("fake-compose-rate-0", "make a.md"))
        .await;
    assert_eq!(socket.json().await["action"], "agent_response");
    let text = "# make a.md\nline one\nline two\nline three\n";
    assert_eq!(scene.versions().await, ["as uploaded\n", text]);
    let url = format!("/file/{id}/content");
    let newest = scene.server.get(&url).send().await;
    assert_eq!(newest.text(), text, "a download has the text of the events");
}

/// A model that goes on in another way, or was ended, has not written its last file to the end.
async fn half_a_file_changes_none(setup: Setup) {
    let models = ["fake-say-finish-tool-rate-0", "fake-say-length-rate-0"];
    let scene = Scene::new(setup, &models).await;
    let form = scene.user.upload_to(&scene.chat, "true");
    let uploaded = scene
        .server
        .upload(form.file("files", "a.md", "as uploaded\n"));
    uploaded.await.has_status(200);
    let mut socket = scene.opened().await;
    for model in models {
        let prompt = "Write a.md.\nsay:\n```based file=a.md\nhalf of it\n";
        socket.send(&compose(model, prompt)).await;
        let answer = socket.text().await;
        assert!(answer.ends_with("half of it\n"), "{model}: {answer}");
    }
    assert_eq!(scene.versions().await, [""; 0]);
}

async fn a_name_means_one_file_however_it_is_written(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-rate-0"]).await;
    // Letters taken apart, as macOS does it, and put together, as models write them.
    let apart = "Re\u{301}sume\u{301}.md";
    for (uploaded, written) in [
        (apart, "R\u{e9}sum\u{e9}.md"),
        ("R\u{e9}sum\u{e9}2.md", "Re\u{301}sume\u{301}2.md"),
        ("plan.md", "./plan.md"),
    ] {
        let form = scene.user.upload_to(&scene.chat, "true");
        let form = form.file("files", uploaded, "as uploaded\n");
        scene.server.upload(form).await.has_status(200);
        let mut socket = scene.opened().await;
        let prompt = format!("make {written}");
        socket.send(&compose("fake-compose-rate-0", &prompt)).await;
        let answer = socket.json().await;
        assert_eq!(answer["action"], "agent_response", "{answer}");
    }
    assert_eq!(scene.server.database().await.count("chat_file").await, 3);
    assert_eq!(
        scene.versions().await.len(),
        6,
        "each one's original and text"
    );
    // A new one is stored as it is compared.
    let mut socket = scene.opened().await;
    socket
        .send(&compose("fake-compose-rate-0", "make ./new.md"))
        .await;
    let answer = socket.json().await;
    assert_eq!(answer["content"]["based_filename"], "new.md");
}

async fn a_diff_keeps_line_ends_and_mark(setup: Setup) {
    let scene = Scene::new(setup, &["fake-diff-rate-0"]).await;
    let text = format!("\u{feff}{}", FILE.replace('\n', "\r\n"));
    let form = scene.user.upload_to(&scene.chat, "true");
    let form = form.file("files", "agent.based", &text);
    scene.server.upload(form).await.has_status(200);
    let mut socket = scene.opened().await;
    socket
        .send(&change("fake-diff-rate-0", "change agent.based"))
        .await;
    let answer = socket.json().await;
    assert_eq!(answer["action"], "agent_response", "{answer}");
    let changed = text.replace("line two\r\n", "line two, changed\r\n");
    assert_eq!(scene.versions().await, [text, changed]);
}

async fn files_that_are_no_text_are_not_overwritten(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-rate-0"]).await;
    let binary = *b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR";
    let form = scene.user.upload_to(&scene.chat, "true");
    let uploaded = scene.server.upload(form.file("files", "a.bin", binary));
    let id = uploaded.await.string("/files/0");
    let mut socket = scene.opened().await;
    socket
        .send(&compose("fake-compose-rate-0", "make a.bin"))
        .await;
    let answer = socket.json().await;
    let error = "The file of that name is too long to be edited here, no text, or not read yet.";
    assert_eq!(answer, json!({"error": error}));
    assert_eq!(scene.versions().await, [""; 0]);
    let content = scene.server.get(&format!("/file/{id}/content"));
    assert_eq!(content.send().await.body, binary.as_slice());
}

async fn a_hostile_reply_does_no_harm(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-rate-0", "fake-say-rate-0"]).await;
    let mut socket = scene.opened().await;
    socket
        .send(&compose("fake-compose-rate-0", "make agent.based"))
        .await;
    socket.json().await;
    let many: String = (0..30)
        .map(|number| format!("```text file={number}.based\nx\n```\n"))
        .collect();
    let far = "```diff file=agent.based\n@@ -4294967295,2 +4294967295,2 @@\n-a\n-b\n+c\n+d\n```\n";
    for (reply, error) in [
        (many.as_str(), "more than 20 files"),
        (far, "Applying diff failed"),
    ] {
        let prompt = format!("say:\n{reply}");
        socket.send(&change("fake-say-rate-0", &prompt)).await;
        let answer = socket.json().await;
        let reason = answer["error"].as_str().unwrap_or_default();
        assert!(reason.contains(error), "{answer}");
    }
    assert_eq!(scene.versions().await, [FILE]);
}

async fn files_reach_the_model(setup: Setup) {
    let scene = Scene::new(setup, &["fake-compose-rate-0", "fake-rate-0"]).await;
    let mut socket = scene.opened().await;
    let form = scene
        .user
        .upload_to(&scene.chat, "true")
        .file("files", "d.csv", "accused,guilty\n");
    scene.server.upload(form).await.has_status(200);
    socket
        .send(&compose("fake-compose-rate-0", "make agent.based"))
        .await;
    socket.json().await;
    socket
        .send(&json!({"action": "new_message", "prompt": "and now?", "model": "fake-rate-0"}))
        .await;
    socket.text().await;
    let body = scene.model.last().await["body"].to_string();
    assert!(
        body.contains("accused,guilty"),
        "the text of an upload: {body}"
    );
    assert!(
        body.contains("line two"),
        "the text of a file made here: {body}"
    );
    assert!(
        body.contains("make agent.based"),
        "the earlier messages: {body}"
    );
}

/// A request to change agent.based.
fn change(model: &str, prompt: &str) -> Value {
    json!({"action": "new_message", "prompt": prompt, "model": model, "is_first_prompt": false,
        "is_chat_or_composer": true, "selected_filename": "agent.based"})
}

impl Scene {
    /// The texts of all versions, oldest first.
    async fn versions(&self) -> Vec<String> {
        self.server
            .database()
            .await
            .texts("SELECT content FROM chat_file_version ORDER BY rowid")
            .await
    }
}
