//! `GET /readyz`.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Resource, Rlimit, prlimit};

use crate::support::{
    FakeMail, OwnGateway, PATIENCE, Response, Server, Setup, pushpin_is_installed,
};

/// Waits until `/readyz` has this status, and returns the answer.
async fn ready(server: &Server, status: u16) -> Response {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let answer = server.get("/readyz").send().await;
        if answer.status == status {
            return answer;
        }
        assert!(Instant::now() < deadline, "{}", answer.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Fails unless a server whose sockets have a gateway is ready, for strangers too.
async fn is_ready_for_strangers(server: &Server) {
    ready(server, 200).await;
    let stranger = server
        .get("/readyz")
        .header("host", "kafka.example.com")
        .header("origin", "https://evil.example")
        .header("x-forwarded-for", "203.0.113.9")
        .header("via", "1.1 proxy");
    for request in [server.get("/readyz"), stranger] {
        let answer = request.send().await;
        answer.has_status(200);
        assert_eq!(answer.string("/status"), "ready");
        assert_eq!(answer.string("/gateway"), "reachable");
        let schema = answer.json()["schema_version"].as_i64();
        assert_eq!(schema, Some(server.database().await.version().await));
    }
}

#[tokio::test]
async fn every_client_may_ask_in_both_modes() {
    is_ready_for_strangers(&Server::start().await).await;
    let mail = FakeMail::start();
    is_ready_for_strangers(&Setup::app().token_mode(&mail).start().await).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_of_its_own_is_asked() {
    let mut gateway = OwnGateway::prepare();
    let mut setup = Setup::app();
    for (name, value) in gateway.variables() {
        setup = setup.variable(name, &value);
    }
    let server = setup.start().await;
    let answer = ready(&server, 503).await;
    answer.is_error(503, "The gateway can't be reached.");
    assert_eq!(answer.header("retry-after"), "5");
    gateway.start(server.address());
    ready(&server, 200).await;
    gateway.kill();
    ready(&server, 503).await;
    if pushpin_is_installed() {
        let server = Setup::app().behind_pushpin().start().await;
        ready(&server, 200).await;
    }
}

/// A host that others could replace is not taken out of service because of a gateway that all of them miss.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_gateway_of_several_is_enough() {
    let (mut one, other) = (OwnGateway::prepare(), OwnGateway::prepare());
    let [(_, url), _] = one.variables();
    let [(_, other_url), _] = other.variables();
    let urls = format!("{other_url} {url}");
    let server = Setup::app().variable("grip_url", &urls).start().await;
    ready(&server, 503).await;
    one.start(server.address());
    ready(&server, 200).await;
}

#[tokio::test]
async fn without_a_gateway_there_is_none_to_wait_for() {
    let server = Setup::app().variable("grip_url", "").start().await;
    assert_eq!(ready(&server, 200).await.string("/gateway"), "none");
}

#[tokio::test]
async fn a_wrong_key_of_the_gateway_is_noticed() {
    let mut gateway = OwnGateway::prepare();
    let [(url, value), origin] = gateway.variables();
    let wrong = value.replace("cHVibGlzaC1wdWJsaXNoLX", "YWJjYWJjYWJjYWJjYWJjYX");
    assert_ne!(wrong, value);
    let setup = Setup::app().variable(url, &wrong);
    let server = setup.variable(origin.0, &origin.1).start().await;
    gateway.start(server.address());
    let deadline = Instant::now() + PATIENCE;
    let refused = "The gateway answers 401 to what is published.";
    while !ready(&server, 503).await.text().contains(refused) {
        assert!(Instant::now() < deadline);
    }
}

#[tokio::test]
async fn a_database_of_a_newer_program_is_not_current() {
    let server = Server::start().await;
    ready(&server, 200).await;
    server
        .change("INSERT INTO schema_migration VALUES (999, '0999_later', '')")
        .await;
    let answer = ready(&server, 503).await;
    assert!(answer.text().contains("migration 999"), "{}", answer.text());
    server
        .change("DELETE FROM schema_migration WHERE version = 999")
        .await;
    ready(&server, 200).await;
}

/// A limit of how long the server's files may get stands in for a full disk, as in `realtime::full_disk`.
#[tokio::test]
async fn a_database_that_can_not_be_written_is_not_ready() {
    let server = Server::start().await;
    ready(&server, 200).await;
    // The first instance of a component is copied to memory that the limit counts as a file.
    server.get("/healthz").send().await.has_status(200);
    let limit = |bytes| {
        let id = i32::try_from(server.process_id()).expect("a process id");
        let limit = Rlimit {
            current: bytes,
            maximum: None,
        };
        prlimit(Pid::from_raw(id), Resource::Fsize, limit).expect("the server is ours");
    };
    limit(Some(0));
    let answer = ready(&server, 503).await;
    answer.is_error(
        503,
        "The database can't be written: there is no room for it.",
    );
    server.get("/healthz").send().await.has_status(200);
    limit(None);
    ready(&server, 200).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn however_often_it_is_asked_the_database_is_written_once_a_second() {
    let server = Setup::app().logging_sql().start().await;
    ready(&server, 200).await;
    // Of a statement that changes nothing there is no trace.
    server
        .change(
            "CREATE TABLE written (at INTEGER);
             CREATE TRIGGER is_written AFTER UPDATE ON rate_limit WHEN NEW.key = 'readyz'
             BEGIN INSERT INTO written VALUES (NEW.free_at); END;",
        )
        .await;
    let looks = |log: &str| log.matches("AS is_proven").count();
    let before = server.log_so_far().await;
    const ASKED: usize = 20 * 16;
    for _ in 0..20 {
        let asked = (0..16).map(|_| server.get("/readyz").send());
        futures::future::join_all(asked).await;
    }
    let after = server.log_so_far().await;
    // Each instance knows for a second what it has seen, and in a burst more of them start than there are threads.
    let looked = looks(&after) - looks(&before);
    assert!(looked <= ASKED / 4, "{looked} looks for {ASKED} requests");
    let database = server.database().await;
    let too_soon = "SELECT count(*) FROM (SELECT at - lag(at) OVER (ORDER BY rowid) AS pause FROM written) WHERE pause < 1000";
    assert_eq!(database.number(too_soon).await, 0);
}
