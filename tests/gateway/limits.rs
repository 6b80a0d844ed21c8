//! Sizes, and clients that are slow, silent or wrong.

use std::process::Command;
use std::time::{Duration, Instant};

use futures::stream::FuturesUnordered;
use futures::{SinkExt, StreamExt};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::client::{Socket, connect, exchange};
use super::{FakeBackend, Front, Process, text};
use crate::support::{PATIENCE, memory_of};

const MIB: usize = 1 << 20;

/// Begins a message of 15 MiB and sends this much of it; whether all of that was taken.
async fn begin_message(socket: &mut Socket, size: usize) -> bool {
    let stream = socket.stream.get_mut();
    let head = [&[0x82, 0xff][..], &(15 * MIB as u64).to_be_bytes(), &[0; 4]].concat();
    let content = vec![0; size];
    stream.write_all(&head).await.is_ok() && stream.write_all(&content).await.is_ok()
}

async fn open_from(front: &Front, address: &str) -> Socket {
    connect(&front.address, "/", &[("X-Forwarded-For", address)])
        .await
        .expect("the socket opens")
}

#[tokio::test]
async fn long_messages_pass_both_ways() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    let long = "y".repeat(300 * 1024);
    socket.send(&format!("echo:{long}")).await;
    assert_eq!(socket.text().await, long);
    socket.send("big:5000000").await;
    assert_eq!(socket.text().await.len(), 5_000_000);
}

#[tokio::test]
async fn a_message_that_is_too_long_closes_its_socket() {
    let front = Front::with(&["--max-message", "1000"]).await;
    let mut socket = front.open("/").await;
    socket.send(&format!("echo:{}", "y".repeat(995))).await;
    assert_eq!(socket.text().await.len(), 995);
    // Far more than the system's buffers take, and all of it is on its way when the gateway has seen enough.
    let message = Message::text("y".repeat(3_000_000));
    socket.stream.send(message).await.expect("it is read");
    assert_eq!(socket.close().await.0, 1009);
}

#[tokio::test]
async fn a_slow_reader_loses_only_its_own_socket() {
    let front = Front::with(&["--max-waiting", "100000"]).await;
    let mut slow = front.open("/?channel=a").await;
    let mut quick = front.open("/?channel=a").await;
    assert_eq!(slow.text().await, "welcome");
    assert_eq!(quick.text().await, "welcome");
    let long = "z".repeat(20_000);
    // More than the system buffers for a connection.
    for number in 0..800 {
        let content = format!("{number} {long}");
        let (status, _) = front.publish(vec![text("a", &content)].into()).await;
        assert_eq!(status, 200);
        assert_eq!(quick.text().await, content);
    }
    let mut expected = 0;
    let end = loop {
        match slow.next().await {
            Some(Ok(Message::Text(text))) => {
                assert!(
                    text.starts_with(&format!("{expected} ")),
                    "no gap before the end"
                );
                expected += 1;
            }
            other => break other,
        }
    };
    assert!(expected < 800, "the slow one was given everything");
    match end {
        Some(Ok(Message::Close(Some(frame)))) => assert_eq!(u16::from(frame.code), 1013),
        None | Some(Err(_)) => {}
        other => panic!("an end was wanted, not {other:?}"),
    }
    front.publish(vec![text("a", "after")].into()).await;
    assert_eq!(quick.text().await, "after");
}

#[tokio::test]
async fn a_silent_client_is_taken_for_gone() {
    let front = Front::with(&["--ping-interval", "1"]).await;
    // The client does not read, so it does not answer the pings.
    let _silent = front.open("/silent").await;
    let mut alive = front.open("/alive").await;
    for _ in 0..3 {
        alive.silence_of(Duration::from_secs(1)).await;
    }
    let bodies = front.backend.seen();
    let gone = bodies.iter().find(|seen| seen.body == "DISCONNECT\r\n");
    assert_eq!(gone.map(|seen| seen.target.as_str()), Some("/silent"));
    alive.send("echo:alive").await;
    assert_eq!(alive.text().await, "alive");
    // Answers to our own pings are not passed on.
    let pongs = front.backend.bodies().concat();
    assert!(!pongs.contains("PONG"), "{pongs}");
}

#[tokio::test]
async fn a_frame_that_is_none_closes_its_socket() {
    let front = Front::start().await;
    let mut socket = front.open("/").await;
    // An unmasked frame.
    let stream = socket.stream.get_mut();
    stream.write_all(b"\x81\x02hi").await.expect("it is open");
    assert_eq!(socket.close().await.0, 1002);
    let mut socket = front.open("/").await;
    let stream = socket.stream.get_mut();
    stream
        .write_all(b"\x81\x82\0\0\0\0\xff\xfe")
        .await
        .expect("it is open");
    assert_eq!(socket.close().await.0, 1007);
}

#[tokio::test]
async fn unfinished_messages_share_a_budget() {
    let front = Front::with(&["--max-buffered", "16000000"]).await;
    let mut bystander = open_from(&front, "192.0.2.1").await;
    let mut hogs = Vec::new();
    for _ in 0..8 {
        let mut hog = open_from(&front, "192.0.2.1").await;
        begin_message(&mut hog, 2_000_000).await;
        hogs.push(hog);
    }
    // Half of the budget is room for three of them, and an address has no more.
    let mut closing: FuturesUnordered<_> = hogs.iter_mut().map(Socket::close).collect();
    for _ in 0..4 {
        let closed = closing.next().await.expect("there are eight");
        assert_eq!(closed.0, 1013);
    }
    // Two more may go, and two are kept.
    let three_more = closing.by_ref().take(3).collect::<Vec<_>>();
    let closed = timeout(Duration::from_secs(1), three_more).await;
    assert!(closed.is_err(), "fewer than two are kept");
    drop(closing);
    // A client that sends little is served, and another address has a share of its own.
    bystander.send("echo:little").await;
    assert_eq!(bystander.text().await, "little");
    let mut other = open_from(&front, "192.0.2.2").await;
    other
        .send(&format!("nothing:{}", "x".repeat(2_000_000)))
        .await;
    other.send("echo:heard").await;
    assert_eq!(other.text().await, "heard");
    // What they held is free when they are gone.
    drop(hogs);
    let deadline = Instant::now() + PATIENCE;
    loop {
        let mut again = open_from(&front, "192.0.2.1").await;
        again
            .send(&format!("nothing:{}", "x".repeat(2_000_000)))
            .await;
        again.stream.send(Message::text("echo:again")).await.ok();
        match again.next().await {
            Some(Ok(Message::Text(text))) if text.as_str() == "again" => break,
            other => assert!(Instant::now() < deadline, "{other:?}"),
        }
    }
}

#[tokio::test]
async fn messages_for_slow_readers_share_the_budget() {
    let front = Front::with(&["--max-buffered", "16000000"]).await;
    let mut readers = Vec::new();
    for number in 0..6 {
        let mut reader = open_from(&front, "192.0.2.1").await;
        let channel = format!(r#"control:{{"type":"subscribe","channel":"{number}"}}"#);
        reader.send(&channel).await;
        reader.send("echo:subscribed").await;
        assert_eq!(reader.text().await, "subscribed");
        readers.push(reader);
    }
    // Each has less than may wait for it, and together they have more than an address may.
    let long = "x".repeat(3_900_000);
    for number in 0..readers.len() {
        for _ in 0..3 {
            front
                .publish(vec![text(&number.to_string(), &long)].into())
                .await;
        }
    }
    let mut closed = 0;
    for reader in &mut readers {
        for _ in 0..4 {
            match reader.next().await {
                Some(Ok(Message::Text(_))) => {}
                Some(Ok(Message::Close(Some(frame)))) => {
                    assert_eq!(u16::from(frame.code), 1013);
                    closed += 1;
                    break;
                }
                other => panic!("a text or an end was wanted, not {other:?}"),
            }
            reader.send("echo:more").await;
        }
    }
    assert!(closed > 0);
}

#[tokio::test]
async fn a_socket_releases_the_memory_of_messages_that_are_sent() {
    let front = Front::start().await;
    let before = memory_of(front.process.id());
    let long = format!("echo:{}", "y".repeat(14 * MIB));
    let mut sockets = Vec::new();
    for _ in 0..12 {
        let mut socket = front.open("/").await;
        socket.send(&long).await;
        assert_eq!(socket.text().await.len(), 14 * MIB);
        sockets.push(socket);
    }
    for socket in &mut sockets {
        socket.send("echo:still here").await;
        assert_eq!(socket.text().await, "still here");
    }
    // Freed memory goes back to the system a moment later.
    let deadline = Instant::now() + PATIENCE;
    let grown = || memory_of(front.process.id()).saturating_sub(before) >> 20;
    while grown() >= 100 {
        assert!(
            Instant::now() < deadline,
            "{} MiB for 12 sockets that have nothing to do",
            grown()
        );
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn an_address_behind_a_proxy_has_a_share_of_the_connections() {
    let front = Front::with(&["--max-per-address", "3"]).await;
    let mut sockets = Vec::new();
    for _ in 0..3 {
        sockets.push(open_from(&front, "192.0.2.1").await);
    }
    let refused = front
        .refused("/", &[("X-Forwarded-For", "192.0.2.1")])
        .await;
    assert_eq!(refused.status, 429);
    assert_eq!(
        refused.body,
        r#"{"detail":"Too many connections from this address."}"#
    );
    let request = "GET /headers HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n";
    assert_eq!(exchange(&front.address, request).await.0, 429);
    // Others are not concerned, and nor is who is on this machine.
    open_from(&front, "192.0.2.2").await;
    for _ in 0..5 {
        sockets.push(front.open("/").await);
    }
    drop(sockets);
    let deadline = Instant::now() + PATIENCE;
    while connect(&front.address, "/", &[("X-Forwarded-For", "192.0.2.1")])
        .await
        .is_err()
    {
        assert!(Instant::now() < deadline, "the places are not free again");
    }
}

#[tokio::test]
async fn idle_connections_give_way_and_few_places_are_a_warning() {
    let backend = FakeBackend::start().await;
    let process = Process::start(|command| {
        let kafka = command.get_program().to_owned();
        *command = Command::new("sh");
        command
            .args(["-c", "ulimit -n 300; exec \"$0\" \"$@\""])
            .arg(kafka)
            .args([
                "gateway",
                "--listen",
                "127.0.0.1:0",
                "--control",
                "127.0.0.1:0",
            ])
            .args(["--upstream", &format!("http://{}", backend.address())]);
    });
    let address = process.address();
    // Two files for each of 22 connections, and 256 for everything else.
    super::printed(&process, "only 22 connections at a time").await;
    assert!(process.transcript.text().contains("ulimit -n"));
    let mut idle = Vec::new();
    for number in 0..40 {
        let mut stream = TcpStream::connect(&address).await.expect("it listens");
        if number % 2 == 0 {
            let half_a_head = b"GET /headers HTTP/1.1\r\nHost: x";
            stream.write_all(half_a_head).await.expect("it reads");
        }
        idle.push(stream);
    }
    let request = "GET /headers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    assert_eq!(exchange(&address, request).await.0, 200);
    // Some gave way, and the rest of those that came first did not: the time for which one may be idle is not over.
    let mut kept = 0;
    for stream in &idle[..22] {
        let silent = timeout(Duration::from_millis(10), stream.readable()).await;
        kept += usize::from(silent.is_err());
    }
    assert!((1..22).contains(&kept), "{kept}");
    // A busy connection keeps its place.
    let mut busy = connect(&address, "/", &[]).await.expect("the socket opens");
    for _ in 0..40 {
        idle.push(TcpStream::connect(&address).await.expect("it listens"));
    }
    assert_eq!(exchange(&address, request).await.0, 200);
    busy.send("echo:still here").await;
    assert_eq!(busy.text().await, "still here");
}
