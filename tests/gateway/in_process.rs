//! The gateway of `kafka up`: sockets on the same port, events and publishes without a connection between.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;

use super::client::{Socket, connect};
use super::{LATER, publish, text, token};
use crate::support::{Server, Setup};

async fn open(server: &Server) -> Socket {
    let mut socket = connect(server.address(), "/relay/socket?a=b", &[])
        .await
        .expect("the socket opens");
    assert_eq!(socket.text().await, "welcome");
    socket
}

/// The control address that the components have, and a token that is valid there.
async fn control(server: &Server) -> (String, String) {
    let url = server.get("/variable?name=grip_url").send().await;
    let url = url.text().to_owned();
    let (address, keys) = url
        .strip_prefix("http://")
        .and_then(|rest| rest.split_once("/?"))
        .expect("an address and keys");
    let key = keys
        .split('&')
        .find_map(|pair| pair.strip_prefix("key=base64:"))
        .expect("a key");
    let key = BASE64_STANDARD.decode(key).expect("base64");
    (address.to_owned(), token("kafka", LATER, &key))
}

#[tokio::test]
async fn a_component_sees_events_as_requests_of_the_client() {
    let server = Setup::trouble().start().await;
    let mut socket = open(&server).await;
    socket.send("hello").await;
    assert_eq!(socket.text().await, "hello");
    socket.send("headers").await;
    let headers: Value = serde_json::from_str(&socket.text().await).expect("JSON");
    let value = |name: &str| {
        let headers = headers.as_array().expect("a list");
        let found = headers.iter().find(|header| header[0] == name);
        found.map_or("", |header| header[1].as_str().expect("a text"))
    };
    assert!(value("spin-client-addr").starts_with("127.0.0.1:"));
    assert_eq!(value("x-forwarded-for"), "127.0.0.1");
    assert_eq!(value("spin-path-info"), "/socket");
    let full = format!("http://{}/relay/socket?a=b", server.address());
    assert_eq!(value("spin-full-url"), full);
    assert_eq!(value("grip-sig").split('.').count(), 3);
    assert_eq!(value("connection-id").len(), 36);
}

#[tokio::test]
async fn publishes_arrive_from_components_and_from_outside() {
    let server = Setup::trouble().start().await;
    let (address, token) = control(&server).await;
    let mut first = open(&server).await;
    let mut second = open(&server).await;
    let path = format!("/relay/publish?text=1&token={token}");
    let answer = server.get(&path).send().await;
    assert_eq!(answer.text(), "status 200");
    let answer = server
        .get("/relay/publish?text=forged&token=x")
        .send()
        .await;
    assert_eq!(answer.text(), "status 401");
    let items = vec![text("trouble", "2")].into();
    assert_eq!(publish(&address, &items, None).await.0, 401);
    assert_eq!(publish(&address, &items, Some(&token)).await.0, 200);
    for socket in [&mut first, &mut second] {
        assert_eq!(socket.text().await, "1");
        assert_eq!(socket.text().await, "2");
        socket.silence().await;
    }
}

#[tokio::test]
async fn a_handshake_is_refused_by_the_component_of_its_path() {
    let server = Setup::trouble().start().await;
    let refused = connect(server.address(), "/relay/nothing", &[]).await;
    let refused = refused.err().expect("no such trouble");
    assert_eq!(
        (refused.status, refused.body.as_str()),
        (404, "no such trouble")
    );
    let refused = connect(server.address(), "/relay/panic", &[]).await;
    assert_eq!(refused.err().expect("a panic").status, 500);
    // The server is as well as before.
    open(&server).await;
}

#[tokio::test]
async fn a_panic_closes_its_socket_only() {
    let server = Setup::trouble().start().await;
    let mut unlucky = open(&server).await;
    let mut other = open(&server).await;
    unlucky.send("panic").await;
    assert_eq!(unlucky.close().await.0, 1011);
    other.send("still here").await;
    assert_eq!(other.text().await, "still here");
}

#[tokio::test]
async fn another_gateway_holds_the_sockets() {
    let setup = Setup::trouble().variable("grip_url", "http://127.0.0.1:5561/?key=k");
    let server = setup.start().await;
    let url = server.get("/variable?name=grip_url").send().await;
    assert_eq!(url.text(), "http://127.0.0.1:5561/?key=k");
    // An ordinary request then, which is no event.
    let refused = connect(server.address(), "/relay/socket", &[]).await;
    assert_eq!(refused.err().expect("no gateway").status, 400);
}

#[tokio::test]
async fn a_server_that_stops_closes_its_sockets() {
    let mut server = Setup::trouble().start().await;
    let mut socket = open(&server).await;
    server.terminate();
    assert_eq!(socket.close().await.0, 1001);
    drop(socket);
    server.ends_in_order().await;
}

#[tokio::test]
async fn private_addresses_are_refused_after_resolution_when_they_are_not_allowed() {
    let setup = Setup::trouble().variable("allow_private_models", "false");
    let server = setup.start().await;
    let port = server.address().rsplit(':').next().expect("a port");
    for host in [
        "localhost",
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "0.0.0.0",
    ] {
        let path = format!("/relay/outbound?url=http://{host}:{port}/ok");
        let refused = server.get(&path).send().await;
        refused.has_status(500);
        assert!(
            refused.text().contains("DestinationIpProhibited"),
            "{host}: {}",
            refused.text()
        );
    }
    assert!(!server.log().contains("/ok"), "nothing arrived");
    // The operator's own choice is not a stranger's.
    let (_, token) = control(&server).await;
    let path = format!("/relay/publish?text=1&token={token}");
    assert_eq!(server.get(&path).send().await.text(), "status 200");
    // Others are not concerned, and nor is anybody by default.
    let path = format!("/bystander/outbound?url=http://127.0.0.1:{port}/ok");
    assert_eq!(server.get(&path).send().await.text(), "status 200");
    let server = Setup::trouble().start().await;
    let path = format!("/relay/outbound?url=http://{}/ok", server.address());
    assert_eq!(server.get(&path).send().await.text(), "status 200");
}
