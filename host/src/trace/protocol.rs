//! How spans travel to the collector: OTLP over gRPC or over HTTP, there as Protocol Buffers or as JSON
//! (`OTEL_EXPORTER_OTLP_PROTOCOL`, as in OpenTelemetry's "OpenTelemetry Protocol Exporter").

use crate::outbound::{
    client::Client,
    connect::Connector,
    dial::{Dialer, Version},
};
use anyhow::{Context, bail};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Uri, header, uri::PathAndQuery};
use http_body_util::{BodyExt, Collected, Full, Limited};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use prost::Message;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tonic::{client::Grpc, metadata::MetadataMap};
use tonic_prost::ProstCodec;
use tower::service_fn;

/// How long the collector may take for one request, and a connection to it to open.
const LIMIT: Duration = Duration::from_secs(10);
/// How long an unused connection to it is kept.
const IDLE_LIMIT: Duration = Duration::from_secs(10);
/// Bytes of its answer that are read.
const MAX_ANSWER: usize = 64 * 1024;
/// The method of gRPC that takes spans.
const EXPORT: PathAndQuery =
    PathAndQuery::from_static("/opentelemetry.proto.collector.trace.v1.TraceService/Export");

/// How spans are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// As Protocol Buffers, over gRPC.
    Grpc,
    /// As Protocol Buffers, over HTTP.
    Protobuf,
    /// As JSON, over HTTP.
    Json,
}

impl Protocol {
    /// That of the variable `OTEL_EXPORTER_OTLP_PROTOCOL`.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn parse(name: Option<&str>) -> anyhow::Result<Self> {
        match name {
            Some("grpc") => Ok(Self::Grpc),
            Some("http/protobuf") | None => Ok(Self::Protobuf),
            Some("http/json") => Ok(Self::Json),
            Some(_) => {
                bail!("OTEL_EXPORTER_OTLP_PROTOCOL must be grpc, http/protobuf or http/json")
            }
        }
    }

    /// Where spans are sent, below the endpoint that all signals share.
    pub fn path(self) -> &'static str {
        match self {
            // The method is named with each request.
            Self::Grpc => "",
            Self::Protobuf | Self::Json => "/v1/traces",
        }
    }
}

/// Sends spans to a collector.
pub struct Sender {
    way: Way,
    url: Uri,
    headers: HeaderMap,
}

enum Way {
    Grpc(Client<tonic::body::Body>),
    Http {
        client: Client<Full<Bytes>>,
        is_json: bool,
    },
}

impl Sender {
    /// To the collector at `url`, with these headers. There is no connection yet.
    pub fn new(protocol: Protocol, url: Uri, headers: HeaderMap, dialer: Arc<Dialer>) -> Self {
        let connector = |version| Connector {
            dialer,
            // The operator has named it, wherever it is.
            may_be_private: true,
            version,
            limit: LIMIT,
        };
        let way = match protocol {
            Protocol::Grpc => Way::Grpc(Client::new(connector(Version::Http2), IDLE_LIMIT)),
            Protocol::Protobuf | Protocol::Json => Way::Http {
                client: Client::new(connector(Version::Http1), IDLE_LIMIT),
                is_json: protocol == Protocol::Json,
            },
        };
        Self { way, url, headers }
    }

    /// Sends spans.
    ///
    /// # Errors
    /// When the collector is not reached, or does not take all of them in time.
    pub async fn send(&self, spans: ExportTraceServiceRequest) -> anyhow::Result<()> {
        let sending = async {
            match &self.way {
                Way::Grpc(client) => self.call(client, spans).await,
                Way::Http { client, is_json } => self.post(client, *is_json, spans).await,
            }
        };
        let part = tokio::time::timeout(LIMIT, sending).await;
        match part.context("it does not answer")?? {
            Some(part) if part.rejected_spans > 0 => {
                // One line of the log, whatever it says.
                let why = part.error_message.escape_debug();
                bail!("it refuses {}: {why}", part.rejected_spans)
            }
            _ => Ok(()),
        }
    }

    async fn call(
        &self,
        client: &Client<tonic::body::Body>,
        spans: ExportTraceServiceRequest,
    ) -> anyhow::Result<Option<ExportTracePartialSuccess>> {
        let service = service_fn(|request| client.request(request));
        let mut service = Grpc::with_origin(service, self.url.clone());
        let mut request = tonic::Request::new(spans);
        *request.metadata_mut() = MetadataMap::from_headers(self.headers.clone());
        request.set_timeout(LIMIT);
        service.ready().await?;
        let answer = service.unary(request, EXPORT, ProstCodec::default()).await;
        let answer: ExportTraceServiceResponse = answer?.into_inner();
        Ok(answer.partial_success)
    }

    async fn post(
        &self,
        client: &Client<Full<Bytes>>,
        is_json: bool,
        spans: ExportTraceServiceRequest,
    ) -> anyhow::Result<Option<ExportTracePartialSuccess>> {
        let (kind, body) = match is_json {
            true => ("application/json", serde_json::to_vec(&spans)?),
            false => ("application/x-protobuf", spans.encode_to_vec()),
        };
        let mut request = Request::new(Full::from(body));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = self.headers.clone();
        let kind = HeaderValue::from_static(kind);
        request.headers_mut().insert(header::CONTENT_TYPE, kind);
        let answer = client.request(request).await?;
        let status = answer.status();
        // To its end, so that the connection can be used again.
        let body = Limited::new(answer.into_body(), MAX_ANSWER).collect().await;
        if !status.is_success() {
            bail!("it answers {status}");
        }
        // Not every collector answers with what it should; that it has taken the spans is in the status.
        let Ok(body) = body.map(Collected::to_bytes) else {
            return Ok(None);
        };
        Ok(match is_json {
            true => part_of_json(&body),
            false => {
                let answer = ExportTraceServiceResponse::decode(body);
                answer.ok().and_then(|answer| answer.partial_success)
            }
        })
    }
}

/// What is not taken, by an answer in JSON. It has 64-bit numbers as texts, which the generated type does not read.
fn part_of_json(body: &[u8]) -> Option<ExportTracePartialSuccess> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let part = &answer["partialSuccess"];
    let number = &part["rejectedSpans"];
    Some(ExportTracePartialSuccess {
        rejected_spans: number.as_i64().or_else(|| number.as_str()?.parse().ok())?,
        error_message: part["errorMessage"].as_str().unwrap_or_default().to_owned(),
    })
}
