//! The history of a file is exact (docs/promises.md#20-exact-history).

use serde_json::json;

use super::Scene;
use super::files::compose;
use crate::support::Setup;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_version_can_be_restored_byte_for_byte() {
    let scene = Scene::new(Setup::app(), &["fake-say-rate-0"]).await;
    let mut socket = scene.opened().await;
    let texts = [
        "one\n",
        "one\r\ntwo",
        "größer\n\n\n",
        "\t<b>&amp;\n",
        "no line end\nat the end",
        "one\n",
    ];
    for text in texts {
        let prompt = format!("say:\n````based file=a.based\n{text}\n````\n");
        socket.send(&compose("fake-say-rate-0", &prompt)).await;
        let answer = socket.json().await;
        assert_eq!(answer["action"], "agent_response", "{answer}");
    }
    let database = scene.server.database().await;
    let ids = database
        .texts("SELECT id FROM chat_file_version ORDER BY rowid")
        .await;
    let saved = database
        .texts("SELECT content FROM chat_file_version ORDER BY rowid")
        .await;
    assert_eq!(ids.len(), 6, "{saved:?}");
    for (id, text) in ids.iter().zip(&saved) {
        socket
            .send(&json!({"action": "revert_version", "version_id": id, "filename": "a.based"}))
            .await;
        let answer = socket.json().await;
        assert_eq!(
            answer["message"]["content"]["based_content"], *text,
            "{answer}"
        );
        let mut again = scene.server.v1(&scene.chat).await;
        assert_eq!(
            again.json().await["chat_files_based"][0]["latest_content"],
            *text
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_saves_at_once_are_twenty_versions() {
    let scene = Scene::new(Setup::app(), &["fake-compose-rate-0"]).await;
    let mut socket = scene.opened().await;
    for number in 0..=20 {
        let prompt = format!("{number} of a.based");
        socket.send(&compose("fake-compose-rate-0", &prompt)).await;
        socket.json().await;
    }
    // A chat has one reply at a time, so the concurrent saves are reverts of several clients, each to a text of its
    // own.
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(scene.opened().await);
    }
    let database = scene.server.database().await;
    let ids = database
        .texts("SELECT id FROM chat_file_version ORDER BY rowid")
        .await;
    assert_eq!(ids.len(), 21);
    let before = database
        .texts("SELECT content FROM chat_file_version ORDER BY rowid")
        .await;
    let savers: Vec<_> = clients
        .into_iter()
        .zip(ids)
        .map(|(mut client, id)| {
            tokio::spawn(async move {
                client
                    .send(&json!({"action": "revert_version", "version_id": id, "filename": "a.based"}))
                    .await;
                let answer = client.json().await;
                assert_eq!(answer["action"], "revert_complete", "{answer}");
            })
        })
        .collect();
    for saver in savers {
        saver.await.expect("every save is answered");
    }
    let mut after = database
        .texts("SELECT content FROM chat_file_version ORDER BY rowid")
        .await;
    let mut new = after.split_off(21);
    assert_eq!(after, before, "what was there stays");
    let mut saved = before[..20].to_vec();
    new.sort();
    saved.sort();
    assert_eq!(new, saved, "every save made a version, none was lost");
}
