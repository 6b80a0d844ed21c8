//! Service chaining: a component calls a private one of the same application.

use std::time::Duration;

use futures::future::join_all;

use crate::support::{Server, Setup};

/// What a component of `server` gets that asks for a URL.
async fn outbound(server: &Server, from: &str, url: impl AsRef<str>) -> String {
    let url = url.as_ref();
    let path = format!("{from}/outbound?url={url}");
    server.get(&path).send().await.text().to_owned()
}

#[tokio::test]
async fn a_private_component_is_called_by_its_name() {
    let server = Setup::trouble().start().await;
    let answers = [
        ("http://inner.spin.internal/ok", "status 200"),
        ("http://INNER.spin.internal:80/deep/ok", "status 200"),
        ("http://inner.spin.internal./nothing", "status 404"),
    ];
    for (url, answer) in answers {
        assert_eq!(outbound(&server, "/relay", url).await, answer, "{url}");
    }
}

#[tokio::test]
async fn nothing_else_is_called_that_way() {
    let server = Setup::trouble().start().await;
    for (from, url) in [
        // Its `allowed_outbound_hosts` do not have it.
        ("", "http://inner.spin.internal/ok"),
        ("/bystander", "http://inner.spin.internal/ok"),
        // It has a public route, and there is none of that name.
        ("/relay", "http://bystander.spin.internal/ok"),
        ("/relay", "http://missing.spin.internal/ok"),
    ] {
        let answer = outbound(&server, from, url).await;
        assert!(answer.starts_with("failed: "), "{from} {url}: {answer}");
    }
    // And clients do not reach it.
    let head = "GET /ok HTTP/1.1\r\nHost: inner.spin.internal\r\nConnection: close\r\n\r\n";
    let answer = server.raw(head).await;
    assert!(
        answer.body.contains("ok"),
        "the component of the path answers: {}",
        answer.body
    );
}

/// A request gets the instance that was made ahead of it, and the next one is made then.
#[tokio::test]
async fn an_instance_is_made_ahead() {
    let server = Setup::trouble().argument("--metrics=0").start().await;
    let ok = "http://inner.spin.internal/ok";
    assert_eq!(outbound(&server, "/relay", ok).await, "status 200");
    let made = r#"instances_made_total{component="inner"}"#;
    server.measures(made, |count| count == 2.0).await;
    // What it was asked before is no request of anybody's.
    let requests = r#"queue_seconds_count{component="inner"}"#;
    assert_eq!(server.metrics().await.value(requests), Some(1.0));
    // Each of the server's threads has its own.
    for _ in 0..8 {
        assert_eq!(outbound(&server, "/relay", ok).await, "status 200");
    }
    assert_eq!(server.metrics().await.value(requests), Some(9.0));
}

/// Each request has an instance of its own, so what one does ends no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trap_in_a_private_component_ends_one_request() {
    let server = Setup::trouble().start().await;
    let inner = |path: &str| format!("http://inner.spin.internal/{path}");
    let slow = join_all((0..16).map(|_| outbound(&server, "/relay", inner("sleep?ms=3000"))));
    let traps = async {
        for path in ["panic", "abort", "memory", "loop-later", "panic-later?ms=1"] {
            tokio::time::sleep(Duration::from_millis(200)).await;
            outbound(&server, "/relay", inner(path)).await;
        }
    };
    let (slow, ()) = tokio::join!(slow, traps);
    assert_eq!(slow, ["status 200"; 16]);
    server.logs("an instance failed").await;
}
