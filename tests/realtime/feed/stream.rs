//! `GET /user/{user_id}/events`: the same without a socket, and without a gateway.

use serde_json::json;

use super::super::Scene;
use super::short;
use crate::support::{Events, Setup};

fn no_gateway() -> Setup {
    Setup::app().variable("grip_url", "")
}

impl Scene {
    /// The feed after an event.
    async fn feed(&self, last: Option<&str>) -> Events {
        let request = self.server.get(&format!("/user/{}/events", self.user.id));
        let events = match last {
            Some(last) => request.header("last-event-id", last).events().await,
            None => request.events().await,
        };
        assert_eq!(events.status, 200);
        assert!(events.media_type.starts_with("text/event-stream"));
        events
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_tells_and_resumes() {
    const MODEL: &str = "fake-words-20-rate-20";
    let scene = Scene::new(no_gateway(), &[MODEL]).await;
    let mut events = scene.feed(None).await;
    let first = events.next().await.expect("an event");
    assert_eq!(first.event, "initial");
    assert_eq!(first.data["user_id"], scene.user.id);
    let mut last = first.id.expect("an id");
    assert_eq!(first.data["rev"].to_string(), last);
    let prompt = json!({ "prompt": "hello", "model": MODEL });
    scene.ask(&prompt).await.has_status(202);
    let mut told = Vec::new();
    for _ in 0..2 {
        let event = events.next().await.expect("an event");
        assert_eq!(event.event, event.data["action"]);
        let rev: u64 = event
            .id
            .as_deref()
            .expect("an id")
            .parse()
            .expect("a number");
        assert_eq!(event.data["rev"], rev);
        assert_eq!(rev, last.parse::<u64>().expect("a number") + 1);
        last = event.id.expect("an id");
        told.push(short(&event.data));
    }
    assert_eq!(told, ["generation_started", "generation_ended"]);
    drop(events);
    // What happens while nobody listens comes later, once.
    for name in ["a", "b", "c"] {
        scene.server.chat(&scene.user, name).await;
    }
    let mut events = scene.feed(Some(&last)).await;
    for name in ["a", "b", "c"] {
        let event = events.next().await.expect("an event");
        assert_eq!(event.data["chat"]["name"], name, "{event:?}");
        last = event.id.expect("an id");
    }
    // Who has all hears nothing but that the connection is alive.
    let mut events = scene.feed(Some(&last)).await;
    events.comment().await;
    scene.server.chat(&scene.user, "d").await;
    let event = events.next().await.expect("an event");
    assert_eq!(event.data["chat"]["name"], "d");
    // Who is too far behind, or was never here, is told to read everything.
    for strange in ["100000", "-5"] {
        let event = scene.feed(Some(strange)).await.next().await;
        let event = event.expect("an event");
        assert_eq!(
            (event.event.as_str(), &event.data["has_forgotten"]),
            ("sync", &true.into())
        );
    }
    // What is none of our ids says nothing.
    let event = scene.feed(Some("end")).await.next().await;
    assert_eq!(event.expect("an event").event, "initial");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_look_without_following() {
    let scene = Scene::new(no_gateway(), &[]).await;
    let path = format!("/user/{}/events?follow=false", scene.user.id);
    let look = async |last: &str| {
        let events = scene.server.get(&path).header("last-event-id", last);
        let events = events.events().await.rest().await.into_iter();
        events.map(|event| short(&event.data)).collect::<Vec<_>>()
    };
    // The default workspace and the chat of the scene.
    assert_eq!(look("0").await, ["workspace_created", "chat_created"]);
    assert_eq!(look("1").await, ["chat_created"]);
    assert_eq!(look("2").await, [""; 0]);
    assert_eq!(look("").await, ["initial"]);
    let wrong = scene
        .server
        .get(&format!("/user/{}/events?follow=perhaps", scene.user.id));
    wrong.send().await.has_status(422);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_ends_with_its_user() {
    let scene = Scene::new(no_gateway(), &[]).await;
    let mut events = scene.feed(None).await;
    let path = format!("/user/{}", scene.user.id);
    scene.server.delete(&path).send().await.has_status(200);
    events.event("user_deleted").await;
    assert!(events.next().await.is_none());
    let gone = scene.server.get(&format!("{path}/events")).send().await;
    gone.is_error(404, "User not found.");
}
