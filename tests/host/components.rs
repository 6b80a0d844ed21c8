//! A component that loops, panics, aborts or eats memory harms only whom it serves.

use std::time::{Duration, Instant};

use futures::future::join_all;

use super::assert_bystander_is_well;
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
async fn an_endless_loop_is_ended_and_stops_nobody_else() {
    let server = trouble().await;
    // More loops than the machine has cores.
    let loops = join_all((0..4).map(|_| server.get("/loop").send()));
    let bystanders = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            assert_bystander_is_well(&server).await;
        }
    };
    let (loops, ()) = tokio::join!(loops, bystanders);
    for response in loops {
        assert!(matches!(response.status, 500..=599), "{}", response.status);
    }
    assert_recovered(&server).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endless_loop_after_the_answer_stops_nobody_else() {
    let server = trouble().await;
    for _ in 0..4 {
        let response = server.get("/loop-later").send().await;
        response.has_status(200);
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    for _ in 0..20 {
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
            let said = response.text();
            assert!(
                !said.contains("panic") && !said.contains("wasm"),
                "nothing of the inside is shown: {said}"
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
    server.says(&id).await;
    server.says("a panic on purpose").await;
}

#[tokio::test]
async fn a_panic_after_the_answer_keeps_the_answer() {
    let server = trouble().await;
    let response = server.get("/panic-later?ms=100").send().await;
    response.has_status(200);
    assert_eq!(response.text(), "panicking soon");
    tokio::time::sleep(Duration::from_millis(400)).await;
    server.says("a panic on purpose").await;
    assert_recovered(&server).await;
    assert_bystander_is_well(&server).await;
}

#[tokio::test]
async fn a_trap_in_the_middle_of_a_stream_cuts_it_visibly() {
    let server = trouble().await;
    let (host, mut stream) = (server.address(), server.connect().await);
    let request = format!("GET /stream?count=1000&ms=20 HTTP/1.1\r\nhost: {host}\r\n\r\n");
    tokio::io::AsyncWriteExt::write_all(&mut stream, request.as_bytes())
        .await
        .expect("the server reads");
    tokio::time::sleep(Duration::from_millis(200)).await;
    // The same instance serves these, or another does; either way the stream ends or goes on.
    for _ in 0..4 {
        server.get("/panic").send().await.has_status(500);
    }
    let mut received = Vec::new();
    let mut buffer = [0; 4096];
    let cut_or_going_on = Instant::now() + Duration::from_secs(2);
    while Instant::now() < cut_or_going_on {
        let read = tokio::io::AsyncReadExt::read(&mut stream, &mut buffer);
        match tokio::time::timeout(Duration::from_secs(1), read).await {
            Ok(Ok(read)) if read > 0 => received.extend_from_slice(&buffer[..read]),
            Ok(_) => break,
            Err(_) => panic!("the stream is neither cut nor going on"),
        }
    }
    let response = head_and_body(&received);
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
    let bystanders = async {
        for _ in 0..20 {
            tokio::time::sleep(Duration::from_millis(200)).await;
            assert_bystander_is_well(&server).await;
        }
    };
    let (callers, ()) = tokio::join!(callers, bystanders);
    let refused = callers.iter().filter(|response| response.status == 503);
    for response in refused.clone() {
        assert_ne!(
            response.header("retry-after"),
            "",
            "who is refused is told to come again"
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
    const SLEEP: Duration = Duration::from_secs(6);
    let server = trouble().await;
    server.get("/ok").send().await.has_status(200);
    let path = format!("/sleep?ms={}", SLEEP.as_millis());
    let began = Instant::now();
    let sleepers = join_all((0..600).map(|_| server.get(&path).send())).await;
    for response in sleepers {
        response.has_status(200);
    }
    assert!(
        began.elapsed() < 2 * SLEEP,
        "somebody slept after another: {:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn only_allowed_hosts_can_be_called() {
    let server = trouble().await;
    let upstream = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a free port");
    let url = format!(
        "http://{}/",
        upstream.local_addr().expect("a bound address")
    );

    let refused = server.get(&format!("/outbound?url={url}")).send().await;
    refused.has_status(500);
    assert!(
        refused.text().starts_with("failed: "),
        "the component was told: {}",
        refused.text()
    );
    let nobody = tokio::time::timeout(Duration::from_millis(300), upstream.accept()).await;
    assert!(
        nobody.is_err(),
        "no byte reaches a host that is not allowed"
    );

    let path = format!("/bystander/outbound?url={url}");
    let allowed = server.get(&path).send();
    let answering = async {
        let (mut stream, _) = upstream.accept().await.expect("the call arrives");
        tokio::io::AsyncReadExt::read(&mut stream, &mut [0; 4096])
            .await
            .expect("a request");
        tokio::io::AsyncWriteExt::write_all(
            &mut stream,
            b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n",
        )
        .await
        .expect("the caller listens");
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
