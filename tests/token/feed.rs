//! A feed is its user's own.

use serde_json::json;

use super::{Person, Town};
use crate::realtime::through_both;
use crate::support::{PATIENCE, Setup, Socket, V2};

through_both!(a_feed_is_for_its_user_alone, a_feed_ends_with_its_session);

impl Town {
    /// What opens for the feed of a user.
    async fn feed(&self, user: &Person, query: &str, headers: &[(&'static str, &str)]) -> Socket {
        let path = format!("/ws/user/{}{query}", user.id);
        let headers = [headers, &[("sec-websocket-protocol", V2)]].concat();
        let socket = self.server.try_socket(&path, &headers).await;
        socket.expect("it opens, if only to say why not")
    }
}

async fn is_refused(mut socket: Socket, code: &str) {
    let told = socket.json().await;
    assert_eq!(told["action"], "error", "{told}");
    assert_eq!(told["code"], code, "{told}");
    assert_eq!(socket.closed().await, Some(1008));
}

async fn a_feed_is_for_its_user_alone(setup: Setup) {
    let town = Town::with(setup).await;
    let (josef, leni) = (
        town.person("josef@example.com").await,
        town.person("leni@example.com").await,
    );
    let (own, other) = (josef.bearer(), leni.bearer());
    let mut socket = town.feed(&josef, "", &[("authorization", &own)]).await;
    assert_eq!(socket.json().await["user_id"], josef.id);
    is_refused(
        town.feed(&josef, "", &[("authorization", &other)]).await,
        "not_found",
    )
    .await;
    is_refused(town.feed(&josef, "", &[]).await, "unauthorized").await;
    let ticket = town.server.post("/ws/ticket").by(&josef).send().await;
    let ticket = format!("?ticket={}", ticket.string("/ticket"));
    let mut by_ticket = town.feed(&josef, &ticket, &[]).await;
    assert_eq!(by_ticket.json().await["action"], "initial");
    is_refused(town.feed(&josef, &ticket, &[]).await, "unauthorized").await;
    // Without the sub-protocol there is nobody to tell inside of the socket.
    let path = format!("/ws/user/{}", josef.id);
    let refused = town.server.try_socket(&path, &[]).await;
    assert_eq!(refused.err().map(|refused| refused.status), Some(401));
    let foreign = [
        ("authorization", own.as_str()),
        ("origin", "https://evil.example"),
    ];
    let refused = town.server.try_socket(&path, &foreign).await;
    assert_eq!(refused.err().map(|refused| refused.status), Some(403));
    // Of what others do it hears nothing, and of its own all.
    leni.chat(&town, "hers").await;
    let chat = josef.chat(&town, "his").await;
    let created = socket.action("chat_created").await;
    assert_eq!(created["chat_id"], chat);
    socket.is_quiet().await;

    let path = format!("/user/{}/events?follow=false", josef.id);
    let get = |person: &Person| town.server.get(&path).by(person);
    let events = get(&josef).header("last-event-id", "0").events().await;
    assert_eq!(
        events.rest().await.last().map(|it| it.event.clone()),
        Some("chat_created".into())
    );
    get(&leni).send().await.is_error(404, "User not found.");
    town.server.get(&path).send().await.has_status(401);
}

async fn a_feed_ends_with_its_session(setup: Setup) {
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let bearer = josef.bearer();
    let path = format!("/ws/user/{}", josef.id);
    let headers = [
        ("authorization", bearer.as_str()),
        ("sec-websocket-protocol", V2),
    ];
    // Subscribed to the feed, and to the end of its session.
    let opening = town.server.try_socket(&path, &headers);
    let socket = town.server.hearing(&path, 2, opening).await;
    let mut socket = socket.expect("the handshake succeeds");
    assert_eq!(socket.json().await["action"], "initial");
    let path = format!("/user/{}/events", josef.id);
    let mut stream = town.server.get(&path).by(&josef).events().await;
    stream.event("initial").await;
    town.server
        .post("/auth/logout")
        .by(&josef)
        .send()
        .await
        .has_status(200);
    assert_eq!(socket.closed().await, Some(1008));
    let told = stream.event("error").await;
    assert_eq!(told.data["code"], "unauthorized");
    assert!(stream.next().await.is_none());
}

/// As many streams as of replies, all together.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn feeds_count_among_streams() {
    let setup = Setup::app().variable("long_work", "stream=2/10");
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let path = format!("/user/{}/events", josef.id);
    let open = async || town.server.get(&path).by(&josef).events().await;
    let (first, second) = (open().await, open().await);
    let third = town.server.get(&path).by(&josef).send().await;
    third.has_status(429);
    assert!(!third.header("retry-after").is_empty());
    drop(second);
    let begun = std::time::Instant::now();
    while open().await.status == 429 {
        assert!(
            begun.elapsed() < 2 * PATIENCE,
            "a stream that was left still counts"
        );
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    drop(first);
    let sync = json!({ "action": "sync", "rev": 0 });
    let bearer = josef.bearer();
    let mut socket = town.feed(&josef, "", &[("authorization", &bearer)]).await;
    socket.action("initial").await;
    socket.send(&sync).await;
    assert_eq!(socket.action("sync").await["has_more"], false);
}
