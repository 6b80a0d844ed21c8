//! Transactions that a component forgets harm nobody for long.

use std::time::{Duration, Instant};

use crate::support::{Server, Setup};

async fn count(server: &Server) -> String {
    let response = server.get("/bystander/sqlite-count").send().await;
    response.has_status(200);
    response.text().to_owned()
}

async fn assert_can_write(server: &Server, within: Duration) {
    let began = Instant::now();
    let response = server.get("/bystander/sqlite-write").send().await;
    assert_eq!(response.status, 200, "{}", response.text());
    assert!(
        began.elapsed() < within,
        "a writer waited {:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn a_transaction_that_nobody_ends_is_rolled_back() {
    let server = Setup::trouble().start().await;
    assert_can_write(&server, Duration::from_secs(5)).await;
    for _ in 0..3 {
        assert_eq!(server.get("/sqlite-hold").send().await.text(), "held");
        assert_can_write(&server, Duration::from_secs(5)).await;
    }
    assert_eq!(count(&server).await, "4");
}

#[tokio::test]
async fn a_transaction_of_a_trapped_instance_is_rolled_back() {
    let server = Setup::trouble().start().await;
    for _ in 0..3 {
        server.get("/sqlite-panic").send().await.has_status(500);
        assert_can_write(&server, Duration::from_secs(5)).await;
    }
    assert_eq!(count(&server).await, "3");
}

#[tokio::test]
async fn a_connection_that_is_never_given_back_ends_with_its_instance() {
    let server = Setup::trouble().start().await;
    assert_can_write(&server, Duration::from_secs(5)).await;
    assert_eq!(server.get("/sqlite-leak").send().await.text(), "leaked");
    assert_can_write(&server, Duration::from_secs(30)).await;
    assert_eq!(count(&server).await, "2");
}

#[tokio::test]
async fn a_transaction_in_hand_makes_writers_wait_but_not_readers() {
    let server = Setup::trouble().start().await;
    assert_can_write(&server, Duration::from_secs(5)).await;
    let holder = server.get("/sqlite-hold?ms=2000").send();
    let others = async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let began = Instant::now();
        assert_eq!(count(&server).await, "1");
        assert!(
            began.elapsed() < Duration::from_millis(1500),
            "a reader waited {:?}",
            began.elapsed()
        );
        assert_can_write(&server, Duration::from_secs(30)).await;
    };
    let (holder, ()) = tokio::join!(holder, others);
    assert_eq!(holder.text(), "held");
    assert_eq!(count(&server).await, "2");
}
