//! Requests to other servers, over connections that are kept for the next one.
//!
//! By hyper-util's client. `wasmtime_wasi_http::default_send_request` opens a connection for each request, which with TLS
//! takes longer than most models take to begin; it also knows no rule for addresses and no proxy, leaves Nagle's
//! algorithm on and reads the root certificates again each time.

use super::{connect::Connector, dial::Version};
use bytes::Bytes;
use http::{Request, Response, header::PROXY_AUTHORIZATION};
use http_body::Body;
use hyper::body::Incoming;
use hyper_util::{
    client::legacy,
    rt::{TokioExecutor, TokioTimer},
};
use std::time::Duration;

/// Unused connections to one server.
const MOST_IDLE: usize = 32;

/// Sends requests. Its connections belong to the runtime that they were opened on, and end with it.
pub struct Client<B> {
    connector: Connector,
    inner: legacy::Client<Connector, B>,
}

impl<B> Client<B>
where
    B: Body<Data = Bytes, Error: std::error::Error + Send + Sync> + Send + Unpin + 'static,
{
    /// Over connections that `connector` opens, each kept for `idle_limit` after its last answer: less than the server keeps
    /// it, or else a request may meet its end.
    pub fn new(connector: Connector, idle_limit: Duration) -> Self {
        let inner = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(idle_limit)
            .pool_max_idle_per_host(MOST_IDLE)
            .http2_only(connector.version == Version::Http2)
            .build(connector.clone());
        Self { connector, inner }
    }

    /// Sends a request, on a new connection again if a kept one had ended before; that is all that is sent twice.
    /// Redirects are the caller's to follow. Dropping the answer before its end closes the connection.
    ///
    /// # Errors
    /// When the server is not reached, or does not answer.
    pub async fn request(
        &self,
        mut request: Request<B>,
    ) -> Result<Response<Incoming>, legacy::Error> {
        let Connector {
            dialer,
            may_be_private,
            version,
            ..
        } = &self.connector;
        let authorization = dialer.authorization(request.uri(), *may_be_private, *version);
        if let Some(authorization) = authorization {
            let headers = request.headers_mut();
            headers.insert(PROXY_AUTHORIZATION, authorization);
        }
        self.inner.request(request).await
    }
}
