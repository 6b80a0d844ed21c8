//! Traces, for an OpenTelemetry collector (docs/operations.md#traces): a span for each request, for each statement and for
//! each request of a component.
//!
//! They exist once a variable such as `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector, as under Spin; without one nothing
//! is spent on them. Nothing waits for the collector: what it does not take in time is dropped.

mod context;
mod export;
mod protocol;
mod sampler;

pub use context::Context;
pub use export::{Export, start};

use http::{Method, Request, StatusCode};
use opentelemetry_proto::tonic::{
    common::v1::{AnyValue, KeyValue, any_value::Value},
    trace::v1::{self, Status, span::SpanKind, status::StatusCode as Outcome},
};
use sampler::Sampler;
use std::{
    mem::take,
    sync::{
        OnceLock,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Instant, SystemTime, UNIX_EPOCH},
};
use tokio::sync::mpsc;

/// Spans that wait for the collector; more are dropped.
const MAX_WAITING: usize = 8192;

static TRACER: OnceLock<Tracer> = OnceLock::new();

/// Makes spans, if they are wanted.
pub fn get() -> Option<&'static Tracer> {
    TRACER.get()
}

/// Makes spans.
#[derive(Debug)]
pub struct Tracer {
    sampler: Sampler,
    queue: mpsc::Sender<v1::Span>,
    dropped: AtomicU64,
}

/// A span, which ends when this is dropped.
#[derive(Debug)]
pub struct Span {
    tracer: &'static Tracer,
    context: Context,
    parent: Option<[u8; 8]>,
    name: String,
    kind: SpanKind,
    start: SystemTime,
    begun: Instant,
    attributes: Vec<KeyValue>,
    failed: bool,
}

impl Tracer {
    /// Of a request to a component: below the span that its headers name, or the first one of a new trace.
    pub fn request<B>(&'static self, request: &Request<B>) -> Span {
        let parent = Context::of(request.headers());
        let mut span = self.span(
            parent.as_ref(),
            request.method().to_string(),
            SpanKind::Server,
        );
        let trace = span.context.trace;
        span.context.is_sampled = self.sampler.takes(parent.as_ref(), &trace);
        span.set("http.request.method", request.method().as_str());
        span
    }

    /// Of a statement.
    pub fn statement(&'static self, parent: &Context, sql: String) -> Span {
        let word = sql.split(' ').next().unwrap_or_default().to_owned();
        let mut span = self.span(Some(parent), word, SpanKind::Client);
        span.set("db.system.name", "sqlite");
        span.set("db.query.text", sql);
        span
    }

    /// Of a request that a component sends, with the server, and without the path and what else may be secret.
    pub fn call<B>(&'static self, parent: &Context, request: &Request<B>) -> Span {
        let (method, uri) = (request.method(), request.uri());
        let mut span = self.span(Some(parent), method.to_string(), SpanKind::Client);
        span.set("http.request.method", method.as_str());
        span.set("url.scheme", uri.scheme_str().unwrap_or_default());
        span.set("server.address", uri.host().unwrap_or_default());
        if let Some(port) = uri.port_u16() {
            span.set_number("server.port", port);
        }
        span
    }

    fn span(&'static self, parent: Option<&Context>, name: String, kind: SpanKind) -> Span {
        Span {
            tracer: self,
            context: parent.map_or_else(Context::first, Context::child),
            parent: parent.map(|parent| parent.span),
            name,
            kind,
            start: SystemTime::now(),
            begun: Instant::now(),
            attributes: Vec::new(),
            failed: false,
        }
    }

    /// How many spans were dropped since this was asked last.
    fn dropped(&self) -> u64 {
        self.dropped.swap(0, Relaxed)
    }
}

impl Span {
    /// Its place, below which others are.
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// The component and the route that a request was for.
    pub fn route(&mut self, method: &Method, component: &str, route: &str) {
        self.name = format!("{method} {route}");
        self.set("http.route", route);
        self.set("kafka.component", component);
    }

    /// A text about it.
    pub fn set(&mut self, name: &str, text: impl Into<String>) {
        self.add(name, Value::StringValue(text.into()));
    }

    /// A number about it.
    pub fn set_number(&mut self, name: &str, number: u16) {
        self.add(name, Value::IntValue(number.into()));
    }

    fn add(&mut self, name: &str, value: Value) {
        if self.context.is_sampled {
            self.attributes.push(attribute(name, value));
        }
    }

    /// It was answered with this status. Of a client's mistake the client is to blame.
    pub fn answered(&mut self, status: StatusCode) {
        self.set_number("http.response.status_code", status.as_u16());
        self.failed |= match self.kind {
            SpanKind::Server => status.is_server_error(),
            _ => status.is_client_error() || status.is_server_error(),
        };
    }

    /// It did not succeed.
    pub fn fail(&mut self) {
        self.failed = true;
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        if !self.context.is_sampled {
            return;
        }
        let nanoseconds = |time: SystemTime| {
            let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        };
        // By the clock that is never set.
        let end = self.start + self.begun.elapsed();
        let span = v1::Span {
            trace_id: self.context.trace.to_vec(),
            span_id: self.context.span.to_vec(),
            parent_span_id: self.parent.map(Vec::from).unwrap_or_default(),
            name: take(&mut self.name),
            kind: self.kind.into(),
            start_time_unix_nano: nanoseconds(self.start),
            end_time_unix_nano: nanoseconds(end),
            attributes: take(&mut self.attributes),
            status: self.failed.then(|| Status {
                code: Outcome::Error.into(),
                ..Status::default()
            }),
            ..v1::Span::default()
        };
        if self.tracer.queue.try_send(span).is_err() {
            self.tracer.dropped.fetch_add(1, Relaxed);
        }
    }
}

/// Something known about a span or about this program.
fn attribute(name: &str, value: Value) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
