//! Sends spans to the collector, in batches, beside everything else.
//!
//! By hand: OpenTelemetry's own exporter has another HTTP stack, which knows no proxy, and threads of its own
//! (docs/decisions.md#spans-are-made-by-hand).

use super::{MAX_WAITING, Sampler, TRACER, Tracer, attribute, protocol};
use crate::outbound::dial::{Dialer, has_valid_port};
use anyhow::{Context, bail};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{InstrumentationScope, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};
use std::{
    collections::BTreeMap,
    env,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

/// The name of this program, unless the operator has another one for it.
const SERVICE: &str = "kafka-backend";
/// The most spans of one request.
const BATCH: usize = 512;
/// How long spans are collected before they are sent.
const COLLECT: Duration = Duration::from_secs(1);
/// How long the process waits for it at its end.
const LAST_LIMIT: Duration = Duration::from_secs(2);

/// What the environment says of the collector.
#[derive(Debug)]
struct Collector {
    protocol: protocol::Protocol,
    url: Uri,
    headers: HeaderMap,
    /// What is known about this program.
    resource: Vec<KeyValue>,
    /// Which traces it gets.
    sampler: Sampler,
}

impl Collector {
    /// The collector that the environment names, by the variables of OpenTelemetry; `None` if it names none.
    fn of_environment() -> anyhow::Result<Option<Self>> {
        let variable = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
        // What is said for traces goes before what is said for all signals.
        let setting = |name: &str| {
            let of_traces = variable(&format!("OTEL_EXPORTER_OTLP_TRACES_{name}"));
            of_traces.or_else(|| variable(&format!("OTEL_EXPORTER_OTLP_{name}")))
        };
        if variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let of_traces = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT");
        let (url, is_whole) = match (of_traces, variable("OTEL_EXPORTER_OTLP_ENDPOINT")) {
            (Some(url), _) => (url, true),
            (None, Some(url)) => (url, false),
            (None, None) => return Ok(None),
        };
        let protocol = protocol::Protocol::parse(setting("PROTOCOL").as_deref())?;
        let url = match is_whole {
            true => url,
            false => format!("{}{}", url.trim_end_matches('/'), protocol.path()),
        };
        let url: Uri = url
            .parse()
            .context("OTEL_EXPORTER_OTLP_ENDPOINT is no URL")?;
        if !matches!(url.scheme_str(), Some("http" | "https"))
            || !url.authority().is_some_and(has_valid_port)
        {
            bail!("OTEL_EXPORTER_OTLP_ENDPOINT must be http://HOST:PORT or https://HOST:PORT");
        }
        let sampler = variable("OTEL_TRACES_SAMPLER");
        let argument = variable("OTEL_TRACES_SAMPLER_ARG");
        Ok(Some(Self {
            protocol,
            url,
            headers: headers_of(&setting("HEADERS").unwrap_or_default())
                .context("OTEL_EXPORTER_OTLP_HEADERS must be NAME=VALUE,NAME=VALUE")?,
            resource: resource_of(
                variable("OTEL_SERVICE_NAME"),
                &variable("OTEL_RESOURCE_ATTRIBUTES").unwrap_or_default(),
            )
            .context("OTEL_RESOURCE_ATTRIBUTES must be NAME=VALUE,NAME=VALUE")?,
            sampler: Sampler::parse(sampler.as_deref(), argument.as_deref())?,
        }))
    }
}

/// What is known about this program: its name, by default `kafka-backend`, its version and what the operator says.
fn resource_of(service: Option<String>, attributes: &str) -> anyhow::Result<Vec<KeyValue>> {
    let mut known = BTreeMap::from([
        ("service.name".to_owned(), SERVICE.to_owned()),
        (
            "service.version".to_owned(),
            env!("CARGO_PKG_VERSION").to_owned(),
        ),
    ]);
    for entry in entries(attributes) {
        let (name, value) = entry?;
        known.insert(name.to_owned(), String::from_utf8(value)?);
    }
    known.extend(service.map(|service| ("service.name".to_owned(), service)));
    let known = known.into_iter();
    Ok(known
        .map(|(name, text)| attribute(&name, Value::StringValue(text)))
        .collect())
}

/// Headers as `NAME=VALUE,NAME=VALUE`.
fn headers_of(list: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for entry in entries(list) {
        let (name, value) = entry?;
        let name: HeaderName = name.parse().context("a name is none of a header")?;
        let mut value = HeaderValue::from_bytes(&value).context("a value is none of a header")?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
}

/// The entries of `NAME=VALUE,NAME=VALUE`; values may be percent-encoded.
fn entries(list: &str) -> impl Iterator<Item = anyhow::Result<(&str, Vec<u8>)>> {
    let entries = list.split(',').map(str::trim);
    entries.filter(|entry| !entry.is_empty()).map(|entry| {
        let (name, value) = entry.split_once('=').context("an entry has no =")?;
        let value = decoded(value.trim()).context("a value is not percent-encoded")?;
        Ok((name.trim(), value))
    })
}

fn decoded(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, more @ ..] = rest {
        rest = more;
        bytes.push(match first {
            b'%' => {
                let digits = rest.get(..2)?;
                rest = &rest[2..];
                u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?
            }
            other => *other,
        });
    }
    Some(bytes)
}

/// Makes spans from now on, if the environment names a collector.
///
/// # Errors
/// When what it names makes no sense. That a collector does not answer is none.
pub fn start(dialer: Arc<Dialer>) -> anyhow::Result<Option<Export>> {
    let Some(collector) = Collector::of_environment()? else {
        return Ok(None);
    };
    let (queue, waiting) = mpsc::channel(MAX_WAITING);
    let tracer = Tracer {
        sampler: collector.sampler,
        queue,
        dropped: AtomicU64::new(0),
    };
    // A second start in one process would go to the first one's collector; the program has one.
    let _ = TRACER.set(tracer);
    let (stop, stopped) = watch::channel(false);
    let exporting = tokio::spawn(export(collector, dialer, waiting, stopped));
    Ok(Some(Export { stop, exporting }))
}

/// The task that sends spans.
pub struct Export {
    stop: watch::Sender<bool>,
    exporting: tokio::task::JoinHandle<()>,
}

impl Export {
    /// Sends what there is still, but does not wait for long.
    pub async fn end(self) {
        let _ = self.stop.send(true);
        if timeout(LAST_LIMIT, self.exporting).await.is_err() {
            tracing::warn!(
                "the last spans are lost, since the collector did not take them in time"
            );
        }
    }
}

async fn export(
    collector: Collector,
    dialer: Arc<Dialer>,
    mut waiting: mpsc::Receiver<Span>,
    mut stopped: watch::Receiver<bool>,
) {
    let Collector {
        protocol,
        url,
        headers,
        resource,
        ..
    } = collector;
    let sender = protocol::Sender::new(protocol, url, headers, dialer);
    let mut has_failed = false;
    let mut lost = 0;
    let mut ends = false;
    while !ends {
        tokio::select! {
            _ = stopped.changed() => ends = true,
            () = tokio::time::sleep(COLLECT) => {}
        }
        while !waiting.is_empty() {
            let mut spans = Vec::with_capacity(BATCH.min(waiting.len()));
            waiting.recv_many(&mut spans, BATCH).await;
            let number = spans.len();
            let sent = sender.send(message(&resource, spans)).await;
            // Of failures in a row only the first is logged.
            if let Err(error) = &sent
                && !has_failed
            {
                tracing::warn!("the collector does not take {number} spans: {error:#}");
            }
            has_failed = sent.is_err();
            lost += if has_failed { number as u64 } else { 0 };
        }
        lost += super::get().map_or(0, Tracer::dropped);
        if lost > 0 && (ends || !has_failed) {
            tracing::warn!("{lost} spans were lost, since the collector did not take them in time");
            lost = 0;
        }
    }
}

/// Spans of this program, as the protocol has them.
fn message(resource: &[KeyValue], spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource {
                attributes: resource.to_vec(),
                ..Resource::default()
            }),
            scope_spans: vec![ScopeSpans {
                scope: Some(InstrumentationScope {
                    name: "kafka-host".to_owned(),
                    ..InstrumentationScope::default()
                }),
                spans,
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

#[cfg(test)]
mod tests {
    use super::headers_of;

    #[test]
    fn headers_are_read() {
        let headers = headers_of("api-key=a%20b, x=y=z,").expect("they are valid");
        assert_eq!(headers["api-key"], "a b");
        assert_eq!(headers["x"], "y=z");
        for wrong in ["a", "a b=c", "a=%2", "a=%zz", "a=%0a"] {
            assert!(headers_of(wrong).is_err(), "{wrong}");
        }
    }
}
