//! The control listener: where publish requests arrive over HTTP.

use super::{Answer, Gateway, MAX_PUBLISH};
use anyhow::Context;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use std::{convert::Infallible, net::SocketAddr, sync::Arc, time::Duration};
use tokio::net::{TcpListener, TcpStream};

/// How long a publisher may take for a request's headers; also how long an idle connection is kept.
const HEADER_LIMIT: Duration = Duration::from_secs(60);
/// How long it may take for the body.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// A listener that accepts publishers until it is dropped with its runtime.
pub struct Control {
    listener: TcpListener,
    address: SocketAddr,
}

impl Control {
    /// Listens on `address`; port 0 picks a free one.
    pub async fn bind(address: &str) -> anyhow::Result<Self> {
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("can't listen for publish requests on {address}"))?;
        let address = listener.local_addr()?;
        Ok(Self { listener, address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves publishers for as long as it is polled.
    pub async fn serve(self, gateway: Arc<Gateway>) {
        loop {
            match self.listener.accept().await {
                Ok((stream, _)) => {
                    tokio::spawn(connection(stream, gateway.clone()));
                }
                Err(error) => {
                    tracing::warn!("can't accept a publisher: {error}");
                    tokio::time::sleep(Duration::from_millis(100)).await;
                }
            }
        }
    }
}

/// The gateway of this process, and the address that components know it by.
pub struct Local {
    /// The origin of its control listener, as in the variable `grip_url`.
    pub origin: Uri,
    /// The gateway itself.
    pub gateway: Arc<Gateway>,
}

impl Local {
    /// Whether a request to `uri` would arrive at the control listener.
    pub fn is_at(&self, uri: &Uri) -> bool {
        uri.scheme() == self.origin.scheme() && uri.authority() == self.origin.authority()
    }
}

async fn connection(stream: TcpStream, gateway: Arc<Gateway>) {
    // Failing costs speed only.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let gateway = gateway.clone();
        async move { Ok::<_, Infallible>(response(handle(&gateway, request).await)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_LIMIT)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = connection {
        tracing::debug!("a publisher: {error}");
    }
}

async fn handle(gateway: &Gateway, request: Request<Incoming>) -> Answer {
    let (method, path) = (request.method(), request.uri().path());
    if let Err(refusal) = gateway.check_publish(method, path, request.headers()) {
        return refusal;
    }
    let body = Limited::new(request.into_body(), MAX_PUBLISH).collect();
    match tokio::time::timeout(BODY_LIMIT, body).await {
        Ok(Ok(body)) => gateway.publish(&body.to_bytes()),
        Ok(Err(_)) => (StatusCode::PAYLOAD_TOO_LARGE, "Too large.\n".into()),
        Err(_) => (StatusCode::REQUEST_TIMEOUT, "Too slow.\n".into()),
    }
}

/// An answer as HTTP.
pub fn response((status, text): Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(text));
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
