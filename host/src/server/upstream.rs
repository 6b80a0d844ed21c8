//! Requests to a backend at an address, over kept-alive connections.

mod expect;
mod patient;

use self::{expect::Invited, patient::Connector};
use super::body::RequestBody;
use crate::{
    answer::{full, plain},
    gateway::{
        Failure,
        headers::{add_forwarded_for, hides_client, remove_claims, remove_hop_by_hop},
    },
    outbound::dial::has_valid_port,
};
use anyhow::bail;
use bytes::Bytes;
use http::{
    Request, Response, StatusCode, Uri, header,
    uri::{Authority, PathAndQuery, Scheme},
};
use http_body_util::BodyExt;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;
use wasmtime_wasi_http::{Error, WasiBody};

/// How long a connection to the backend may take to open.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long an answer may take to begin, as long as Spin lets a request take.
const ANSWER_LIMIT: Duration = Duration::from_secs(600);
/// How long an unused connection is kept; less than servers keep it.
const IDLE_LIMIT: Duration = Duration::from_secs(10);

/// The backend's address, without a path.
#[derive(Debug, Clone)]
pub struct Origin(Authority);

impl Origin {
    /// Reads `http://host:port`.
    ///
    /// # Errors
    /// When it is anything else.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let uri: Uri = text.parse()?;
        let bare = matches!(uri.path(), "" | "/") && uri.query().is_none();
        match uri.into_parts() {
            parts if parts.scheme == Some(Scheme::HTTP) && bare => match parts.authority {
                Some(authority) if !has_valid_port(&authority) => {
                    bail!("{text:?} has no port between 1 and 65535")
                }
                Some(authority) if !authority.as_str().contains('@') => Ok(Self(authority)),
                _ => bail!("{text:?} has no host"),
            },
            _ => bail!("{text:?} is not http://HOST:PORT"),
        }
    }

    /// `host:port`, as for a connection.
    pub fn address(&self) -> String {
        match self.0.port() {
            Some(_) => self.0.to_string(),
            None => format!("{}:80", self.0),
        }
    }
}

/// A thread's connections to the backend.
pub struct Upstream {
    origin: Origin,
    client: Client<Connector, WasiBody>,
}

impl Upstream {
    /// No connection yet.
    pub fn new(origin: Origin) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_LIMIT));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_LIMIT)
            .build(Connector(connector));
        Self { origin, client }
    }

    /// Passes a client's request on and the answer back, both while they come.
    pub async fn pass(
        &self,
        request: Request<RequestBody>,
        peer: SocketAddr,
    ) -> Response<WasiBody> {
        let (mut parts, body) = request.into_parts();
        let Some(uri) = self.uri(&parts.uri) else {
            return plain(StatusCode::BAD_REQUEST, "The request's target is no path.");
        };
        parts.uri = uri;
        let expects = parts.headers.contains_key(header::EXPECT);
        let hidden = hides_client(&parts.headers);
        remove_hop_by_hop(&mut parts.headers);
        remove_claims(&mut parts.headers);
        add_forwarded_for(&mut parts.headers, peer.ip(), hidden);
        parts.version = http::Version::HTTP_11;
        let mut request = Request::from_parts(parts, body.boxed_unsync());
        if expects {
            request = Invited::wait(request);
        }
        let answer = self.client.request(request);
        let Ok(answer) = timeout(ANSWER_LIMIT, answer).await else {
            tracing::warn!(%peer, "no answer from {} in time", self.origin.0);
            return plain(StatusCode::GATEWAY_TIMEOUT, "The backend does not answer.");
        };
        match answer {
            Ok(response) => {
                let (mut parts, body) = response.into_parts();
                remove_hop_by_hop(&mut parts.headers);
                parts.version = http::Version::HTTP_11;
                Response::from_parts(parts, body.map_err(Error::from).boxed_unsync())
            }
            Err(error) => {
                tracing::warn!(%peer, "no answer from {}: {}", self.origin.0, chain(&error));
                plain(StatusCode::BAD_GATEWAY, "The backend does not answer.")
            }
        }
    }

    /// Sends a request with events.
    pub async fn ask(&self, request: Request<Bytes>) -> Result<Response<WasiBody>, Failure> {
        let (mut parts, body) = request.into_parts();
        parts.uri = self
            .uri(&parts.uri)
            .ok_or_else(|| Failure::Failed("the request's target is no path".into()))?;
        match self
            .client
            .request(Request::from_parts(parts, full(body)))
            .await
        {
            Ok(response) => Ok(response.map(|body| body.map_err(Error::from).boxed_unsync())),
            Err(error) if error.is_connect() => Err(Failure::Unreachable(chain(&error))),
            Err(error) => Err(Failure::Failed(chain(&error))),
        }
    }

    fn uri(&self, target: &Uri) -> Option<Uri> {
        let path: PathAndQuery = target.path_and_query()?.clone();
        if !path.path().starts_with('/') {
            return None;
        }
        Uri::builder()
            .scheme(Scheme::HTTP)
            .authority(self.origin.0.clone())
            .path_and_query(path)
            .build()
            .ok()
    }
}

/// An error with its causes.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(&format!(": {error}"));
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::Origin;

    #[test]
    fn an_origin_is_a_host_and_a_port() {
        for (text, address) in [
            ("http://127.0.0.1:3000", "127.0.0.1:3000"),
            ("http://[::1]:3000/", "[::1]:3000"),
            ("http://example", "example:80"),
        ] {
            assert_eq!(Origin::parse(text).expect(text).address(), address);
        }
        for text in [
            "",
            "127.0.0.1:3000",
            "https://a",
            "http://a/b",
            "http://a/?b",
            "http://a@b",
        ] {
            assert!(Origin::parse(text).is_err(), "{text}");
        }
    }
}
