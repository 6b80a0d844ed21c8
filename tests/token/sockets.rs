//! Sockets in token mode: who may open one, and what ends it.

use serde_json::{Value, json};

use super::{Person, Town};
use crate::realtime::through_both;
use crate::support::{Setup, Socket, V2};

/// A socket with its first frame; or the code of the error that it gets before it is closed, or the status of a
/// handshake that is refused.
async fn open(
    town: &Town,
    path: &str,
    headers: &[(&'static str, &str)],
) -> Result<(Socket, Value), String> {
    let headers = [headers, &[("sec-websocket-protocol", V2)]].concat();
    let socket = town.server.try_socket(path, &headers).await;
    let mut socket = socket.map_err(|refused| refused.status.to_string())?;
    assert_eq!(socket.protocol.as_deref(), Some(V2));
    let first = socket.json().await;
    if first["action"] != "error" {
        return Ok((socket, first));
    }
    assert_eq!(socket.closed().await, Some(1008));
    Err(first["code"].as_str().expect("a code").to_owned())
}

/// The reason for which no socket opens.
async fn refusal(town: &Town, path: &str, headers: &[(&'static str, &str)]) -> String {
    let opened = open(town, path, headers).await;
    opened.err().expect("the socket is refused")
}

async fn ticket(town: &Town, person: &Person) -> String {
    let made = town.server.post("/ws/ticket").by(person).send().await;
    made.has_status(200);
    assert_eq!(made.json()["expires_in"], 60);
    made.string("/ticket")
}

/// Whether the socket is there and speaks of `chat`.
async fn is_of(socket: Result<(Socket, Value), String>, chat: &str) -> Socket {
    let (socket, initial) = socket.expect("the socket opens");
    assert_eq!(
        (&initial["action"], &initial["chat_id"]),
        (&json!("initial"), &json!(chat))
    );
    socket
}

async fn a_user_with_a_session_may_open_a_socket(setup: Setup) {
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
    // Later events know the user of the socket.
    socket.send(&json!({ "action": "sync", "rev": 0 })).await;
    assert_eq!(socket.json().await["action"], "sync");

    for headers in [
        &[][..],
        &[("authorization", "Bearer x")],
        &[("cookie", "kafka_session=x")],
    ] {
        assert_eq!(
            refusal(&town, &path, headers).await,
            "unauthorized",
            "{headers:?}"
        );
    }
    let foreign = [
        ("cookie", cookie.as_str()),
        ("origin", "https://evil.example"),
    ];
    assert_eq!(refusal(&town, &path, &foreign).await, "403");
    // Our own page, as anybody on the way may have written it; and one of another site.
    for (name, value) in [
        ("origin", "http://app.example"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let headers = [
            ("cookie", cookie.as_str()),
            ("host", "app.example"),
            (name, value),
        ];
        assert_eq!(refusal(&town, &path, &headers).await, "403", "{name}");
    }
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
    assert_eq!(refusal(&town, &path, &[]).await, "unauthorized");

    let path = format!("/ws/{chat}?ticket={}", ticket(&town, &josef).await);
    town.server
        .change("UPDATE ws_ticket SET expires_at = expires_at - 60001")
        .await;
    assert_eq!(refusal(&town, &path, &[]).await, "unauthorized");
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
        refusal(&town, &path, &[("authorization", &bearer)]).await,
        "not_found"
    );
    let v1 = town
        .server
        .try_socket(&path, &[("authorization", &bearer)])
        .await;
    let mut v1 = v1.expect("v1 gets errors inside the socket");
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
    let v2 = Some(("sec-websocket-protocol", V2));
    let mut first = socket_of(&town, &phone, &chat, v2).await;
    let mut second = socket_of(&town, &laptop, &chat, v2).await;
    town.server
        .post("/auth/logout")
        .by(&phone)
        .send()
        .await
        .has_status(200);
    assert_eq!(first.closed().await, Some(1008));
    second.send(&json!({ "action": "sync", "rev": 0 })).await;
    assert_eq!(second.json().await["action"], "sync");
}

/// How a session ends; `{id}` is which.
#[derive(Debug)]
enum End {
    /// Without a word.
    Silently(&'static str),
    /// By `DELETE`, from another device.
    Revoked(&'static str),
}

const ENDS: [End; 4] = [
    End::Silently("UPDATE session SET expires_at = 1 WHERE id = '{id}'"),
    End::Silently("DELETE FROM session WHERE id = '{id}'"),
    End::Revoked("/auth/sessions/{id}"),
    End::Revoked("/auth/sessions"),
];

async fn however_a_session_ends_its_sockets_are_informed_and_closed(setup: Setup) {
    let town = Town::with(setup.variable("rate_limits", "")).await;
    let database = town.server.database().await;
    for protocol in [None, Some(("sec-websocket-protocol", V2))] {
        for end in ENDS {
            let what = format!("{protocol:?} {end:?}");
            let phone = town.person("josef@example.com").await;
            let newest = "SELECT id FROM session ORDER BY rowid DESC LIMIT 1";
            let id = database.texts(newest).await.remove(0);
            let laptop = town.person("josef@example.com").await;
            let chat = phone.chat(&town, "c").await;
            let mut talking = socket_of(&town, &phone, &chat, protocol).await;
            let mut listening = socket_of(&town, &phone, &chat, protocol).await;
            match end {
                End::Silently(sql) => town.server.change(&sql.replace("{id}", &id)).await,
                End::Revoked(path) => {
                    let revoke = town.server.delete(&path.replace("{id}", &id));
                    revoke.by(&laptop).send().await.has_status(200);
                }
            }
            let before = database.dump().await;
            // It would be stored.
            let upload = json!({ "action": "upload_file", "filename": "a", "file_data": "YQ==" });
            talking.send(&upload).await;
            match end {
                End::Silently(_) => {
                    let received = talking.json().await;
                    let error = "The session has ended. Please log in again.";
                    assert_eq!(received["error"], error, "{what}: {received}");
                    let code = protocol.map(|_| "unauthorized");
                    assert_eq!(received["code"].as_str(), code, "{what}: {received}");
                }
                // A silent socket is closed at once.
                End::Revoked(_) => assert_eq!(listening.closed().await, Some(1008), "{what}"),
            }
            assert_eq!(talking.closed().await, Some(1008), "{what}");
            assert_eq!(database.dump().await, before, "{what}");
        }
    }
}

/// A socket of a user's chat after its first frame, which receives events of the chat and of the session.
async fn socket_of(
    town: &Town,
    person: &Person,
    chat: &str,
    protocol: Option<(&'static str, &str)>,
) -> Socket {
    let (path, bearer) = (format!("/ws/{chat}"), person.bearer());
    let headers: Vec<_> = [("authorization", bearer.as_str())]
        .into_iter()
        .chain(protocol)
        .collect();
    let opening = town.server.try_socket(&path, &headers);
    let opened = town.server.hearing(&path, 2, opening).await;
    let mut socket = opened.expect("the handshake succeeds");
    socket.json().await;
    socket
}

async fn forged_metadata_of_a_client_is_not_believed(setup: Setup) {
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
        refusal(&town, &path, &[("meta-session", &hash)]).await,
        "unauthorized"
    );
    let bearer = leni.bearer();
    let both = [("authorization", bearer.as_str()), ("meta-session", &hash)];
    assert_eq!(refusal(&town, &path, &both).await, "not_found");
    // Nor later: in a socket of her own she is still herself, or has no session.
    let own = leni.chat(&town, "hers").await;
    let mut socket = is_of(open(&town, &format!("/ws/{own}"), &both).await, &own).await;
    socket.send(&json!({ "action": "sync", "rev": 0 })).await;
    let received = socket.json().await;
    assert!(
        received["action"] == "sync" || received["code"] == "unauthorized",
        "{received}"
    );
}

through_both! {
    a_user_with_a_session_may_open_a_socket,
    a_ticket_opens_one_socket_within_a_minute,
    a_foreign_chat_is_as_if_it_did_not_exist,
    a_session_that_ends_takes_its_sockets_along,
    however_a_session_ends_its_sockets_are_informed_and_closed,
    forged_metadata_of_a_client_is_not_believed,
}

#[tokio::test]
async fn without_a_verify_key_no_gateway_is_believed() {
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
