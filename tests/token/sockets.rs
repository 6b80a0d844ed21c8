//! Sockets in token mode: who may open one, and what ends it.

use serde_json::json;

use super::{Person, Town};
use crate::realtime::through_both;
use crate::support::{Setup, Socket, V2};

async fn open(town: &Town, path: &str, headers: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let headers = [headers, &[("sec-websocket-protocol", V2)]].concat();
    let socket = town.server.try_socket(path, &headers).await;
    socket.map_err(|refused| refused.status)
}

async fn ticket(town: &Town, person: &Person) -> String {
    let made = town.server.post("/ws/ticket").by(person).send().await;
    made.has_status(200);
    assert_eq!(made.json()["expires_in"], 60);
    made.string("/ticket")
}

/// Whether the socket is there and speaks of `chat`.
async fn is_of(socket: Result<Socket, u16>, chat: &str) -> Socket {
    let mut socket = socket.expect("the handshake succeeds");
    let initial = socket.json().await;
    assert_eq!(
        (&initial["action"], &initial["chat_id"]),
        (&json!("initial"), &json!(chat))
    );
    socket
}

async fn whoever_has_a_session_may_open_a_socket(setup: Setup) {
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let chat = josef.chat(&town, "c").await;
    let path = format!("/ws/{chat}");
    let (bearer, cookie) = (josef.bearer(), josef.cookie());
    is_of(
        open(&town, &path, &[("authorization", &bearer)]).await,
        &chat,
    )
    .await;
    let mut socket = is_of(open(&town, &path, &[("cookie", &cookie)]).await, &chat).await;
    // Later events know whose socket it is.
    socket.send(&json!({ "action": "sync", "rev": 0 })).await;
    assert_eq!(socket.json().await["action"], "sync");

    for headers in [
        &[][..],
        &[("authorization", "Bearer x")],
        &[("cookie", "kafka_session=x")],
    ] {
        assert_eq!(
            open(&town, &path, headers).await.err(),
            Some(401),
            "{headers:?}"
        );
    }
    let foreign = [
        ("cookie", cookie.as_str()),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(open(&town, &path, &foreign).await.err(), Some(403));
}

async fn a_ticket_opens_one_socket_within_a_minute(setup: Setup) {
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let chat = josef.chat(&town, "c").await;
    let path = format!("/ws/{chat}?ticket={}", ticket(&town, &josef).await);
    let mut socket = is_of(open(&town, &path, &[]).await, &chat).await;
    // So it does beside the cookie of a session that has ended.
    let beside = format!("/ws/{chat}?ticket={}", ticket(&town, &josef).await);
    let ended = [("cookie", "kafka_session=ended")];
    is_of(open(&town, &beside, &ended).await, &chat).await;
    // The query is repeated with every event, and the ticket not looked at again.
    socket.send(&json!({ "action": "sync", "rev": 0 })).await;
    assert_eq!(socket.json().await["action"], "sync");
    assert_eq!(open(&town, &path, &[]).await.err(), Some(401));

    let path = format!("/ws/{chat}?ticket={}", ticket(&town, &josef).await);
    town.server
        .change("UPDATE ws_ticket SET expires_at = expires_at - 60001")
        .await;
    assert_eq!(open(&town, &path, &[]).await.err(), Some(401));
    assert_eq!(town.server.database().await.count("ws_ticket").await, 0);
}

async fn a_foreign_chat_is_as_if_it_did_not_exist(setup: Setup) {
    let town = Town::with(setup).await;
    let (josef, leni) = (
        town.person("josef@example.com").await,
        town.person("leni@example.com").await,
    );
    let path = format!("/ws/{}", josef.chat(&town, "c").await);
    let bearer = leni.bearer();
    assert_eq!(
        open(&town, &path, &[("authorization", &bearer)])
            .await
            .err(),
        Some(404)
    );
    let v1 = town
        .server
        .try_socket(&path, &[("authorization", &bearer)])
        .await;
    let mut v1 = v1.expect("v1 is told inside");
    assert_eq!(v1.json().await, json!({ "error": "Chat not found." }));
    assert_eq!(v1.closed().await, Some(1000));
}

async fn a_session_that_ends_takes_its_sockets_along(setup: Setup) {
    let town = Town::with(setup).await;
    let (phone, laptop) = (
        town.person("josef@example.com").await,
        town.person("josef@example.com").await,
    );
    let chat = phone.chat(&town, "c").await;
    let path = format!("/ws/{chat}");
    let socket_of = async |person: &Person| {
        let bearer = person.bearer();
        let headers = [("authorization", bearer.as_str())];
        let opening = open(&town, &path, &headers);
        // Of the chat, and of the session.
        is_of(town.server.hearing(&path, 2, opening).await, &chat).await
    };
    let mut first = socket_of(&phone).await;
    let mut second = socket_of(&laptop).await;
    town.server
        .post("/auth/logout")
        .by(&phone)
        .send()
        .await
        .has_status(200);
    assert_eq!(first.closed().await, Some(1008));
    second.send(&json!({ "action": "sync", "rev": 0 })).await;
    assert_eq!(second.json().await["action"], "sync");

    // A session that is gone without a word is noticed at the next event.
    town.server.change("DELETE FROM session").await;
    let before = town.server.database().await.dump().await;
    second
        .send(&json!({ "action": "new_message", "prompt": "x" }))
        .await;
    let told = second.json().await;
    assert_eq!(
        (&told["action"], &told["code"]),
        (&json!("error"), &json!("unauthorized"))
    );
    assert_eq!(second.closed().await, Some(1008));
    assert_eq!(town.server.database().await.dump().await, before);
}

async fn a_socket_that_only_listens_is_looked_at_again(setup: Setup) {
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let mut socket = josef.window(&town, &josef.chat(&town, "c").await).await;
    // As if word of the session's end had been lost; or it has expired, of which there is none.
    town.server
        .change("UPDATE session SET expires_at = 1")
        .await;
    // Within a minute, which is less than the test's patience.
    assert_eq!(socket.closed().await, Some(1008));
}

async fn what_a_client_says_the_gateway_remembers_is_not_believed(setup: Setup) {
    let town = Town::with(setup).await;
    let (josef, leni) = (
        town.person("josef@example.com").await,
        town.person("leni@example.com").await,
    );
    let josefs = josef.chat(&town, "his").await;
    let hashes = town.server.database().await;
    let sql = format!(
        "SELECT token_hash FROM session WHERE user_id = '{}'",
        josef.id
    );
    let hash = hashes.texts(&sql).await.remove(0);
    let path = format!("/ws/{josefs}");
    assert_eq!(
        open(&town, &path, &[("meta-session", &hash)]).await.err(),
        Some(401)
    );
    let bearer = leni.bearer();
    let both = [("authorization", bearer.as_str()), ("meta-session", &hash)];
    assert_eq!(open(&town, &path, &both).await.err(), Some(404));
    // Nor later: in a socket of her own she is still herself, or nobody.
    let own = leni.chat(&town, "hers").await;
    let mut socket = is_of(open(&town, &format!("/ws/{own}"), &both).await, &own).await;
    socket.send(&json!({ "action": "sync", "rev": 0 })).await;
    let told = socket.json().await;
    assert!(
        told["action"] == "sync" || told["code"] == "unauthorized",
        "{told}"
    );
}

through_both! {
    whoever_has_a_session_may_open_a_socket,
    a_ticket_opens_one_socket_within_a_minute,
    a_foreign_chat_is_as_if_it_did_not_exist,
    a_session_that_ends_takes_its_sockets_along,
    a_socket_that_only_listens_is_looked_at_again,
    what_a_client_says_the_gateway_remembers_is_not_believed,
}

#[tokio::test]
async fn without_a_verify_key_nobody_can_tell_who_the_gateway_is() {
    let setup = Setup::app().variable("grip_url", "http://127.0.0.1:5561/");
    let town = Town::with(setup).await;
    let josef = town.person("josef@example.com").await;
    let bearer = josef.bearer();
    let events = town.server.post("/ws/x").header("authorization", &bearer);
    let answer = events
        .body("application/websocket-events", "OPEN\r\n")
        .send()
        .await;
    answer.has_status(503);
    assert_eq!(town.server.get("/ws/x").by(&josef).send().await.status, 503);
}
