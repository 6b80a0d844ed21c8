//! Transactions that a component forgets block no other for long.

use super::before;
use crate::support::{Server, Setup};

/// What the host logs when it ends a transaction that was open for too long.
const EXPIRED: &str = "a transaction was open for more than";

async fn count(server: &Server) -> String {
    let response = server.get("/bystander/sqlite-count").send().await;
    response.has_status(200);
    response.text().to_owned()
}

async fn assert_can_write(server: &Server) {
    let response = server.get("/bystander/sqlite-write").send().await;
    assert_eq!(response.status, 200, "{}", response.text());
}

#[tokio::test]
async fn a_transaction_that_is_never_ended_is_rolled_back() {
    let server = Setup::trouble().start().await;
    assert_can_write(&server).await;
    for _ in 0..3 {
        assert_eq!(server.get("/sqlite-hold").send().await.text(), "held");
        assert_can_write(&server).await;
    }
    assert_eq!(count(&server).await, "4");
    let log = server.log_so_far().await;
    assert!(!log.contains(EXPIRED), "it was rolled back late: {log}");
}

#[tokio::test]
async fn a_transaction_of_a_trapped_instance_is_rolled_back() {
    let server = Setup::trouble().start().await;
    for _ in 0..3 {
        server.get("/sqlite-panic").send().await.has_status(500);
        assert_can_write(&server).await;
    }
    assert_eq!(count(&server).await, "3");
    let log = server.log_so_far().await;
    assert!(!log.contains(EXPIRED), "it was rolled back late: {log}");
}

#[tokio::test]
async fn a_connection_that_is_never_given_back_ends_with_its_instance() {
    let server = Setup::trouble().start().await;
    assert_can_write(&server).await;
    assert_eq!(server.get("/sqlite-leak").send().await.text(), "leaked");
    assert_can_write(&server).await;
    assert_eq!(count(&server).await, "2");
}

#[tokio::test]
async fn a_transaction_in_hand_makes_writers_wait_but_not_readers() {
    let server = Setup::trouble().logging_sql().start().await;
    assert_can_write(&server).await;
    // Less than a transaction may be open for, and a reader has all of it.
    let holder = server.get("/sqlite-hold?ms=4000").send();
    let reader = async {
        server.logs("BEGIN IMMEDIATE").await;
        assert_eq!(count(&server).await, "1");
    };
    let writer = async {
        server.logs("BEGIN IMMEDIATE").await;
        assert_can_write(&server).await;
    };
    let (((), holder), ()) = tokio::join!(before(reader, holder), writer);
    assert_eq!(holder.text(), "held");
    assert_eq!(count(&server).await, "2");
}
