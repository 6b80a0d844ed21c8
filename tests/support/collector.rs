//! A collector of OpenTelemetry's traces, and what it got.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use http_body_util::{BodyExt, Full};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::{Value, json};
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
    resources: Vec<BTreeMap<String, String>>,
    key: Option<String>,
    protocol: &'static str,
    refuses: bool,
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
        Self {
            trace: text("traceId").expect("a trace"),
            id: text("spanId").expect("an id"),
            parent: text("parentSpanId").filter(|parent| !parent.is_empty()),
            name: text("name").expect("a name"),
            kind: span["kind"].as_u64().expect("a kind"),
            has_failed: span["status"]["code"] == 2,
            nanoseconds: time("endTimeUnixNano") - time("startTimeUnixNano"),
            attributes: attributes(span),
        }
    }

    /// An attribute, empty if there is none.
    pub fn attribute(&self, name: &str) -> &str {
        self.attributes.get(name).map_or("", String::as_str)
    }
}

/// What is said of a span or of a program.
fn attributes(of: &Value) -> BTreeMap<String, String> {
    let attributes = of["attributes"].as_array().expect("attributes");
    let attributes = attributes.iter().map(|attribute| {
        let value = attribute["value"].as_object().expect("a value");
        let value = value.values().next().and_then(Value::as_str);
        let key = attribute["key"].as_str().expect("a key");
        (key.to_owned(), value.expect("a text").to_owned())
    });
    attributes.collect()
}

impl Collector {
    /// Starts one on a free port.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await;
        let listener = listener.expect("a free port");
        let address = listener.local_addr().expect("an address").to_string();
        let got = Arc::<Mutex<Got>>::default();
        let method = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
        let routes = Router::new()
            .route("/v1/traces", post(take))
            .route(method, post(take_grpc))
            .with_state(got.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        Self { address, got }
    }

    /// From now on it takes no span, and says so in a successful answer.
    pub fn refuses(&self) {
        self.lock().refuses = true;
    }

    /// Where it listens.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// What the environment has to name.
    pub fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    /// All spans so far.
    pub fn spans(&self) -> Vec<Span> {
        self.lock().spans.clone()
    }

    /// What is known about the programs that have sent spans, and the last key that one has sent.
    pub fn senders(&self) -> (Vec<BTreeMap<String, String>>, Option<String>) {
        let got = self.lock();
        (got.resources.clone(), got.key.clone())
    }

    /// How the last spans came.
    pub fn protocol(&self) -> &'static str {
        self.lock().protocol
    }

    fn lock(&self) -> MutexGuard<'_, Got> {
        self.got.lock().unwrap_or_else(PoisonError::into_inner)
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

type Answer = ExportTraceServiceResponse;

impl Got {
    /// Takes what a request has, in JSON. Returns what there is to answer.
    fn take(&mut self, protocol: &'static str, headers: &HeaderMap, body: &Value) -> Answer {
        self.protocol = protocol;
        let key = headers.get("api-key");
        self.key = key.and_then(|key| key.to_str().ok().map(str::to_owned));
        if self.refuses {
            return Answer {
                partial_success: Some(ExportTracePartialSuccess {
                    rejected_spans: 3,
                    error_message: "there is no room".to_owned(),
                }),
            };
        }
        for resource in body["resourceSpans"].as_array().into_iter().flatten() {
            self.resources.push(attributes(&resource["resource"]));
            for scope in resource["scopeSpans"].as_array().into_iter().flatten() {
                let spans = scope["spans"].as_array().into_iter().flatten();
                self.spans.extend(spans.map(Span::of));
            }
        }
        Answer::default()
    }
}

/// A message of the protocol as JSON.
fn as_json(body: &[u8]) -> Value {
    let message = ExportTraceServiceRequest::decode(body).expect("a message");
    serde_json::to_value(&message).expect("JSON")
}

/// OTLP over HTTP.
async fn take(State(got): State<Arc<Mutex<Got>>>, headers: HeaderMap, body: Bytes) -> Response {
    let mut got = got.lock().unwrap_or_else(PoisonError::into_inner);
    match headers["content-type"].as_bytes() {
        b"application/json" => {
            let body = serde_json::from_slice(&body).expect("JSON");
            let answer = got.take("http/json", &headers, &body);
            // 64-bit numbers are texts in JSON.
            let part = answer.partial_success.map(|part| {
                json!({ "rejectedSpans": part.rejected_spans.to_string(), "errorMessage": part.error_message })
            });
            axum::Json(json!({ "partialSuccess": part })).into_response()
        }
        b"application/x-protobuf" => got
            .take("http/protobuf", &headers, &as_json(&body))
            .encode_to_vec()
            .into_response(),
        _ => StatusCode::UNSUPPORTED_MEDIA_TYPE.into_response(),
    }
}

/// OTLP over gRPC: a message behind a byte, which says that it is not compressed, and its length.
async fn take_grpc(
    State(got): State<Arc<Mutex<Got>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    assert_eq!(headers["content-type"], "application/grpc");
    assert_eq!(headers["te"], "trailers");
    let (prefix, message) = body.split_at(5);
    assert_eq!(prefix[0], 0);
    assert_eq!(prefix[1..], (message.len() as u32).to_be_bytes());
    let mut got = got.lock().unwrap_or_else(PoisonError::into_inner);
    let answer = got
        .take("grpc", &headers, &as_json(message))
        .encode_to_vec();
    let prefixed = [&[0], &(answer.len() as u32).to_be_bytes()[..], &answer].concat();
    let status = HeaderMap::from_iter([(
        "grpc-status".parse().expect("a name"),
        "0".parse().expect("a value"),
    )]);
    let body = Full::new(Bytes::from(prefixed)).with_trailers(async { Some(Ok(status)) });
    ([("content-type", "application/grpc")], Body::new(body)).into_response()
}
