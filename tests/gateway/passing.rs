//! Ordinary requests through `kafka gateway`.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::client::exchange;
use super::{Front, Process};

/// A gateway in front of a backend that sends each of `answers` after it has read something, and closes; or only reads if
/// there are none.
async fn in_front_of(answers: &'static [&'static str]) -> (Process, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let upstream = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut buffer = vec![0; 1000];
                while answers.is_empty()
                    && stream.read(&mut buffer).await.is_ok_and(|read| read > 0)
                {}
                for answer in answers {
                    drop(stream.read(&mut buffer).await);
                    stream.write_all(answer.as_bytes()).await.ok();
                }
            });
        }
    });
    let process = Process::start(|command| {
        command.args(["gateway", "--listen", "127.0.0.1:0"]).args([
            "--control",
            "127.0.0.1:0",
            "--upstream",
            &upstream,
        ]);
    });
    let address = process.address();
    (process, address)
}

#[tokio::test]
async fn headers_pass_but_those_of_one_connection_and_of_the_platform() {
    let front = Front::start().await;
    let request = "DELETE /headers?a=b HTTP/1.1\r\nHost: kafka.example\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\n\
        X-Forwarded-For: 192.0.2.1\r\nTE: trailers\r\nSpin-Client-Addr: 192.0.2.9:1\r\nX-Other: 2\r\n\r\n";
    let (status, body) = exchange(&front.address, request).await;
    assert_eq!(status, 200);
    let lines: Vec<&str> = body.lines().collect();
    for line in [
        "DELETE /headers?a=b",
        "host: kafka.example",
        "x-forwarded-for: 192.0.2.1, 127.0.0.1",
        "x-other: 2",
    ] {
        assert!(lines.contains(&line), "{line} in {body}");
    }
    for name in ["x-mine:", "te:", "connection:", "spin-client-addr:"] {
        assert!(
            !lines.iter().any(|line| line.starts_with(name)),
            "{name} in {body}"
        );
    }
}

#[tokio::test]
async fn answers_stream() {
    let front = Front::start().await;
    let mut stream = TcpStream::connect(&front.address)
        .await
        .expect("it listens");
    let request = "GET /ticks HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains("tick 0") {
        let read = stream.read(&mut buffer).await.expect("it answers");
        assert!(read > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    // The backend has sent no more until now.
    assert!(!text.contains("tick 1"), "{text}");
    front.backend.release();
    stream.read_to_string(&mut text).await.expect("a text");
    assert!(text.contains("tick 2"), "{text}");
}

#[tokio::test]
async fn bodies_stream_both_ways() {
    let front = Front::start().await;
    let mut stream = TcpStream::connect(&front.address)
        .await
        .expect("it listens");
    let request =
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 10\r\n\r\n01234";
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    let mut text = String::new();
    let mut buffer = [0; 4096];
    while !text.contains("01234") {
        let read = stream.read(&mut buffer).await.expect("it answers");
        assert!(read > 0, "{text}");
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
    }
    stream.write_all(b"56789").await.expect("it reads");
    stream.read_to_string(&mut text).await.expect("a text");
    assert!(text.contains("56789"), "{text}");
}

#[tokio::test]
async fn a_long_body_arrives_whole() {
    let front = Front::start().await;
    let long = "0123456789abcdef".repeat(256 * 1024);
    let request = format!(
        "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{long}",
        long.len()
    );
    let mut stream = TcpStream::connect(&front.address)
        .await
        .expect("it listens");
    let (mut read, mut write) = stream.split();
    let mut answer = Vec::new();
    let (sent, received) = tokio::join!(
        write.write_all(request.as_bytes()),
        read.read_to_end(&mut answer)
    );
    sent.expect("it reads");
    received.expect("it answers");
    let answer = String::from_utf8_lossy(&answer);
    let count = answer.matches("0123456789abcdef").count();
    // A chunk may end in the middle of one.
    assert!(answer.len() >= long.len() && count > 255 * 1024, "{count}");
}

#[tokio::test]
async fn a_backend_that_is_gone_is_a_bad_gateway() {
    let front = Front::start().await;
    let Front {
        process,
        backend,
        address,
        ..
    } = front;
    backend.stop().await;
    let request = "GET /headers HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let (status, body) = exchange(&address, request).await;
    assert_eq!(status, 502);
    assert_eq!(body, r#"{"detail":"The backend does not answer."}"#);
    drop(process);
}

#[tokio::test]
async fn an_answer_before_the_body_was_read_arrives() {
    let answers = &[
        "HTTP/1.1 413 Payload Too Large\r\nContent-Length: 8\r\nConnection: close\r\n\r\ntoo long",
    ];
    let (_process, address) = in_front_of(answers).await;
    let body = "x".repeat(1 << 20);
    let request = format!(
        "POST /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    for _ in 0..10 {
        let answer = exchange(&address, &request).await;
        assert_eq!(answer, (413, "too long".into()));
    }
}

#[tokio::test]
async fn a_body_that_breaks_off_is_a_bad_request() {
    let (_process, address) = in_front_of(&[]).await;
    let mut stream = TcpStream::connect(&address).await.expect("it listens");
    let request = "POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n01234";
    stream
        .write_all(request.as_bytes())
        .await
        .expect("it reads");
    stream.shutdown().await.expect("one side can be closed");
    let mut text = String::new();
    stream.read_to_string(&mut text).await.expect("a text");
    assert!(text.starts_with("HTTP/1.1 400 "), "{text}");
    assert!(
        text.ends_with(r#"{"detail":"The request's body broke off."}"#),
        "{text}"
    );
}

/// A client that sends its body only when it is asked to, and what comes before it has sent any.
async fn expecting(address: &str) -> (TcpStream, String) {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let head = "POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n";
    stream.write_all(head.as_bytes()).await.expect("it reads");
    let mut buffer = [0; 4096];
    let read = stream.read(&mut buffer).await.expect("it answers");
    let text = String::from_utf8_lossy(&buffer[..read]).into_owned();
    (stream, text)
}

#[tokio::test]
async fn only_the_backend_asks_for_a_body() {
    let answers =
        &["HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"];
    let (_process, address) = in_front_of(answers).await;
    let (_stream, text) = expecting(&address).await;
    assert!(text.starts_with("HTTP/1.1 401 "), "{text}");

    const ASKS: &str = "HTTP/1.1 100 Continue\r\n\r\n";
    let answers = &[ASKS, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nyes"];
    let (_process, address) = in_front_of(answers).await;
    let (mut stream, mut text) = expecting(&address).await;
    assert_eq!(text, ASKS);
    stream.write_all(b"01234").await.expect("it reads");
    stream.read_to_string(&mut text).await.expect("a text");
    assert!(text.ends_with("yes"), "{text}");
}
