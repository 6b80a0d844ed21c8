//! Sends spans to the collector (OTLP over HTTP, as JSON), in batches, beside everything else.
//!
//! By hand: the crates of OpenTelemetry bring another HTTP stack and a code generator's output for a protocol of which
//! this is all (docs/decisions.md#spans-are-sent-as-json).

use super::{MAX_WAITING, Sampler, TRACER, Tracer};
use crate::outbound::{client::Client, connect::Connector, dial::Dialer};
use anyhow::{Context, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use serde_json::{Value, json};
use std::{
    env,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};
use tokio::{
    sync::{mpsc, watch},
    time::timeout,
};

/// Below this path of the endpoint that all signals share.
const PATH: &str = "/v1/traces";
/// The most spans of one request.
const BATCH: usize = 512;
/// How long spans are collected before they are sent.
const COLLECT: Duration = Duration::from_secs(1);
/// How long the collector may take for one request.
const LIMIT: Duration = Duration::from_secs(10);
/// How long an unused connection to it is kept.
const IDLE_LIMIT: Duration = Duration::from_secs(10);
/// How long the process waits for it at its end.
const LAST_LIMIT: Duration = Duration::from_secs(2);
/// Bytes of its answer that are read.
const MAX_ANSWER: usize = 64 * 1024;

/// Where spans are sent.
#[derive(Debug)]
struct Collector {
    url: Uri,
    headers: HeaderMap,
    /// The name of this program.
    service: String,
    /// Which traces it gets.
    sampler: Sampler,
}

impl Collector {
    /// The collector that the environment names, by the variables of OpenTelemetry; `None` if it names none.
    fn of_environment() -> anyhow::Result<Option<Self>> {
        let variable = |name: &str| env::var(name).ok().filter(|text| !text.is_empty());
        if variable("OTEL_SDK_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
            return Ok(None);
        }
        let endpoint = variable("OTEL_EXPORTER_OTLP_ENDPOINT");
        let endpoint = endpoint.map(|url| format!("{}{PATH}", url.trim_end_matches('/')));
        let Some(url) = variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or(endpoint) else {
            return Ok(None);
        };
        let protocol = variable("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL")
            .or_else(|| variable("OTEL_EXPORTER_OTLP_PROTOCOL"));
        if protocol.as_deref() == Some("grpc") {
            bail!("OTEL_EXPORTER_OTLP_PROTOCOL: traces are sent over HTTP only, not with grpc");
        }
        let url: Uri = url
            .parse()
            .context("OTEL_EXPORTER_OTLP_ENDPOINT is no URL")?;
        if !matches!(url.scheme_str(), Some("http" | "https")) || url.host().is_none() {
            bail!("OTEL_EXPORTER_OTLP_ENDPOINT must be http://HOST:PORT or https://HOST:PORT");
        }
        let headers = variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS")
            .or_else(|| variable("OTEL_EXPORTER_OTLP_HEADERS"));
        let sampler = variable("OTEL_TRACES_SAMPLER");
        let argument = variable("OTEL_TRACES_SAMPLER_ARG");
        Ok(Some(Self {
            sampler: Sampler::parse(sampler.as_deref(), argument.as_deref())?,
            url,
            headers: headers_of(&headers.unwrap_or_default())
                .context("OTEL_EXPORTER_OTLP_HEADERS must be NAME=VALUE,NAME=VALUE")?,
            service: variable("OTEL_SERVICE_NAME").unwrap_or_else(|| "kafka-backend".to_owned()),
        }))
    }

    fn request(&self, spans: Vec<Value>) -> Request<Full<Bytes>> {
        let attribute =
            |key: &str, text: &str| json!({ "key": key, "value": { "stringValue": text } });
        let body = json!({ "resourceSpans": [{
            "resource": { "attributes": [
                attribute("service.name", &self.service),
                attribute("service.version", env!("CARGO_PKG_VERSION")),
            ] },
            "scopeSpans": [{ "scope": { "name": "kafka-host" }, "spans": spans }],
        }] });
        let mut request = Request::new(Full::from(body.to_string()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = self.headers.clone();
        let json = HeaderValue::from_static("application/json");
        request.headers_mut().insert(header::CONTENT_TYPE, json);
        request
    }
}

/// Headers as `NAME=VALUE,NAME=VALUE`; values may be percent-encoded.
fn headers_of(list: &str) -> anyhow::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for entry in list
        .split(',')
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
    {
        let (name, value) = entry.split_once('=').context("an entry has no =")?;
        let name: HeaderName = name.trim().parse().context("a name is none of a header")?;
        let value = decoded(value.trim()).context("a value is not percent-encoded")?;
        let mut value = HeaderValue::from_bytes(&value).context("a value is none of a header")?;
        value.set_sensitive(true);
        headers.append(name, value);
    }
    Ok(headers)
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
        let _ = timeout(LAST_LIMIT, self.exporting).await;
    }
}

async fn export(
    collector: Collector,
    dialer: Arc<Dialer>,
    mut waiting: mpsc::Receiver<Value>,
    mut stopped: watch::Receiver<bool>,
) {
    let connector = Connector {
        dialer,
        // The operator has named it, wherever it is.
        may_be_private: true,
        limit: LIMIT,
    };
    let client = Client::new(connector, IDLE_LIMIT);
    let mut has_failed = false;
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
            let sent = send(&client, collector.request(spans)).await;
            // Of failures in a row only the first is logged.
            if let Err(error) = &sent
                && !has_failed
            {
                tracing::warn!("the collector does not take {number} spans: {error:#}");
            }
            has_failed = sent.is_err();
        }
        let dropped = super::get().map_or(0, Tracer::dropped);
        if dropped > 0 && !has_failed {
            tracing::warn!("the collector is too slow, {dropped} spans were dropped");
        }
    }
}

async fn send(client: &Client<Full<Bytes>>, request: Request<Full<Bytes>>) -> anyhow::Result<()> {
    let sending = async {
        let response = client.request(request).await?;
        let status = response.status();
        // So that the connection can be used again.
        let _ = Limited::new(response.into_body(), MAX_ANSWER)
            .collect()
            .await;
        match status.is_success() {
            true => Ok(()),
            false => bail!("it answers {status}"),
        }
    };
    timeout(LIMIT, sending)
        .await
        .context("it does not answer")?
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
