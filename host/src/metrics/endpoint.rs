//! What Prometheus asks for: `GET /metrics`, on a listener of its own.

use crate::listener::Listener;
use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::Full;
use prometheus_client::{encoding::prometheus_text, registry::Registry};
use std::{future::ready, sync::Arc};

/// Listens on `address`; only a port is one of loopback, and port 0 picks a free one.
pub async fn bind(address: &str) -> anyhow::Result<Listener> {
    let address = match address.parse::<u16>() {
        Ok(port) => &format!("127.0.0.1:{port}"),
        Err(_) => address,
    };
    Listener::bind(address, "Prometheus").await
}

/// Answers for as long as it is polled.
pub async fn serve(listener: Listener, registry: Registry) {
    let registry = Arc::new(registry);
    let serve = listener.serve(move |request| ready(answer(&registry, &request)));
    serve.await;
}

fn answer<B>(registry: &Registry, request: &Request<B>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    if request.uri().path() != "/metrics" {
        *response.status_mut() = StatusCode::NOT_FOUND;
        return response;
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
        return response;
    }
    let mut text = String::new();
    match prometheus_text::encode(&mut text, registry) {
        Ok(()) => {
            *response.body_mut() = text.into();
            let format = HeaderValue::from_static(prometheus_text::CONTENT_TYPE);
            response.headers_mut().insert(header::CONTENT_TYPE, format);
        }
        // A string takes all that is written.
        Err(_) => *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR,
    }
    response
}
