//! The interface of the backend that the gateway uses.

use bytes::Bytes;
use http::{Request, Response};
use std::{net::SocketAddr, pin::Pin};

/// An answer to events on its way.
pub type Asked<'a> = Pin<Box<dyn Future<Output = Result<Response<Bytes>, Failure>> + Send + 'a>>;

/// The application: components in this process, or another server.
pub trait Backend: Send + Sync {
    /// Lets it answer a request with events, which the client at `peer` caused.
    fn ask(&self, request: Request<Bytes>, peer: SocketAddr) -> Asked<'_>;
}

/// The reason why there is no answer to events.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The request did not reach the backend.
    #[error("the backend can't be reached: {0}")]
    Unreachable(String),
    /// The backend may have acted on it.
    #[error("the backend failed: {0}")]
    Failed(String),
}
