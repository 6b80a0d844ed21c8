//! Backups of a server under load.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use futures::future::join_all;

use super::{CLIENTS, Scene, UPLOAD, backup, restore, succeeds};
use crate::support::{PATIENCE, Setup, fresh_state};

/// What the server has acknowledged.
#[derive(Default)]
struct Acknowledged(Mutex<BTreeSet<String>>);

impl Acknowledged {
    fn add(&self, id: String) {
        self.0.lock().expect("no writer panicked").insert(id);
    }

    fn so_far(&self) -> BTreeSet<String> {
        self.0.lock().expect("no writer panicked").clone()
    }
}

/// Makes a chat, sends a message, or uploads a file, again and again; every answer must be a good one.
async fn write(scene: Arc<Scene>, kind: usize, done: Arc<AtomicBool>, ids: Arc<Acknowledged>) {
    let Scene { server, user, .. } = &*scene;
    // Of its own, because a chat has one reply at a time.
    let chat = server.chat(user, "busy").await;
    for number in 0.. {
        if done.load(Relaxed) {
            return;
        }
        match kind {
            0 => ids.add(server.chat(user, &format!("chat {number}")).await),
            1 => {
                let body = serde_json::json!({ "prompt": "again?", "model_id": scene.model_id });
                let answer = server
                    .post(&format!("/chat/{chat}/messages"))
                    .header("accept", "application/json")
                    .json(body.to_string())
                    .send()
                    .await;
                // The reply before may still be running.
                if answer.status != 409 {
                    answer.has_status(202);
                    ids.add(answer.string("/message_id"));
                }
            }
            _ => {
                let content = vec![number as u8; UPLOAD];
                ids.add(server.file(user, &format!("{number}.bin"), content).await);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn backups_under_load_have_all_that_was_acknowledged_and_nothing_half() {
    let scene = Arc::new(Scene::new().await);
    let done = Arc::<AtomicBool>::default();
    let ids = Arc::<Acknowledged>::default();
    let writers: Vec<_> = (0..3 * CLIENTS)
        .map(|number| tokio::spawn(write(scene.clone(), number % 3, done.clone(), ids.clone())))
        .collect();
    let mut backups = Vec::new();
    for number in 0..3 {
        let deadline = Instant::now() + PATIENCE;
        while ids.so_far().len() < CLIENTS * (number + 1) {
            assert!(Instant::now() < deadline, "hardly anything is written");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let before = ids.so_far();
        let file = scene.folder.path().join(format!("{number}.tar"));
        let state = scene.server.state().to_owned();
        let making = file.clone();
        let made = tokio::task::spawn_blocking(move || backup(&making, &state, &[])).await;
        succeeds(&made.expect("the command's thread ends"));
        backups.push((file, before, ids.so_far().len()));
    }
    done.store(true, Relaxed);
    for writer in join_all(writers).await {
        writer.expect("every write is answered well");
    }
    // On a busy machine one of them may be quicker than any writer.
    let meanwhile = backups
        .iter()
        .any(|(_, before, after)| before.len() < *after);
    assert!(meanwhile, "nothing was written during any of them");
    for (file, before, _) in &backups {
        assert_is_whole(&scene, file, before).await;
    }
    let (_, first, _) = &backups[0];
    let (_, last, _) = &backups[2];
    assert!(first.len() >= CLIENTS && last.len() > first.len());
}

/// Restores a backup for a server of its own, and looks whether all of it is there and works.
async fn assert_is_whole(scene: &Scene, file: &Path, acknowledged: &BTreeSet<String>) {
    let state = fresh_state();
    succeeds(&restore(file, state.path(), &[]));
    let server = Setup::app().state(state).start().await;
    let database = server.database().await;
    assert_eq!(database.texts("PRAGMA integrity_check").await, ["ok"]);
    assert_eq!(
        database
            .texts(r#"SELECT "table" FROM pragma_foreign_key_check"#)
            .await,
        [""; 0]
    );
    let has: BTreeSet<_> = database
        .texts(
            "SELECT id FROM chat UNION SELECT id FROM chat_conversation UNION SELECT id FROM file",
        )
        .await
        .into_iter()
        .collect();
    let lost: Vec<_> = acknowledged.difference(&has).collect();
    assert!(lost.is_empty(), "of {}: {lost:?}", acknowledged.len());

    for id in database.texts("SELECT id FROM file").await {
        let content = server.get(&format!("/file/{id}/content")).send().await;
        content.has_status(200);
        assert_eq!(content.body.len(), UPLOAD);
        let first = content.body[0];
        assert!(content.body.iter().all(|byte| *byte == first), "{id}");
    }
    // Its key opens, which the fake model checks.
    let test = server
        .post(&format!("/models/{}/test", scene.model_id))
        .send()
        .await;
    test.is(200, r#"{"ok":true,"error":null}"#);
    assert!(scene.model.requests().await > 0);
    let chat = server.chat(&scene.user, "after").await;
    assert!(server.login(&scene.user.email).await.text().contains(&chat));
}
