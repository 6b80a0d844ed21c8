//! Clients that were away, and clients that lose what they are sent.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::{Scene, through_both};
use super::{SAY, texts};
use crate::support::{ChatClient, Setup};

through_both!(
    missed_changes_arrive_with_a_sync,
    clients_that_lose_frames_end_with_the_same_branch,
);

async fn missed_changes_arrive_with_a_sync(setup: Setup) {
    let scene = Scene::new(setup, &[SAY]).await;
    let mut sender = scene.grown().await;
    let ids = scene.ids().await;
    let mut socket = scene.open2().await;
    // Regardless of what the client had when it fell silent, and of what was lost.
    for (had, missed) in [
        (&ids[2], vec![&ids[4]]),
        (&ids[7], vec![&ids[4], &ids[2]]),
        (&ids[2], vec![&ids[7]]),
    ] {
        scene.select(&mut socket, had).await;
        let mut deaf = scene.server.chat_client(&scene.chat).await;
        let mut cut = scene.server.chat_client(&scene.chat).await;
        deaf.loses(|_| true);
        cut.leave();
        for id in &missed {
            scene.select(&mut socket, id).await;
        }
        missed_all(&mut deaf).await;
        cut.cut().await;
        let head = scene.head().await;
        for client in [&mut deaf, &mut cut] {
            client.sync().await;
            client
                .until("the branch", |client| {
                    client.head.as_ref() == Some(&head)
                        && client.last().id == head
                        && client.running.is_none()
                })
                .await;
            scene.agrees(client).await;
        }
        assert_eq!(deaf.reads, 1, "it did not receive its branch");
    }

    // An edit and a reply made again, in a branch that the client never saw.
    scene.select(&mut socket, &ids[7]).await;
    let mut deaf = scene.server.chat_client(&scene.chat).await;
    deaf.loses(|_| true);
    for (action, id) in [("edit_message", &ids[2]), ("regenerate", &ids[3])] {
        socket
            .send(&json!({"action": action, "message_id": id, "prompt": "2", "model": SAY}))
            .await;
        socket.action("generation_ended").await;
    }
    missed_all(&mut deaf).await;
    let head = scene.head().await;
    for client in [&mut deaf, &mut sender] {
        client.sync().await;
        client
            .until("the reply", |client| {
                client.head.as_ref() == Some(&head)
                    && client.last().id == head
                    && client.running.is_none()
            })
            .await;
        assert_eq!(texts(client), ["one", "one", "two", "two"]);
        scene.agrees(client).await;
    }
}

async fn clients_that_lose_frames_end_with_the_same_branch(setup: Setup) {
    const MODEL: &str = "fake-words-6-rate-50";
    let scene = Scene::new(setup, &[MODEL]).await;
    let mut tasks = Vec::new();
    let (done, _) = tokio::sync::watch::channel(false);
    for number in 0..8u32 {
        let mut client = scene.server.chat_client(&scene.chat).await;
        let mut done = done.subscribe();
        tasks.push(tokio::spawn(async move {
            let mut count = number;
            client.loses(move |_| {
                // Looks random, is the same in every run, and is another in each client.
                count = count.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                count >> 30 == 0
            });
            let mut steps = 0;
            loop {
                tokio::select! {
                    _ = done.wait_for(|done| *done) => break,
                    _ = tokio::time::sleep(Duration::from_millis(20)) => {}
                }
                client.step().await;
                steps += 1;
                if steps % 40 == number {
                    client.cut().await;
                }
            }
            client.loses_nothing();
            client
        }));
    }
    let mut socket = scene.open2().await;
    let ask = |fields: Value| {
        let mut fields = fields;
        fields["model"] = MODEL.into();
        fields
    };
    for turn in 0..30usize {
        let ids = scene.ids().await;
        let texts = scene.texts().await;
        let any = |from: &[String]| from[(turn * 7 + 3) % from.len()].clone();
        match turn % 5 {
            0 | 1 => {
                let prompt = format!("prompt {turn}");
                let new = ask(json!({"action": "new_message", "prompt": prompt}));
                socket.send(&new).await;
            }
            2 => {
                let prompt = format!("edit {turn}");
                let edit =
                    json!({"action": "edit_message", "message_id": any(&texts), "prompt": prompt});
                socket.send(&ask(edit)).await;
            }
            3 => {
                let again = json!({"action": "regenerate", "message_id": any(&ids)});
                socket.send(&ask(again)).await;
            }
            _ => {
                scene.select(&mut socket, &any(&ids)).await;
                continue;
            }
        }
        socket.action("generation_ended").await;
    }
    done.send_replace(true);
    let head = scene.head().await;
    for task in tasks {
        let mut client = task.await.expect("no client fails");
        client.sync().await;
        client
            .until("the branch", |client| {
                client.head.as_ref() == Some(&head)
                    && client.last().id == head
                    && client.running.is_none()
            })
            .await;
        client.scroll_up().await;
        scene.agrees(&client).await;
    }
}

/// Loses all frames until there are no more, and receives again from then on.
async fn missed_all(client: &mut ChatClient) {
    let quiet = Duration::from_millis(500);
    while tokio::time::timeout(quiet, client.step()).await.is_ok() {}
    client.loses_nothing();
}
