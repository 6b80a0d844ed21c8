//! Requests to the operator's services: small, and with an end.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use http_body_util::{BodyExt, Limited};
use kafka_common::task::{spawning, within};
use spin_sdk::http::FullBody;

/// How long a service may take in all. A person waits.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many bytes of an answer are read.
const MAX_BYTES: usize = 256 * 1024;

/// The name of the client, without which some providers refuse requests.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("kafka-backend/", env!("CARGO_PKG_VERSION")));

/// The body of a successful answer; the error is for the log.
pub async fn fetch(mut request: Request<FullBody<Bytes>>) -> Result<Bytes, String> {
    request.headers_mut().insert(header::USER_AGENT, USER_AGENT);
    let answer = within(TIMEOUT, exchange(request)).await;
    answer.unwrap_or_else(|| Err("no answer in time".to_owned()))
}

async fn exchange(request: Request<FullBody<Bytes>>) -> Result<Bytes, String> {
    let response = spawning(spin_sdk::http::send(request))
        .await
        .map_err(|error| error.to_string())?;
    let (head, body) = response.into_parts();
    let body = Limited::new(body, MAX_BYTES).collect().await;
    let bytes = body.map_err(|error| error.to_string())?.to_bytes();
    match head.status.is_success() {
        true => Ok(bytes),
        false => Err(format!("it answers {}", head.status)),
    }
}
