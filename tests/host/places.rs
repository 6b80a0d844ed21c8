//! Long work takes no places from short requests.

use std::time::Duration;

use futures::future::join_all;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::support::{PATIENCE, Setup};

/// More than the host has places for instances of one component that take requests.
const STREAMS: usize = 150;

/// Requests that an instance serves before it takes no more, on each of the server's threads, and then some.
const REQUESTS: usize = 300;

/// Waits for bytes of a stream.
async fn hear(stream: &mut TcpStream) {
    let mut buffer = [0; 4096];
    let heard = timeout(PATIENCE, stream.read(&mut buffer)).await;
    let bytes = heard.expect("a stream is silent").expect("a stream breaks");
    assert!(bytes > 0, "a stream ended");
}

/// Each stream is one of the last requests of an instance, which lives on for it alone.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn streams_of_instances_that_take_no_more_requests() {
    let server = Setup::trouble().start().await;
    let mut streams = Vec::new();
    while streams.len() < STREAMS {
        let mut stream = server.asked("/stream?count=3000&ms=200").await;
        hear(&mut stream).await;
        streams.push(stream);
        let short = join_all((0..8).map(|_| async {
            for _ in 0..REQUESTS / 8 {
                server.get("/ok").send().await.has_status(200);
            }
        }));
        short.await;
    }
    // The streams are still there, and go on.
    for stream in &mut streams {
        hear(stream).await;
    }
}

/// Requests that are not answered for long fill no places for good: instances that are full of them give theirs up.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_wait_for_long() {
    let server = Setup::trouble().start().await;
    // As many as all places together hold, which is 128 instances with 16 each, and some more.
    let slow = join_all((0..2200).map(|_| server.get("/sleep?ms=20000").send()));
    let short = async {
        for _ in 0..100 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            server.get("/ok").send().await.has_status(200);
        }
    };
    let (slow, ()) = tokio::join!(slow, short);
    for response in slow {
        response.has_status(200);
    }
}
