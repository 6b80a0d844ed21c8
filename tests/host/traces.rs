//! Traces for an OpenTelemetry collector (docs/operations.md#traces).

use serde_json::json;

use crate::support::{
    Collector, FakeModel, Secure, Server, Setup, Span, User, login, start_refused,
};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const MODEL: &str = "fake-words-2-rate-0";

/// A user with a model and a chat, and the model.
async fn scene(server: &Server) -> (User, String, FakeModel) {
    let user = login(server, "someone@example.com").await;
    let chat = server.chat(&user, "The Trial").await;
    let model = FakeModel::start();
    let saved = server.post("/models/new").form(&[
        ("user_id", user.id.as_str()),
        ("name", MODEL),
        ("ak", "secret-key"),
        ("base_url", &model.base_url()),
    ]);
    saved.send().await.has_status(200);
    (user, chat, model)
}

/// Asks for a reply, as a part of a trace with these flags, and waits until the model was asked. Returns the headers that
/// the model got.
async fn asks(server: &Server, chat: &str, model: &FakeModel, flags: &str) -> serde_json::Value {
    let prompt = json!({ "prompt": "secret words", "model": MODEL }).to_string();
    let asked = server.post(&format!("/chat/{chat}/messages"));
    let asked = asked
        .header("accept", "application/json")
        .header("traceparent", &format!("00-{TRACE}-{PARENT}-{flags}"))
        .header("tracestate", "vendor=1");
    asked.json(prompt).send().await.has_status(202);
    let seen = model
        .saw(crate::support::PATIENCE, |seen| {
            seen["last"][0]["ended"] == true
        })
        .await;
    seen["last"][0]["headers"].clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_from_the_client_to_the_model() {
    let collector = Collector::start().await;
    let setup = Setup::app()
        .environment(ENDPOINT, &collector.endpoint())
        .environment("OTEL_EXPORTER_OTLP_HEADERS", "api-key=of%20ours")
        .environment("OTEL_SERVICE_NAME", "chat")
        .environment(
            "OTEL_RESOURCE_ATTRIBUTES",
            "service.name=other,deployment.environment.name=the%20castle",
        );
    let server = setup.start().await;
    let (_, chat, model) = scene(&server).await;
    let headers = asks(&server, &chat, &model, "01").await;

    let of_trace = |span: &Span| span.trace == TRACE;
    let request = collector
        .span("the request", |span| {
            of_trace(span) && span.parent.as_deref() == Some(PARENT)
        })
        .await;
    assert_eq!(request.name, "POST /chat/:id/messages");
    assert_eq!(request.attribute("http.response.status_code"), "202");
    assert_eq!(request.attribute("kafka.component"), "relay");
    assert!(!request.attribute("kafka.request_id").is_empty());
    assert!((request.kind, request.has_failed) == (2, false));
    assert!(request.nanoseconds > 0);
    let below = |parent: &Span| {
        let (trace, id) = (parent.trace.clone(), parent.id.clone());
        move |span: &Span| span.trace == trace && span.parent.as_ref() == Some(&id)
    };
    let of_request = below(&request);
    let insert = collector.span("a statement", |span| {
        of_request(span)
            && span
                .attribute("db.query.text")
                .starts_with("INSERT INTO beginning")
    });
    assert_eq!((insert.await.name.as_str()), "INSERT");
    let handed = collector.span("the call of reply", |span| {
        of_request(span) && span.attribute("server.address") == "reply.spin.internal"
    });
    let handed = handed.await;
    assert_eq!((handed.name.as_str(), handed.kind), ("POST", 3));
    let of_call = below(&handed);
    let reply = collector.span("reply", of_call).await;
    assert_eq!(reply.attribute("kafka.component"), "reply");
    let of_reply = below(&reply);
    let port = model
        .address()
        .rsplit(':')
        .next()
        .expect("a port")
        .to_owned();
    let called = collector
        .span("the model", |span| {
            of_reply(span) && span.attribute("server.port") == port
        })
        .await;
    assert_eq!(called.attribute("server.address"), "127.0.0.1");
    assert_eq!(called.attribute("http.response.status_code"), "200");
    assert_eq!(
        headers["traceparent"],
        format!("00-{TRACE}-{}-01", called.id)
    );
    assert_eq!(headers["tracestate"], "vendor=1");
    // What goes on after the answer, too.
    collector
        .span("the end of the reply", |span| {
            of_reply(span) && span.name == "COMMIT"
        })
        .await;
    // A request without a parent begins a trace.
    let first = collector
        .span("a login", |span| span.name == "POST /auth/...")
        .await;
    assert_eq!(first.parent, None);
    assert_ne!(first.trace, TRACE);
    let (programs, key) = collector.senders();
    for program in programs {
        assert_eq!(program["service.name"], "chat");
        assert_eq!(program["deployment.environment.name"], "the castle");
        assert!(!program["service.version"].is_empty());
    }
    assert_eq!(key.as_deref(), Some("of ours"));
    let all = format!("{:?}", collector.spans());
    for secret in ["secret", "someone@example.com", "/v1/chat"] {
        assert!(!all.contains(secret), "{secret}: {all}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_client_does_not_record_is_passed_on_only() {
    let collector = Collector::start().await;
    let setup = Setup::app().environment(ENDPOINT, &collector.endpoint());
    let mut server = setup.start().await;
    let (_, chat, model) = scene(&server).await;
    let headers = asks(&server, &chat, &model, "00").await;
    let parent = headers["traceparent"].as_str().expect("it is passed on");
    assert!(parent.starts_with(&format!("00-{TRACE}-")), "{parent}");
    assert!(parent.ends_with("-00"), "{parent}");
    // What there is at the end is sent.
    server.get("/healthz").send().await.has_status(200);
    server.terminate();
    server.ends_in_order().await;
    let spans = collector.spans();
    assert!(
        spans
            .iter()
            .any(|span| span.attribute("kafka.component") == "web")
    );
    assert!(spans.iter().all(|span| span.trace != TRACE), "{spans:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sampler_decides_what_is_recorded() {
    let collector = Collector::start().await;
    let setup = Setup::app()
        .environment(ENDPOINT, &collector.endpoint())
        .environment("OTEL_TRACES_SAMPLER", "parentbased_always_off");
    let mut server = setup.start().await;
    let (_, chat, model) = scene(&server).await;
    let headers = asks(&server, &chat, &model, "01").await;
    let parent = headers["traceparent"].as_str().expect("it is passed on");
    assert!(parent.ends_with("-01"), "{parent}");
    server.get("/healthz").send().await.has_status(200);
    server.terminate();
    server.ends_in_order().await;
    let spans = collector.spans();
    assert!(!spans.is_empty());
    assert!(spans.iter().all(|span| span.trace == TRACE), "{spans:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_that_share_an_instance_keep_their_statements() {
    let collector = Collector::start().await;
    let setup = Setup::app().environment(ENDPOINT, &collector.endpoint());
    let server = setup.start().await;
    let user = login(&server, "someone@example.com").await;
    let traces: Vec<String> = (1..=24).map(|n| format!("{n:032x}")).collect();
    let asked = traces.iter().map(|trace| {
        let request = server.get(&format!("/workspace/{}", user.workspace));
        let parent = format!("00-{trace}-{PARENT}-01");
        request.header("traceparent", &parent).send()
    });
    for answer in futures::future::join_all(asked).await {
        answer.has_status(200);
    }
    for trace in &traces {
        let request = collector
            .span("a request", |span| &span.trace == trace && span.kind == 2)
            .await;
        let of_request =
            |span: &Span| &span.trace == trace && span.parent.as_ref() == Some(&request.id);
        collector.span("a statement", of_request).await;
    }
}

/// The three of OpenTelemetry, and what is taken where none is named.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_are_sent_by_the_protocol_that_is_named() {
    for (named, protocol) in [
        ("", "http/protobuf"),
        ("http/protobuf", "http/protobuf"),
        ("http/json", "http/json"),
        ("grpc", "grpc"),
    ] {
        let collector = Collector::start().await;
        let setup = Setup::app()
            .environment(ENDPOINT, &collector.endpoint())
            .environment("OTEL_EXPORTER_OTLP_HEADERS", "api-key=of%20ours")
            .environment("OTEL_EXPORTER_OTLP_PROTOCOL", named);
        let server = setup.start().await;
        login(&server, "someone@example.com").await;
        let is_login = |span: &Span| span.name == "POST /auth/...";
        let first = collector.span("a login", is_login).await;
        assert_eq!(first.attribute("http.response.status_code"), "200");
        assert_eq!((first.parent, first.kind), (None, 2));
        assert_eq!(collector.protocol(), protocol);
        let (programs, key) = collector.senders();
        assert_eq!(programs[0]["service.name"], "kafka-backend");
        assert_eq!(key.as_deref(), Some("of ours"));
        // What is not taken is told.
        collector.refuses();
        server.get("/healthz").send().await.has_status(200);
        server.logs("it refuses 3: there is no room").await;
    }
}

/// Servers of gRPC take connections of clients only that have announced HTTP/2.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spans_are_sent_by_grpc_over_tls() {
    let collector = Collector::start().await;
    let secure = Secure::before_http2(collector.address()).await;
    let setup = Setup::app()
        .argument("--ca-file")
        .argument(&secure.ca_file())
        .environment(ENDPOINT, &format!("https://localhost:{}", secure.port))
        .environment("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc");
    let server = setup.start().await;
    login(&server, "someone@example.com").await;
    let is_login = |span: &Span| span.name == "POST /auth/...";
    collector.span("a login", is_login).await;
    assert_eq!(collector.protocol(), "grpc");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_gone_disturbs_nothing() {
    for protocol in ["http/protobuf", "grpc"] {
        let setup = Setup::app()
            .environment(ENDPOINT, "http://127.0.0.1:9")
            .environment("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
        let mut server = setup.start().await;
        for n in 0..20 {
            login(&server, &format!("user{n}@example.com")).await;
        }
        server.logs("the collector does not take").await;
        server.get("/healthz").send().await.has_status(200);
        server.terminate();
        server.ends_in_order().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_collector_the_model_is_told_nothing() {
    let server = Server::start().await;
    let (_, chat, model) = scene(&server).await;
    let headers = asks(&server, &chat, &model, "01").await;
    assert_eq!(headers["traceparent"], json!(null), "{headers}");
}

#[test]
fn what_is_no_collector_is_refused() {
    for (name, value) in [
        (ENDPOINT, "127.0.0.1:4318"),
        (ENDPOINT, "ftp://127.0.0.1"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "no header"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/xml"),
        ("OTEL_RESOURCE_ATTRIBUTES", "no attribute"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_TRACES_SAMPLER_ARG", "2"),
    ] {
        let state = tempfile::tempdir().expect("a temporary folder");
        let environment = [
            (ENDPOINT, "http://127.0.0.1:9"),
            ("OTEL_TRACES_SAMPLER", "traceidratio"),
            (name, value),
        ];
        let outcome = start_refused(state.path(), &[], &environment);
        assert!(outcome.output.contains(name), "{}", outcome.output);
    }
}
