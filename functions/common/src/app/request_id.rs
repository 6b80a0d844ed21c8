//! The id under which a request appears in the log, and which its client gets too.

use std::fmt;

use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue};
use uuid::Uuid;

/// The response header that carries the id.
pub(super) const HEADER: HeaderName = HeaderName::from_static("x-request-id");

/// Set by our host, which overwrites what a client sends, so that its access log and ours agree.
const FROM_HOST: &str = "kafka-request-id";
/// Longer ids are not our host's.
const MAX_BYTES: usize = 64;

/// A request's id: letters, digits and dashes only, so it is safe in logs and headers.
#[derive(Debug, Clone)]
pub(super) struct RequestId(String);

impl RequestId {
    /// The host's id, or a new one where the host is not ours.
    pub(super) fn of(request: &Parts) -> Self {
        let given = request
            .headers
            .get(FROM_HOST)
            .and_then(|id| id.to_str().ok());
        let plain = |id: &&str| {
            (1..=MAX_BYTES).contains(&id.len())
                && id
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        Self(
            given
                .filter(plain)
                .map_or_else(|| Uuid::now_v7().to_string(), str::to_owned),
        )
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn to_header(&self) -> HeaderValue {
        // Letters, digits and dashes are always a header value.
        HeaderValue::from_str(&self.0).unwrap_or(HeaderValue::from_static("unknown"))
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}
