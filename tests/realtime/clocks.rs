//! Clocks are set: back, forwards, and by different people on different machines. The times in rows are
//! changed here instead.

use serde_json::json;

use super::{Scene, settles, words};
use crate::support::Setup;

const LONG: &str = "fake-words-300-rate-20";
const SHORT: &str = "fake-words-2-rate-0";

const HOURS: i64 = 60 * 60 * 1000;

fn moved_by(millis: i64) -> String {
    format!("UPDATE generation SET heartbeat = heartbeat + {millis} WHERE status = 'running'")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_before_the_clock_went_back_leaves_no_chat_busy() {
    let mut scene = Scene::new(Setup::app(), &[LONG, SHORT]).await;
    let mut chats = vec![scene.chat.clone()];
    for name in ["stopped", "followed", "opened"] {
        chats.push(scene.server.chat(&scene.user, name).await);
    }
    for chat in &chats {
        let mut client = scene.server.chat_client(chat).await;
        client.ask(LONG, "hello").await;
        client.until("some text", |client| client.deltas > 1).await;
        client.leave();
    }
    scene.server = scene.server.killed_and_started_again().await;
    // Whether by hours or by a little more than clocks differ.
    scene.server.change(&moved_by(2 * HOURS)).await;
    let details = scene.server.get(&format!("/chat/{}", chats[0])).send();
    assert_eq!(details.await.json()["generation"], json!(null));
    let answer = scene.ask(&json!({"prompt": "again", "model": SHORT})).await;
    answer.has_status(202);
    settles(&scene.server, &scene.chat).await;
    let stored = scene.stored().await;
    assert!(
        stored[1].starts_with("assistant text interrupted w1"),
        "{}",
        stored[1]
    );
    assert_eq!(stored[3], "assistant text complete w1 w2");

    let stop = scene.server.post(&format!("/chat/{}/stop", chats[1]));
    stop.send().await.is(200, r#"{"generation_id":null}"#);
    let page = scene.server.get(&format!("/chat/{}/messages", chats[2]));
    let page = page.send().await.json();
    assert_eq!(page["messages"][1]["status"], "interrupted", "{page}");
    let mut socket = scene.server.v2(&chats[3]).await;
    let first = socket.json().await;
    assert_eq!(first["generation"], json!(null), "{first}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_reply_goes_on_when_the_clock_is_set() {
    let scene = Scene::new(Setup::app(), &[LONG]).await;
    let mut socket = scene.open2().await;
    scene.sends_prompt(&mut socket, LONG).await;
    socket.action("delta").await;
    for millis in [2 * HOURS, -2 * HOURS, 72 * HOURS, -72 * HOURS] {
        // The next reader sees it, since the next piece comes later than the answer to some of these.
        for _ in 0..3 {
            scene.server.change(&moved_by(millis)).await;
            let page = scene.server.get(&format!("/chat/{}/messages", scene.chat));
            let page = page.send().await.json();
            assert_ne!(page["messages"][1]["status"], "interrupted", "{page}");
        }
        // 409 while it is written.
        scene.server.change(&moved_by(millis)).await;
        scene.ask(&json!({"prompt": "again", "model": LONG})).await;
    }
    let ended = socket.action("generation_ended").await;
    assert_eq!(ended["status"], "complete", "{ended}");
    assert_eq!(ended["message"]["content"], words(300).as_str());
}
