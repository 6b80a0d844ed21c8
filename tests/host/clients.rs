//! Clients that are slow, silent or gone delay no other.

use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};
use tokio::time::{sleep, timeout};

use super::{assert_bystander_is_well, raise_file_limit};
use crate::support::{PATIENCE, Server, Setup, head_and_body, login, read_response};

/// A connection from another of this machine's addresses.
async fn connect_from(server: &Server, address: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    let from = format!("{address}:0").parse().expect("an address");
    socket
        .bind(from)
        .expect("all of 127.0.0.0/8 is this machine");
    let to = server.address().parse().expect("an address");
    socket.connect(to).await.expect("it listens")
}

/// Begins a POST whose body has one byte of a thousand.
async fn begin_body(stream: &mut TcpStream, server: &Server, path: &str) {
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: {}\r\ncontent-type: application/x-www-form-urlencoded\r\n\
         content-length: 1000\r\n\r\ne",
        server.address()
    );
    // Over its share it may be cut off at any time.
    stream.write_all(head.as_bytes()).await.ok();
}

/// Sends `bytes` one at a time until all are sent or the server hangs up.
async fn drip(stream: &mut TcpStream, bytes: &[u8]) {
    for byte in bytes {
        if stream.write_all(std::slice::from_ref(byte)).await.is_err() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_client_that_sends_byte_by_byte_is_served_and_delays_no_other() {
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
async fn many_silent_connections_delay_no_client_and_are_closed() {
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
    let closed = timeout(PATIENCE, first.read_to_end(&mut Vec::new())).await;
    assert!(closed.is_ok(), "half a head is not waited for for ever");
    assert_bystander_is_well(&server).await;
}

#[tokio::test]
async fn clients_that_stop_in_their_bodies_delay_no_other() {
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
            let read = timeout(PATIENCE, stream.read(&mut [0; 100])).await;
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

#[tokio::test]
async fn an_address_has_a_share_of_the_connections() {
    let setup = Setup::app().variable("trusted_proxies", "127.0.0.1");
    let setup = setup.argument("--max-per-address").argument("20");
    let server = setup.start().await;
    let ask = async |mut stream: TcpStream| {
        let request = format!(
            "GET /healthz HTTP/1.1\r\nhost: {}\r\n\r\n",
            server.address()
        );
        stream.write_all(request.as_bytes()).await.ok();
        read_response(&mut stream).await
    };
    let mut idle = Vec::new();
    for _ in 0..20 {
        idle.push(connect_from(&server, "127.0.0.2").await);
    }
    let refused = ask(connect_from(&server, "127.0.0.2").await).await;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert_eq!(
        refused.body,
        r#"{"detail":"Too many connections from this address."}"#
    );
    assert_eq!(
        ask(connect_from(&server, "127.0.0.3").await).await.status,
        200
    );
    // A proxy that is believed has no share.
    for _ in 0..30 {
        idle.push(connect_from(&server, "127.0.0.1").await);
    }
    assert_eq!(ask(server.connect().await).await.status, 200);
    drop(idle);
    let deadline = Instant::now() + PATIENCE;
    while ask(connect_from(&server, "127.0.0.2").await).await.status != 200 {
        assert!(Instant::now() < deadline, "the places are not free again");
    }
}

#[tokio::test]
async fn thousands_of_slow_bodies_lock_no_client_out() {
    raise_file_limit();
    let server = Server::start().await;
    let mut slow = Vec::new();
    for _ in 0..2200 {
        let mut stream = server.connect().await;
        begin_body(&mut stream, &server, "/auth/login").await;
        slow.push(stream);
    }
    // None of them is ever silent for long.
    let dripping = async {
        loop {
            for stream in &mut slow {
                stream.write_all(b"x").await.ok();
            }
            sleep(Duration::from_secs(5)).await;
        }
    };
    let others = async {
        let user = login(&server, "someone@example.com").await;
        let content = vec![7; 1 << 20];
        server.file(&user, "a file", &content).await;
    };
    tokio::select! {
        () = dripping => unreachable!("it drips for ever"),
        () = others => {}
    }
    // Only as many made room as had to: the time for which all may be slow is not over.
    let mut kept = 0;
    for stream in &slow {
        let silent = timeout(Duration::from_millis(1), stream.readable()).await;
        kept += usize::from(silent.is_err());
    }
    assert!(kept > 0);
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_cut() {
    let server = Setup::trouble().start().await;
    let mut silent = server.connect().await;
    begin_body(&mut silent, &server, "/body").await;
    let mut dripping = server.connect().await;
    begin_body(&mut dripping, &server, "/body").await;
    let (mut reader, mut writer) = dripping.split();
    let drip = async {
        loop {
            sleep(Duration::from_secs(2)).await;
            if writer.write_all(b"x").await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    };
    let answer = async {
        let mut received = Vec::new();
        let end = timeout(PATIENCE, reader.read_to_end(&mut received)).await;
        end.expect("it is cut").ok();
        head_and_body(&received)
    };
    let cut = tokio::select! {
        cut = answer => cut,
        () = drip => unreachable!("it drips for ever"),
    };
    assert_eq!(cut.status, 408, "{cut:?}");
    assert_eq!(
        cut.body,
        r#"{"detail":"The request's body came too slowly."}"#
    );
    assert_eq!(read_response(&mut silent).await.status, 408);
    assert_bystander_is_well(&server).await;
}

#[tokio::test]
async fn a_host_is_named_once_and_headers_have_a_limit() {
    let server = Setup::trouble().start().await;
    let twice = "GET /ok HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\n\r\n";
    let refused = server.raw(twice).await;
    assert_eq!(refused.status, 400);
    assert_eq!(
        refused.body,
        r#"{"detail":"There is more than one Host header."}"#
    );
    for size in [60_000, 65_537, 66_000, 100_000, 1_000_000] {
        for fields in [1, 50] {
            let field = format!("x-long: {}\r\n", "y".repeat(size / fields));
            let request = format!(
                "GET /ok HTTP/1.1\r\nhost: localhost\r\n{}\r\n",
                field.repeat(fields)
            );
            let answer = server.raw(&request).await;
            let expected = if size < 65_536 { 200 } else { 431 };
            assert_eq!(answer.status, expected, "{size} in {fields}: {answer:?}");
        }
    }
    assert_bystander_is_well(&server).await;
}
