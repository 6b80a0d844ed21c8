//! The same streams without WebSockets: server-sent events and JSON.

use serde_json::json;

use super::{Scene, words};
use crate::support::{Events, Setup};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_answered_by_a_stream_of_events() {
    let scene = Scene::new(no_gateway(), &["fake-words-60-rate-20"]).await;
    let mut events = scene.stream("fake-words-60-rate-20").await;
    assert_eq!(events.status, 200);
    assert!(
        events.media_type.starts_with("text/event-stream"),
        "{}",
        events.media_type
    );
    let mut text = String::new();
    let mut seq = 0;
    let ended = loop {
        let event = events
            .next()
            .await
            .expect("the stream ends with generation_ended");
        assert_eq!(event.data["action"], event.event, "{event:?}");
        match event.event.as_str() {
            "delta" => {
                seq += 1;
                assert_eq!(event.data["seq"], seq);
                assert_eq!(event.id, Some(seq.to_string()));
                text += event.data["content"].as_str().expect("text");
            }
            "generation_ended" => break event,
            "message" | "generation_started" | "ack" | "sync" => {}
            other => panic!("what is {other}?"),
        }
    };
    assert!(seq > 1, "60 words in 3 s come in several pieces");
    assert_eq!(text, words(60));
    assert_eq!(ended.data["status"], "complete");
    assert_eq!(ended.data["message"]["content"], text);
    assert!(events.next().await.is_none(), "nothing comes after the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_answered_202_and_the_reply_can_be_joined() {
    let scene = Scene::new(no_gateway(), &["fake-words-40-rate-20"]).await;
    let answer = scene
        .ask(&json!({"prompt": "hello", "model": "fake-words-40-rate-20"}))
        .await;
    answer.has_status(202);
    let generation = answer.string("/generation_id");
    assert!(!answer.string("/message_id").is_empty());
    let busy = scene
        .ask(&json!({"prompt": "hello", "model": "fake-words-40-rate-20"}))
        .await;
    busy.has_status(409);
    assert_eq!(busy.string("/detail"), "A reply is still being written.");
    // Joined at several moments, and once more after the end.
    for _ in 0..4 {
        let mut events = scene.join(&generation).await;
        let first = events.next().await.expect("an event");
        assert_eq!(first.event, "sync");
        events.event("delta").await;
        drop(events);
    }
    let mut events = scene.join(&generation).await;
    let sync = events.next().await.expect("an event");
    let mut text = sync.data["generation"]["content"]
        .as_str()
        .expect("the text so far")
        .to_owned();
    let mut seq = sync.data["generation"]["seq"].as_u64().expect("a number");
    loop {
        let event = events
            .next()
            .await
            .expect("the stream ends with generation_ended");
        if event.event == "generation_ended" {
            assert_eq!(event.data["message"]["content"], words(40));
            break;
        }
        assert_eq!(event.event, "delta");
        // Read every 100 ms, so one event may be several pieces; but none is missing.
        let next = event.data["seq"].as_u64().expect("a number");
        assert!(next > seq, "{next} after {seq}");
        seq = next;
        text += event.data["content"].as_str().expect("text");
    }
    assert_eq!(text, words(40));
    let late = scene.join(&generation).await.rest().await;
    let kinds: Vec<_> = late.iter().map(|event| event.event.as_str()).collect();
    assert_eq!(kinds, ["sync", "generation_ended"]);
    assert_eq!(late[1].data["message"]["content"], words(40));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_resumes_and_stops_at_the_end() {
    let scene = Scene::new(no_gateway(), &["fake-words-40-rate-20"]).await;
    let answer = scene
        .ask(&json!({"prompt": "hello", "model": "fake-words-40-rate-20"}))
        .await;
    let path = format!(
        "/chat/{}/generations/{}/events",
        scene.chat,
        answer.string("/generation_id")
    );
    // As `EventSource` does: it connects until it gets something else than a stream.
    let (mut text, mut last) = (String::new(), None::<String>);
    let (mut connections, mut resent) = (0, 0);
    loop {
        let mut request = scene.server.get(&path);
        if let Some(last) = &last {
            request = request.header("last-event-id", last);
        }
        let mut events = request.events().await;
        if events.status == 204 {
            break;
        }
        assert_eq!(events.status, 200);
        connections += 1;
        // The connection is lost now and then.
        for _ in 0..3 {
            let Some(event) = events.next().await else {
                break;
            };
            match event.event.as_str() {
                "sync" => {
                    resent += 1;
                    text = event.data["generation"]["content"]
                        .as_str()
                        .expect("the text so far")
                        .to_owned();
                }
                "delta" => text += event.data["content"].as_str().expect("text"),
                "generation_ended" => assert_eq!(event.data["status"], "complete"),
                other => panic!("what is {other}?"),
            }
            last = event.id.or(last);
        }
    }
    assert_eq!(text, words(40));
    assert_eq!(last.as_deref(), Some("end"));
    assert!(connections > 2, "{connections}");
    assert!(resent < connections, "{resent} of {connections}");

    // A client that has the text, but not its end, gets that.
    let late = scene.server.get(&path).events().await.rest().await;
    let seq = late[0].id.clone().expect("an id");
    let ids: Vec<_> = late.iter().map(|event| event.id.as_deref()).collect();
    assert_eq!(ids, [Some(seq.as_str()), Some("end")]);
    for (last, kinds) in [
        (seq.as_str(), &["generation_ended"][..]),
        ("1", &["sync", "generation_ended"][..]),
        ("x", &["sync", "generation_ended"][..]),
    ] {
        let events = scene.server.get(&path).header("last-event-id", last);
        let events = events.events().await.rest().await;
        let found: Vec<_> = events.iter().map(|event| event.event.as_str()).collect();
        assert_eq!(found, kinds, "{last}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_can_be_stopped_over_http() {
    let scene = Scene::new(no_gateway(), &["fake-words-400-rate-20"]).await;
    let mut events = scene.stream("fake-words-400-rate-20").await;
    events.event("delta").await;
    let path = format!("/chat/{}/stop", scene.chat);
    for _ in 0..2 {
        let stopped = scene.server.post(&path).send().await;
        assert!(
            (200..300).contains(&stopped.status),
            "{} {}",
            stopped.status,
            stopped.text()
        );
    }
    let ended = events.event("generation_ended").await;
    assert_eq!(ended.data["status"], "stopped");
    let text = ended.data["message"]["content"].as_str().expect("text");
    assert!(!text.is_empty() && words(400).starts_with(text), "{text}");
    assert_eq!(scene.status().await, "stopped");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_own_reply_and_contains_no_other() {
    let slow = "fake-words-400-rate-20";
    let scene = Scene::new(no_gateway(), &[slow, "fake-words-3-rate-0"]).await;
    let mut events = scene.stream(slow).await;
    let abandoned = events.event("generation_started").await;
    events.event("delta").await;
    let server = scene.server.killed_and_started_again().await;
    // The next reader finds a reply without a writer.
    server.change("UPDATE generation SET heartbeat = 1").await;
    let scene = Scene { server, ..scene };
    let received = scene.stream("fake-words-3-rate-0").await.rest().await;
    let mut kinds: Vec<_> = received.iter().map(|event| event.event.as_str()).collect();
    kinds.dedup();
    let expected = ["message", "generation_started", "delta", "generation_ended"];
    assert_eq!(kinds, expected);
    let (own, last) = (
        &received[1].data["generation_id"],
        &received[received.len() - 1].data,
    );
    assert_ne!(*own, abandoned.data["generation_id"]);
    assert_eq!(last["generation_id"], *own);
    assert_eq!(last["message"]["content"], words(3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failure_of_ours_is_a_500_that_can_be_found_in_the_log() {
    let scene = Scene::new(no_gateway(), &["fake-words-3-rate-0"]).await;
    let server = &scene.server;
    server.change("ALTER TABLE generation RENAME TO gone").await;
    let asked = scene.ask(&json!({"prompt": "hello"})).await;
    let path = format!("/chat/{}/generations/any/events", scene.chat);
    let joined = server.get(&path).send().await;
    for answer in [asked, joined] {
        answer.has_status(500);
        let id = answer.string("/request_id");
        let detail = format!(r#"{{"detail":"Internal Server Error","request_id":"{id}"}}"#);
        assert_eq!(answer.text(), detail);
        server.logs(&format!("request {id}: ")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flag_that_is_neither_yes_nor_no_is_refused_beside_another() {
    let scene = Scene::new(no_gateway(), &["fake-words-3-rate-0"]).await;
    for (one, other) in [
        ("is_first_prompt", "is_chat_or_composer"),
        ("is_chat_or_composer", "is_first_prompt"),
    ] {
        let asked = scene
            .ask(&json!({"prompt": "hello", one: true, other: []}))
            .await;
        asked.is_error(400, &format!("{other} must be true or false."));
    }
    assert_eq!(scene.stored().await.len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_chat_ends_its_streams() {
    let scene = Scene::new(no_gateway(), &["fake-words-400-rate-20"]).await;
    let mut events = scene.stream("fake-words-400-rate-20").await;
    let started = events.event("generation_started").await;
    let generation = started.data["generation_id"].as_str().expect("an id");
    let mut joined = scene.join(generation).await;
    joined.event("sync").await;
    events.event("delta").await;
    let path = format!("/chat/{}", scene.chat);
    scene.server.delete(&path).send().await.has_status(200);
    for stream in [events, joined] {
        let rest = stream.rest().await;
        let last = rest.last().map(|event| event.event.as_str());
        assert_eq!(last, Some("chat_deleted"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn leaving_the_stream_is_not_a_stop() {
    let scene = Scene::new(no_gateway(), &["fake-words-30-rate-20"]).await;
    let mut events = scene.stream("fake-words-30-rate-20").await;
    events.event("delta").await;
    drop(events);
    scene.settles().await;
    assert_eq!(scene.status().await, "complete");
    assert_eq!(scene.reply().await, words(30));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bad_requests_are_answered_in_fastapis_shape() {
    let scene = Scene::new(no_gateway(), &["fake-rate-0"]).await;
    let unknown = scene
        .server
        .post("/chat/nothing/messages")
        .header("accept", "application/json")
        .json(r#"{"prompt":"x","model":"fake-rate-0"}"#)
        .send()
        .await;
    unknown.is_error(404, "Chat not found.");
    scene
        .ask(&json!({"prompt": "x", "model": "unknown"}))
        .await
        .is_error(404, "Model not found.");
    scene
        .ask(&json!({"model": "fake-rate-0"}))
        .await
        .has_status(422);
    scene
        .ask(&json!({"prompt": 5, "model": "fake-rate-0"}))
        .await
        .has_status(422);
    scene.ask(&json!([])).await.has_status(422);
    let get = scene
        .server
        .get(&format!("/chat/{}/stop", scene.chat))
        .send()
        .await;
    get.is_error(405, "Method Not Allowed");
    let nothing = scene
        .server
        .get(&format!("/chat/{}/generations/none/events", scene.chat))
        .send()
        .await;
    nothing.has_status(404);
    let nothing = scene.server.post("/chat/nothing/stop").send().await;
    nothing.is_error(404, "Chat not found.");
    assert!(scene.stored().await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_gateway_sockets_are_refused_with_a_reason() {
    let scene = Scene::new(no_gateway(), &[]).await;
    let refused = scene
        .server
        .try_socket(&format!("/ws/{}", scene.chat), &[])
        .await;
    let refused = refused.err().expect("no socket without a gateway");
    assert_eq!(refused.status, 503);
    assert!(refused.body.contains("detail"), "{}", refused.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_fails_is_logged_once_and_not_at_each_look() {
    let model = "fake-words-300-rate-20";
    let scene = Scene::new(no_gateway(), &[model]).await;
    let answer = scene.ask(&json!({"prompt": "hello", "model": model})).await;
    let mut events = scene.join(&answer.string("/generation_id")).await;
    events.event("delta").await;
    let away = "ALTER TABLE generation RENAME TO away";
    scene.server.change(away).await;
    // What comes after fifty looks without news.
    events.comment().await;
    let log = scene.server.log_so_far().await;
    let failures = log.lines().filter(|line| line.contains("generation"));
    let failures: Vec<&str> = failures
        .filter(|line| line.contains("the reply:"))
        .collect();
    // The writer has logged it, and the stream.
    assert!((1..=2).contains(&failures.len()), "{failures:#?}");
    // And the stream goes on.
    let back = "ALTER TABLE away RENAME TO generation";
    scene.server.change(back).await;
    events.event("delta").await;
}

/// These need no gateway, so they have none.
fn no_gateway() -> Setup {
    Setup::app().variable("grip_url", "")
}

impl Scene {
    /// `POST /chat/{id}/messages` as a stream.
    pub(super) async fn stream(&self, model: &str) -> Events {
        self.server
            .post(&format!("/chat/{}/messages", self.chat))
            .header("accept", "text/event-stream")
            .json(json!({"prompt": "hello", "model": model}).to_string())
            .events()
            .await
    }

    /// `GET /chat/{id}/generations/{id}/events`.
    pub(super) async fn join(&self, generation: &str) -> Events {
        let path = format!("/chat/{}/generations/{generation}/events", self.chat);
        self.server
            .get(&path)
            .header("accept", "text/event-stream")
            .events()
            .await
    }
}
