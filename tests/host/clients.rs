//! Clients that are slow, silent or gone harm nobody else.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::assert_bystander_is_well;
use crate::support::{Setup, head_and_body, read_response};

/// Sends `bytes` one at a time until all are sent or the server hangs up.
async fn drip(stream: &mut tokio::net::TcpStream, bytes: &[u8]) {
    for byte in bytes {
        if stream.write_all(std::slice::from_ref(byte)).await.is_err() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_client_that_sends_byte_by_byte_is_served_and_holds_up_nobody() {
    let server = Setup::trouble().start().await;
    let slow = async {
        let mut stream = server.connect().await;
        let host = server.address();
        let head = format!(
            "POST /body HTTP/1.1\r\nhost: {host}\r\ncontent-length: 100\r\nconnection: close\r\n\r\n"
        );
        drip(&mut stream, head.as_bytes()).await;
        drip(&mut stream, &[b'x'; 100]).await;
        let mut received = Vec::new();
        stream.read_to_end(&mut received).await.expect("an answer");
        head_and_body(&received)
    };
    let bystanders = async {
        for _ in 0..10 {
            assert_bystander_is_well(&server).await;
            sleep(Duration::from_millis(100)).await;
        }
    };
    let (response, ()) = tokio::join!(slow, bystanders);
    assert_eq!(response.status, 200, "{response:?}");
    assert!(response.body.contains("100"), "{response:?}");
}

#[tokio::test]
async fn a_client_that_has_closed_its_side_gets_the_answer() {
    let server = Setup::trouble().start().await;
    let mut stream = server.asked("/sleep?ms=300").await;
    stream.shutdown().await.expect("one side can be closed");
    assert_eq!(read_response(&mut stream).await.status, 200);
}

#[tokio::test]
async fn many_silent_connections_hold_up_nobody_and_are_closed() {
    let server = Setup::trouble().start().await;
    let mut silent = Vec::new();
    for _ in 0..200 {
        let mut stream = server.connect().await;
        stream
            .write_all(b"GET /ok HTTP/1.1\r\nhost: local")
            .await
            .expect("the server reads");
        silent.push(stream);
    }
    assert_bystander_is_well(&server).await;
    let mut first = silent.swap_remove(0);
    let closed = timeout(Duration::from_secs(60), first.read_to_end(&mut Vec::new())).await;
    assert!(closed.is_ok(), "half a head is not waited for for ever");
    assert_bystander_is_well(&server).await;
}

#[tokio::test]
async fn clients_that_stop_in_their_bodies_hold_up_nobody() {
    let server = Setup::trouble().start().await;
    let mut stuck = Vec::new();
    for _ in 0..50 {
        let mut stream = server.connect().await;
        let head = format!(
            "POST /body HTTP/1.1\r\nhost: {}\r\ncontent-length: 1000\r\n\r\nonly this",
            server.address()
        );
        stream
            .write_all(head.as_bytes())
            .await
            .expect("the server reads");
        stuck.push(stream);
    }
    sleep(Duration::from_millis(300)).await;
    for _ in 0..5 {
        assert_bystander_is_well(&server).await;
    }
    // Hanging up frees what they held.
    drop(stuck);
    let response = server
        .post("/body")
        .body("text/plain", "all of it")
        .send()
        .await;
    assert_eq!(response.text(), "9");
}

#[tokio::test]
async fn a_client_that_reads_slowly_costs_no_memory() {
    let server = Setup::trouble().start().await;
    server.get("/big?mb=1").send().await.has_status(200);
    let before = server.memory();
    let mut readers = Vec::new();
    for _ in 0..8 {
        readers.push(server.asked("/big?mb=200").await);
    }
    for _ in 0..10 {
        sleep(Duration::from_millis(100)).await;
        assert_bystander_is_well(&server).await;
        for stream in &mut readers {
            let read = timeout(Duration::from_secs(10), stream.read(&mut [0; 100])).await;
            let read = read
                .expect("the body comes")
                .expect("the connection is kept");
            assert_eq!(read, 100);
        }
    }
    let grown = server.memory().saturating_sub(before) >> 20;
    assert!(
        grown < 64,
        "the host holds {grown} MiB for readers that are slow"
    );
}

#[tokio::test]
async fn a_body_comes_whole_however_it_is_cut() {
    let server = Setup::trouble().start().await;
    let pieces = (0..5000_usize).map(|n| hyper::body::Bytes::from(vec![b'x'; n % 97 + 1]));
    let size: usize = (0..5000).map(|n| n % 97 + 1).sum();
    let response = server
        .post("/body")
        .chunked("text/plain", pieces)
        .send()
        .await;
    assert_eq!(response.text(), size.to_string());
    let response = server.get("/big?mb=20").send().await;
    assert_eq!(response.body.len(), 20 << 20);
}
