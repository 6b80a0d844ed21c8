//! Requests to the operator's services: small, and with an end.

use std::{pin::pin, time::Duration};

use bytes::Bytes;
use futures::future::{Either, select};
use http::{HeaderValue, Request, header};
use http_body_util::BodyExt;
use kafka_common::task::spawning;
use spin_sdk::{http::FullBody, time::sleep};

/// How long a service may take in all. A person waits.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How many bytes of an answer are read.
const MAX_BYTES: usize = 256 * 1024;

/// Who asks. Some providers refuse whoever does not say so.
const USER_AGENT: HeaderValue =
    HeaderValue::from_static(concat!("kafka-backend/", env!("CARGO_PKG_VERSION")));

/// The body of a successful answer; the error is for the log.
pub async fn fetch(mut request: Request<FullBody<Bytes>>) -> Result<Vec<u8>, String> {
    request.headers_mut().insert(header::USER_AGENT, USER_AGENT);
    let answer = pin!(exchange(request));
    match select(answer, pin!(sleep(TIMEOUT))).await {
        Either::Left((answer, _)) => answer,
        Either::Right(_) => Err("no answer in time".to_owned()),
    }
}

async fn exchange(request: Request<FullBody<Bytes>>) -> Result<Vec<u8>, String> {
    let response = spawning(spin_sdk::http::send(request))
        .await
        .map_err(|error| error.to_string())?;
    let (head, mut body) = response.into_parts();
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| error.to_string())?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data));
        if bytes.len() > MAX_BYTES {
            return Err(format!("its answer has more than {MAX_BYTES} bytes"));
        }
    }
    match head.status.is_success() {
        true => Ok(bytes),
        false => Err(format!("it answers {}", head.status)),
    }
}
