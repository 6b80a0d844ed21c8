//! Starting and stopping.

use std::time::{Duration, Instant};

use tokio::net::TcpStream;

use crate::support::{Server, Setup};

/// Less than the ten seconds for which a server that stops waits for its clients.
const AT_ONCE: Duration = Duration::from_secs(9);

#[tokio::test]
async fn port_0_is_a_real_port_that_it_tells() {
    let (one, two) = (Server::start().await, Server::start().await);
    for server in [&one, &two] {
        let port = server
            .address()
            .strip_prefix("127.0.0.1:")
            .expect("the address it was told");
        assert_ne!(port.parse::<u16>().expect("a port"), 0);
        server.get("/healthz").send().await.has_status(200);
    }
    assert_ne!(one.address(), two.address());
}

#[tokio::test]
async fn it_tells_its_routes() {
    let server = Setup::trouble().start().await;
    for route in ["/bystander/...", "/pattern/:name/headers"] {
        server.says(route).await;
    }
}

#[tokio::test]
async fn a_second_start_is_ready_in_under_two_seconds() {
    // The first start compiles, those that follow find what it left. On a busy machine one of them may be slow.
    let mut state = Server::start().await.kill();
    let mut fastest = Duration::MAX;
    for _ in 0..5 {
        let server = Setup::app().state(state).start().await;
        server.get("/healthz").send().await.has_status(200);
        fastest = fastest.min(server.ready_after());
        state = server.kill();
    }
    assert!(fastest < Duration::from_secs(2), "{fastest:?}");
}

#[tokio::test]
async fn what_was_stored_is_there_after_a_restart() {
    let server = Server::start().await;
    let before = server.login("someone@example.com").await;
    let server = Setup::app().state(server.kill()).start().await;
    server
        .login("someone@example.com")
        .await
        .is(200, before.text());
}

#[tokio::test]
async fn sigterm_finishes_what_is_in_flight_and_exits_with_0() {
    let mut server = Setup::trouble().start().await;
    let sleeper = server.get("/sleep?ms=2000").send();
    let stream = server.get("/stream?count=10&ms=200").send();
    let stop = async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        server.terminate();
        tokio::time::sleep(Duration::from_millis(500)).await;
        let refused = TcpStream::connect(server.address()).await.is_err();
        assert!(refused, "a server that stops takes nobody new");
    };
    let (sleeper, stream, ()) = tokio::join!(sleeper, stream, stop);
    assert_eq!(sleeper.text(), "slept");
    assert!(
        stream.text().ends_with("tick 9\nend\n"),
        "{}",
        stream.text()
    );
    assert_eq!(server.exit_code(AT_ONCE).await, Some(0));
}

#[tokio::test]
async fn sigterm_waits_ten_seconds_and_no_longer() {
    let mut server = Setup::trouble().start().await;
    let sleeper = tokio::spawn(server.get("/sleep?ms=100000").try_send());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let began = Instant::now();
    server.terminate();
    // Far less than the request wants, even on a busy machine.
    assert_eq!(server.exit_code(Duration::from_secs(30)).await, Some(0));
    assert!(
        began.elapsed() > Duration::from_secs(5),
        "it gave up after {:?}",
        began.elapsed()
    );
    let answer = sleeper.await.expect("the client does not panic");
    assert!(
        answer.map_or(true, |response| response.status >= 500),
        "nobody is told that it slept"
    );
}

#[tokio::test]
async fn an_idle_server_stops_at_once() {
    let mut server = Server::start().await;
    // This leaves an idle connection in the client's pool.
    server.get("/healthz").send().await.has_status(200);
    server.terminate();
    assert_eq!(server.exit_code(AT_ONCE).await, Some(0));
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
    assert_eq!(server.exit_code(AT_ONCE).await, Some(0));
}
