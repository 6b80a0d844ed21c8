//! The listeners apart from the clients' addresses: for publishers, and for Prometheus.

use anyhow::Context;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::SocketAddr, time::Duration};
use tokio::net::TcpListener;

/// How long a client may take for a request's headers; also how long an idle connection is kept. Prometheus asks once a
/// minute by default.
const HEADER_LIMIT: Duration = Duration::from_secs(90);
/// How long nothing is accepted after accepting has failed, such as for want of file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// Accepts clients until it is dropped with its runtime.
pub struct Listener {
    listener: TcpListener,
    address: SocketAddr,
    purpose: &'static str,
}

impl Listener {
    /// Listens on `address`; port 0 picks a free one. `purpose` is for errors and the log, such as "publish requests".
    pub async fn bind(address: &str, purpose: &'static str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("can't listen for {purpose} on {address}"))?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            purpose,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Has `answer` answer every request, for as long as this is polled.
    pub async fn serve<A, F>(self, answer: A)
    where
        A: Fn(Request<Incoming>) -> F + Clone + Send + 'static,
        F: Future<Output = Response<Full<Bytes>>> + Send,
    {
        let purpose = self.purpose;
        loop {
            let stream = match self.listener.accept().await {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!("can't accept a connection for {purpose}: {error}");
                    tokio::time::sleep(PAUSE).await;
                    continue;
                }
            };
            // Failing costs speed only.
            let _ = stream.set_nodelay(true);
            let answer = answer.clone();
            tokio::spawn(async move {
                let service = service_fn(move |request| {
                    let response = answer(request);
                    async move { Ok::<_, Infallible>(response.await) }
                });
                let connection = http1::Builder::new()
                    .timer(TokioTimer::new())
                    .header_read_timeout(HEADER_LIMIT)
                    .serve_connection(TokioIo::new(stream), service)
                    .await;
                if let Err(error) = connection {
                    tracing::debug!("a connection for {purpose}: {error}");
                }
            });
        }
    }
}
