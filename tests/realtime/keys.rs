//! Keys never come back (docs/promises.md#4-keys-never-come-back), and a sealed key is bound to its row.

use std::time::Duration;

use serde_json::Value;

use super::{Scene, save_model};
use crate::support::{Database, FakeModel, Response, Setup, login};

/// A key that is found wherever it should not be.
const MARKER: &str = "sk-marker-7d41c0ffee";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_in_no_answer_no_log_and_no_file() {
    let setup = Setup::app().environment("RUST_LOG", "debug,kafka=trace");
    let mut scene = Scene::new(setup, &[]).await;
    scene.model = FakeModel::start_with(&["--key", MARKER]);
    let base_url = scene.model.base_url();
    let mut answers: Vec<Response> = Vec::new();
    let mut frames: Vec<String> = Vec::new();
    let mut ids = Vec::new();
    for name in ["fake-words-2-rate-0", "fake-echo-key", "fake-500"] {
        let saved = save_model(&scene.server, &scene.user, name, &base_url, MARKER).await;
        saved.has_status(200);
        ids.push(saved.string("/id"));
        answers.push(saved);
    }
    for form in [
        &[
            ("user_id", scene.user.id.as_str()),
            ("name", ""),
            ("ak", MARKER),
        ][..],
        &[
            ("user_id", "unknown"),
            ("name", "x"),
            ("ak", MARKER),
            ("base_url", &base_url),
        ],
        &[
            ("user_id", &scene.user.id),
            ("name", "x"),
            ("ak", MARKER),
            ("base_url", "ftp://example.com"),
        ],
    ] {
        let refused = scene.server.post("/models/new").form(form).send().await;
        assert!(refused.status >= 400, "{}", refused.text());
        answers.push(refused);
    }
    answers.push(scene.server.login(&scene.user.email).await);
    let list = format!("/models?user_id={}", scene.user.id);
    let list = scene.server.get(&list).send().await;
    list.has_status(200);
    answers.push(list);
    for id in &ids {
        answers.push(
            scene
                .server
                .post(&format!("/models/{id}/test"))
                .send()
                .await,
        );
        let form = [("name", "renamed"), ("base_url", "ftp://x"), ("ak", MARKER)];
        answers.push(
            scene
                .server
                .patch(&format!("/models/{id}"))
                .form(&form)
                .send()
                .await,
        );
    }
    let mut new = scene.server.v2(&scene.chat).await;
    let mut old = scene.server.v1(&scene.chat).await;
    frames.push(new.text().await);
    frames.push(old.text().await);
    for name in ["fake-words-2-rate-0", "fake-echo-key", "fake-500"] {
        scene.sends_prompt(&mut new, name).await;
        // Deltas, messages, errors: all events of the reply.
        while !frames.last().is_some_and(|frame| is_the_end(frame)) {
            frames.push(new.text().await);
        }
        frames.push(old.text().await);
    }
    for socket in [&mut new, &mut old] {
        while let Some(received) = socket.next_within(Duration::from_millis(500)).await {
            frames.push(format!("{received:?}"));
        }
    }
    let seen = scene.model.seen().await;
    assert!(
        seen["requests"].as_u64() >= Some(6),
        "the key was used: {seen}"
    );
    for id in &ids[1..] {
        answers.push(
            scene
                .server
                .delete(&format!("/models/delete/{id}"))
                .send()
                .await,
        );
    }
    for answer in &answers {
        assert!(
            !answer.text().contains(MARKER),
            "{} answered {}",
            answer.what,
            answer.text()
        );
    }
    assert!(
        frames.iter().all(|frame| !frame.contains(MARKER)),
        "{frames:?}"
    );
    let log = scene.server.log_so_far().await;
    assert!(log.contains(" kafka::sql: "), "it is complete");
    let line = log.lines().find(|line| line.contains(MARKER));
    assert_eq!(line, None);
    let stored = scene.server.stored_bytes();
    assert!(!stored.is_empty());
    let found = stored
        .windows(MARKER.len())
        .any(|bytes| bytes == MARKER.as_bytes());
    assert!(!found, "the key is in a file");
}

/// Whether a frame is the last of a reply.
fn is_the_end(frame: &str) -> bool {
    let frame: Value = serde_json::from_str(frame).unwrap_or_default();
    frame["action"] == "generation_ended"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sealed_key_works_in_its_own_row_only() {
    let scene = Scene::new(Setup::app(), &["fake-words-2-rate-0"]).await;
    let other = login(&scene.server, "k@example.com").await;
    let decoy = FakeModel::start_with(&["--key", super::KEY]);
    save_model(
        &scene.server,
        &other,
        "fake-words-2-rate-0",
        &decoy.base_url(),
        "sk-other",
    )
    .await
    .has_status(200);
    save_model(
        &scene.server,
        &scene.user,
        "fake-words-3-rate-0",
        &scene.model.base_url(),
        super::KEY,
    )
    .await
    .has_status(200);
    let Scene {
        server,
        model,
        user,
        chat,
    } = scene;
    let table = [
        // Another owner's row, another row of the same owner, another base URL.
        "UPDATE model SET ak = (SELECT ak FROM model WHERE name = 'fake-words-3-rate-0')"
            .to_owned(),
        format!("UPDATE model SET base_url = '{}'", decoy.base_url()),
        "UPDATE model SET ak = 'sk-plain'".to_owned(),
        "UPDATE model SET ak = ''".to_owned(),
    ];
    let mut state = server.kill();
    let asked = model.requests().await;
    let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
    Database::change(state.path(), checkpoint).await;
    for sql in table {
        let backup = std::fs::read(state.path().join("default.db")).expect("a database");
        Database::change(state.path(), &format!("{sql}; {checkpoint}")).await;
        let server = Setup::app().state(state).start().await;
        let mut socket = server.v1(&chat).await;
        socket.json().await;
        // The first row of this owner, whose sealed key is not its own now.
        socket
            .send(&serde_json::json!({"action": "new_message", "prompt": "x", "model": "fake-words-2-rate-0"}))
            .await;
        let answer = socket.json().await;
        assert!(answer["error"].is_string(), "{sql}: {answer}");
        assert_eq!(model.requests().await, asked, "{sql}: nothing was sent");
        assert_eq!(decoy.requests().await, 0, "{sql}: nothing was sent");
        drop(socket);
        state = server.kill();
        for file in ["default.db-wal", "default.db-shm"] {
            std::fs::remove_file(state.path().join(file)).ok();
        }
        std::fs::write(state.path().join("default.db"), backup).expect("the database is put back");
    }
    drop(user);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_base_url_changes_only_with_its_key() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let id = scene.has_model("fake-words-2-rate-0").await;
    let path = format!("/models/{id}");
    let before = scene.server.database().await.dump().await;
    for form in [
        &[("base_url", "http://127.0.0.1:9/v1")][..],
        &[("base_url", "http://127.0.0.1:9/v1"), ("name", "x")],
        &[("base_url", "http://127.0.0.1:9/v1"), ("ak", "")],
    ] {
        scene
            .server
            .patch(&path)
            .form(form)
            .send()
            .await
            .has_status(422);
        assert_eq!(
            scene.server.database().await.dump().await,
            before,
            "{form:?}"
        );
    }
    scene
        .server
        .patch(&path)
        .form(&[("name", "fake-words-3-rate-0")])
        .send()
        .await
        .has_status(200);
    let mut socket = scene.opened().await;
    scene.sends_prompt(&mut socket, "fake-words-3-rate-0").await;
    assert_eq!(socket.text().await, "w1 w2 w3", "a new name keeps the key");
    let second = FakeModel::start_with(&["--key", "sk-second"]);
    let form = [
        ("base_url", second.base_url()),
        ("ak", "sk-second".to_owned()),
    ];
    let form = form.each_ref().map(|(name, value)| (*name, value.as_str()));
    scene
        .server
        .patch(&path)
        .form(&form)
        .send()
        .await
        .has_status(200);
    scene.sends_prompt(&mut socket, "fake-words-3-rate-0").await;
    assert_eq!(socket.text().await, "w1 w2 w3");
    assert_eq!(second.requests().await, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_persons_model_is_not_found() {
    let scene = Scene::new(Setup::app(), &[]).await;
    let other = login(&scene.server, "k@example.com").await;
    let saved = save_model(
        &scene.server,
        &other,
        "fake-words-2-rate-0",
        &scene.model.base_url(),
        super::KEY,
    )
    .await;
    let mut socket = scene.open2().await;
    for field in [
        ("model", "fake-words-2-rate-0".to_owned()),
        ("model_id", saved.string("/id")),
    ] {
        let mut message = serde_json::json!({"action": "new_message", "prompt": "x"});
        message[field.0] = field.1.into();
        socket.send(&message).await;
        assert_eq!(socket.json().await["code"], "not_found");
    }
    assert_eq!(scene.model.requests().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_key_is_opened_after_a_restart_and_after_rotation() {
    let scene = Scene::new(Setup::app(), &["fake-words-2-rate-0"]).await;
    let scene = Scene {
        server: scene.server.killed_and_started_again().await,
        ..scene
    };
    let mut socket = scene.opened().await;
    scene.sends_prompt(&mut socket, "fake-words-2-rate-0").await;
    assert_eq!(socket.text().await, "w1 w2");
    drop(socket);

    // Zeros, and 0x55 over and over.
    let (first, second) = ("A".repeat(43) + "=", "V".repeat(42) + "U=");
    for variables in [
        &[("secret_key", first.as_str())][..],
        &[
            ("secret_key", second.as_str()),
            ("secret_key_old", first.as_str()),
        ],
    ] {
        let setup = variables.iter().fold(Setup::app(), |setup, (name, value)| {
            setup.variable(name, value)
        });
        let rotated = Scene::new(setup, &["fake-words-2-rate-0"]).await;
        let mut socket = rotated.opened().await;
        rotated
            .sends_prompt(&mut socket, "fake-words-2-rate-0")
            .await;
        assert_eq!(socket.text().await, "w1 w2");
    }
    let sealed = Scene::new(
        Setup::app().variable("secret_key", &first),
        &["fake-words-2-rate-0"],
    )
    .await;
    let setup = Setup::app()
        .variable("secret_key", &second)
        .variable("secret_key_old", &first)
        .state(sealed.server.kill());
    let scene = Scene {
        server: setup.start().await,
        ..sealed
    };
    let mut socket = scene.opened().await;
    scene.sends_prompt(&mut socket, "fake-words-2-rate-0").await;
    assert_eq!(
        socket.text().await,
        "w1 w2",
        "what the old key sealed is opened"
    );
}
