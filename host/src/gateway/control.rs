//! The control listener: where publish requests arrive over HTTP.

use super::{Answer, Gateway, MAX_PUBLISH};
use crate::listener::Listener;
use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use std::{sync::Arc, time::Duration};

/// How long a publisher may take for a request's body.
const BODY_LIMIT: Duration = Duration::from_secs(30);

/// Listens for publishers on `address`; port 0 picks a free one.
pub async fn bind(address: &str) -> anyhow::Result<Listener> {
    Listener::bind(address, "publish requests").await
}

/// Serves publishers for as long as it is polled.
pub async fn serve(listener: Listener, gateway: Arc<Gateway>) {
    let serve = listener.serve(move |request| {
        let gateway = gateway.clone();
        async move { response(handle(&gateway, request).await) }
    });
    serve.await;
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
