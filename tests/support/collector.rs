//! A collector of OpenTelemetry's traces, and what it got.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;

use super::PATIENCE;

/// A collector that runs until its test ends.
pub struct Collector {
    address: String,
    got: Arc<Mutex<Got>>,
}

#[derive(Default)]
struct Got {
    spans: Vec<Span>,
    services: Vec<String>,
    key: Option<String>,
}

/// A span.
#[derive(Debug, Clone)]
pub struct Span {
    pub trace: String,
    pub id: String,
    pub parent: Option<String>,
    pub name: String,
    pub kind: u64,
    pub has_failed: bool,
    pub nanoseconds: u128,
    /// Texts, and numbers as texts.
    pub attributes: BTreeMap<String, String>,
}

impl Span {
    fn of(span: &Value) -> Self {
        let text = |name: &str| span[name].as_str().map(str::to_owned);
        let time = |name: &str| -> u128 {
            let time = text(name).expect("a time");
            time.parse().expect("nanoseconds")
        };
        let attributes = span["attributes"].as_array().expect("attributes");
        let attributes = attributes.iter().map(|attribute| {
            let value = attribute["value"].as_object().expect("a value");
            let value = value.values().next().and_then(Value::as_str);
            let key = attribute["key"].as_str().expect("a key");
            (key.to_owned(), value.expect("a text").to_owned())
        });
        Self {
            trace: text("traceId").expect("a trace"),
            id: text("spanId").expect("an id"),
            parent: text("parentSpanId"),
            name: text("name").expect("a name"),
            kind: span["kind"].as_u64().expect("a kind"),
            has_failed: span["status"]["code"] == 2,
            nanoseconds: time("endTimeUnixNano") - time("startTimeUnixNano"),
            attributes: attributes.collect(),
        }
    }

    /// An attribute, empty if there is none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

impl Collector {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let got = Arc::<Mutex<Got>>::default();
        let routes = Router::new()
            .route("/v1/traces", post(take))
            .with_state(got.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, got }
    }

    /// What the environment has to name.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All spans so far.
    pub fn spans(&self) -> Vec<Span> {
        let got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        got.spans.clone()
    }

    /// The names under which programs have sent spans, and the last key that one has sent.
    pub fn senders(&self) -> (Vec<String>, Option<String>) {
        let got = self.got.lock().unwrap_or_else(PoisonError::into_inner);
        (got.services.clone(), got.key.clone())
    }

    /// Waits for a span, and returns it.
    pub async fn span(&self, what: &str, wanted: impl Fn(&Span) -> bool) -> Span {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let spans = self.spans();
            if let Some(span) = spans.iter().find(|span| wanted(span)) {
                return span.clone();
            }
            assert!(Instant::now() < deadline, "no span of {what}: {spans:#?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn take(State(got): State<Arc<Mutex<Got>>>, headers: HeaderMap, body: String) -> StatusCode {
    let is_json = headers
        .get("content-type")
        .is_some_and(|it| it == "application/json");
    let Ok(body) = serde_json::from_str::<Value>(&body) else {
        return StatusCode::BAD_REQUEST;
    };
    if !is_json {
        return StatusCode::UNSUPPORTED_MEDIA_TYPE;
    }
    let mut got = got.lock().unwrap_or_else(PoisonError::into_inner);
    for resource in body["resourceSpans"].as_array().into_iter().flatten() {
        let service = resource.pointer("/resource/attributes/0/value/stringValue");
        let service = service.and_then(Value::as_str).expect("a service");
        got.services.push(service.to_owned());
        for scope in resource["scopeSpans"].as_array().into_iter().flatten() {
            let spans = scope["spans"].as_array().into_iter().flatten();
            got.spans.extend(spans.map(Span::of));
        }
    }
    got.key = headers
        .get("api-key")
        .and_then(|key| key.to_str().ok().map(str::to_owned));
    StatusCode::OK
}
