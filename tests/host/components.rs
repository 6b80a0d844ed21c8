//! A component that loops, panics, aborts or takes too much memory harms only its own requests.

use std::time::Duration;

use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use super::{assert_bystander_is_well, before, raise_file_limit, read_until};
use crate::support::{Server, Setup, head_and_body};

async fn trouble() -> Server {
    Setup::trouble().start().await
}

/// Fails unless the component that made the trouble works again.
async fn assert_recovered(server: &Server) {
    let response = server.get("/ok").send().await;
    response.has_status(200);
    assert_eq!(response.text(), "ok");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_is_ended_and_stops_no_other_request() {
    let server = trouble().await;
    // More loops than the machine has cores.
    let loops = join_all((0..4).map(|_| server.get("/loop").send()));
    let bystanders = async {
        for _ in 0..5 {
            assert_bystander_is_well(&server).await;
        }
    };
    let ((), loops) = before(bystanders, loops).await;
    for response in loops {
        assert!(matches!(response.status, 500..=599), "{}", response.status);
    }
    assert_recovered(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_after_the_answer_stops_no_other_request() {
    let server = trouble().await;
    for _ in 0..4 {
        let response = server.get("/loop-later").send().await;
        response.has_status(200);
    }
    // Until they are ended.
    while !server.log().contains("an instance failed") {
        assert_bystander_is_well(&server).await;
    }
}

#[tokio::test]
async fn a_panic_is_a_500_of_its_own_request() {
    let server = trouble().await;
    for path in ["/panic", "/abort", "/sqlite-panic"] {
        for _ in 0..3 {
            let response = server.get(path).send().await;
            response.has_status(500);
            let text = response.text();
            assert!(
                !text.contains("panic") && !text.contains("wasm"),
                "no internals are exposed: {text}"
            );
            assert_recovered(&server).await;
            assert_bystander_is_well(&server).await;
        }
    }
}

#[tokio::test]
async fn a_500_carries_the_request_id_that_the_log_has() {
    let server = trouble().await;
    let response = server.get("/panic").send().await;
    response.has_status(500);
    assert_eq!(response.string("/detail"), "Internal Server Error");
    let id = response.string("/request_id");
    assert!(id.len() >= 16, "{id} is unlike any other");
    server.logs(&id).await;
    server.logs("a panic on purpose").await;
}

#[tokio::test]
async fn a_panic_after_the_answer_keeps_the_answer() {
    let server = trouble().await;
    let response = server.get("/panic-later?ms=100").send().await;
    response.has_status(200);
    assert_eq!(response.text(), "panicking soon");
    server.logs("a panic on purpose").await;
    assert_recovered(&server).await;
    assert_bystander_is_well(&server).await;
}

#[tokio::test]
async fn a_trap_in_the_middle_of_a_stream_cuts_it_visibly() {
    let server = trouble().await;
    let mut stream = server.asked("/stream?count=1000&ms=20").await;
    let mut received = read_until(&mut stream, "tick 1\n").await;
    // The same instance serves these, or another does; either way the stream ends or goes on.
    for _ in 0..4 {
        server.get("/panic").send().await.has_status(500);
    }
    received += &read_until(&mut stream, "tick 100\n").await;
    let response = head_and_body(received.as_bytes());
    assert_eq!(response.status, 200);
    assert!(response.body.contains("tick 1"));
    assert!(
        !response.body.ends_with("0\r\n\r\n"),
        "a cut stream must not look complete"
    );
    assert_recovered(&server).await;
}

#[tokio::test]
async fn memory_has_a_limit() {
    let server = trouble().await;
    let response = server.get("/memory").send().await;
    // The component noticed, or was ended when it asked for more.
    match response.status {
        200 => {
            let mib: u64 = response.text().parse().expect("a number of MiB");
            assert!((16..=1024).contains(&mib), "{mib} MiB");
        }
        status => assert_eq!(status, 500),
    }
    assert_recovered(&server).await;
    assert_bystander_is_well(&server).await;
    let after = server.memory() >> 20;
    assert!(after < 1024, "the host keeps {after} MiB");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_pool_makes_only_its_own_callers_wait() {
    let server = trouble().await;
    // More than one component may have instances, and none of these lets go by itself.
    let callers = join_all((0..150).map(|_| server.get("/loop").send()));
    let mut callers = std::pin::pin!(callers);
    // Others are answered all the time, and never refused.
    let callers = loop {
        tokio::select! {
            callers = &mut callers => break callers,
            () = assert_bystander_is_well(&server) => {}
        }
    };
    let refused = callers.iter().filter(|response| response.status == 503);
    for response in refused.clone() {
        assert_ne!(
            response.header("retry-after"),
            "",
            "a refused client may try again"
        );
    }
    assert!(refused.count() > 0, "the pool was full");
    for response in &callers {
        assert!(
            matches!(response.status, 500 | 503 | 504),
            "{}",
            response.status
        );
    }
    assert_recovered(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_only_wait_do_not_wait_for_each_other() {
    const WAITING: usize = 600;
    raise_file_limit();
    let server = trouble().await;
    let (upstream, url) = upstream().await;
    let path = format!("/bystander/outbound?url={url}");
    let waiting = join_all((0..WAITING).map(|_| server.get(&path).send()));
    let answering = async {
        let mut calls = Vec::new();
        while calls.len() < WAITING {
            calls.push(upstream.accept().await.expect("the call arrives").0);
        }
        // Now all of them wait at the same time.
        for call in calls {
            answer_call(call).await;
        }
    };
    let (answers, ()) = tokio::join!(waiting, answering);
    for answer in answers {
        assert_eq!(answer.text(), "status 204");
    }
}

/// A server that the test plays, and its URL.
async fn upstream() -> (TcpListener, String) {
    let upstream = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = upstream.local_addr().expect("a bound address");
    (upstream, format!("http://{address}/"))
}

/// Reads a request and answers it.
async fn answer_call(mut stream: TcpStream) {
    let request = stream.read(&mut [0; 4096]).await;
    request.expect("a request");
    let answer = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n";
    stream.write_all(answer).await.expect("the caller listens");
}

#[tokio::test]
async fn only_allowed_hosts_can_be_called() {
    let server = trouble().await;
    let (upstream, url) = upstream().await;

    let refused = server.get(&format!("/outbound?url={url}")).send().await;
    refused.has_status(500);
    assert!(
        refused.text().starts_with("failed: "),
        "the component received: {}",
        refused.text()
    );
    let connection = timeout(Duration::from_millis(300), upstream.accept()).await;
    assert!(
        connection.is_err(),
        "no byte reaches a host that is not allowed"
    );

    let path = format!("/bystander/outbound?url={url}");
    let allowed = server.get(&path).send();
    let answering = async {
        answer_call(upstream.accept().await.expect("the call arrives").0).await;
    };
    let (allowed, ()) = tokio::join!(allowed, answering);
    assert_eq!(allowed.text(), "status 204");
}

#[tokio::test]
async fn components_see_headers_that_clients_cannot_forge() {
    let server = trouble().await;
    let response = server
        .get("/pattern/some%20name/headers?q=1")
        .header("spin-client-addr", "203.0.113.9:1")
        .header("spin-path-info", "/forged")
        .header("spin-component-route", "/forged")
        .header("spin-path-match-name", "forged")
        .header("spin-anything-else", "forged")
        .header("x-kept", "kept")
        .send()
        .await;
    let seen = response.json();
    let values = |name: &str| -> Vec<String> {
        let headers = seen["headers"].as_array().expect("a list of headers");
        let named = headers.iter().filter(|header| header[0] == name);
        named
            .map(|header| header[1].as_str().expect("a text").to_owned())
            .collect()
    };
    let client = values("spin-client-addr");
    assert_eq!(client.len(), 1, "{client:?}");
    assert!(client[0].starts_with("127.0.0.1:"), "{client:?}");
    assert!(!seen.to_string().contains("forged"), "{seen}");
    assert_eq!(values("x-kept"), ["kept"]);
    assert_eq!(
        values("spin-raw-component-route"),
        ["/pattern/:name/headers"]
    );
    assert_eq!(values("spin-path-match-name"), ["some%20name"]);
    assert_eq!(seen["method"], "GET");
    let uri = seen["uri"].as_str().expect("a text");
    assert_eq!(
        uri,
        format!(
            "http://{}/pattern/some%20name/headers?q=1",
            server.address()
        )
    );
}
