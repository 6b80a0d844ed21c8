//! Starting and stopping.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

use super::read_until;
use crate::support::{PATIENCE, Server, Setup};

#[tokio::test]
async fn port_0_is_a_real_port_that_it_prints() {
    let (one, two) = (Server::start().await, Server::start().await);
    for server in [&one, &two] {
        let port = server
            .address()
            .strip_prefix("127.0.0.1:")
            .expect("the address that it was given");
        assert_ne!(port.parse::<u16>().expect("a port"), 0);
        server.get("/healthz").send().await.has_status(200);
    }
    assert_ne!(one.address(), two.address());
}

#[tokio::test]
async fn it_prints_its_routes() {
    let server = Setup::trouble().start().await;
    for route in ["/bystander/...", "/pattern/:name/headers"] {
        server.logs(route).await;
    }
}

#[tokio::test]
async fn stored_values_are_there_after_a_restart() {
    let server = Server::start().await;
    let before = server.login("someone@example.com").await;
    let server = Setup::app().state(server.kill()).start().await;
    server
        .login("someone@example.com")
        .await
        .is(200, before.text());
}

#[tokio::test]
async fn sigterm_finishes_open_requests_and_exits_with_0() {
    let mut server = Setup::trouble().start().await;
    let sleeper = server.get("/sleep?ms=3000&mark=sleeper").send();
    let stop = async {
        server.logs("stderr says sleeper").await;
        let mut stream = server.asked("/stream?count=15&ms=200").await;
        let mut text = read_until(&mut stream, "tick 0\n").await;
        server.terminate();
        server.logs("stopping; requests in flight have").await;
        let refused = TcpStream::connect(server.address()).await.is_err();
        assert!(refused, "a server that stops takes no new clients");
        stream.read_to_string(&mut text).await.expect("a text");
        text
    };
    let (sleeper, text) = tokio::join!(sleeper, stop);
    assert_eq!(sleeper.text(), "slept");
    assert!(
        text.contains("tick 14\n") && text.ends_with("0\r\n\r\n"),
        "{text}"
    );
    server.ends_in_order().await;
}

#[tokio::test]
async fn sigterm_waits_ten_seconds_and_no_longer() {
    let mut server = Setup::trouble().start().await;
    // Longer than the test waits for anything.
    let mut stream = server.asked("/stream?count=1000&ms=1000").await;
    read_until(&mut stream, "tick 0\n").await;
    let began = Instant::now();
    server.terminate();
    assert_eq!(server.exit_code(PATIENCE).await, Some(0));
    assert!(began.elapsed() >= Duration::from_secs(10));
    server.logs("some requests did not finish in time").await;
    let rest = read_until(&mut stream, "0\r\n\r\n").await;
    assert!(!rest.ends_with("0\r\n\r\n"), "it looks complete: {rest}");
}

#[tokio::test]
async fn an_idle_server_stops_at_once() {
    let mut server = Server::start().await;
    // This leaves an idle connection in the client's pool.
    server.get("/healthz").send().await.has_status(200);
    server.terminate();
    server.ends_in_order().await;
    assert!(
        !server.log().contains("ERROR"),
        "an ordinary end is no error: {}",
        server.log()
    );
}

#[tokio::test]
async fn ctrl_c_stops_it_too() {
    let mut server = Server::start().await;
    server.interrupt();
    server.ends_in_order().await;
}
