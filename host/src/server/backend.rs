//! The backend of one of a server's threads: the components in this process, or another server.

use super::{body::RequestBody, request::Dispatcher, upstream::Upstream};
use crate::gateway::{self, Asked, Failure};
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Limited};
use std::{net::SocketAddr, time::Duration};
use tokio::time::timeout;
use wasmtime_wasi_http::WasiBody;

/// Bytes that an answer to events may have.
const MAX_ANSWER: usize = 16 * 1024 * 1024;
/// How long the backend may take to answer events.
const ANSWER_LIMIT: Duration = Duration::from_secs(60);

/// A backend that answers requests.
pub enum Backend {
    /// The components in this process.
    InProcess(Box<Dispatcher>),
    /// A server, such as a running Spin.
    Upstream(Box<Upstream>),
}

impl Backend {
    /// Answers an ordinary request of a client.
    pub async fn handle(
        &self,
        request: Request<RequestBody>,
        peer: SocketAddr,
    ) -> Response<WasiBody> {
        match self {
            Self::InProcess(dispatcher) => dispatcher.handle(request, peer).await,
            Self::Upstream(upstream) => upstream.pass(request, peer).await,
        }
    }

    /// To be called when nothing is served any more.
    pub fn end(&self) {
        if let Self::InProcess(dispatcher) = self {
            dispatcher.end();
        }
    }
}

impl gateway::Backend for Backend {
    fn ask(&self, request: Request<Bytes>, peer: SocketAddr) -> Asked<'_> {
        let exchange = async move {
            let response = match self {
                Self::InProcess(dispatcher) => dispatcher.handle_events(request, peer).await,
                Self::Upstream(upstream) => upstream.ask(request).await?,
            };
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER)
                .collect()
                .await
                .map_err(|error| Failure::Failed(format!("its answer broke off: {error}")))?;
            Ok(Response::from_parts(head, body.to_bytes()))
        };
        Box::pin(async {
            timeout(ANSWER_LIMIT, exchange)
                .await
                .unwrap_or_else(|_| Err(Failure::Failed("it did not answer in time".into())))
        })
    }
}
