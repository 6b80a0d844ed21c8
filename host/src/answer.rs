//! Answers of the host itself, in the shape of the components' own.

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use wasmtime_wasi_http::WasiBody;

/// A body that is there as a whole.
pub fn full(bytes: impl Into<Bytes>) -> WasiBody {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// The length that a body is said to have.
pub fn said_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}

/// An error with its `detail`.
pub fn plain(status: StatusCode, detail: &str) -> Response<WasiBody> {
    with_json(status, &json!({ "detail": detail }))
}

/// An answer with this JSON.
pub fn with_json(status: StatusCode, body: &Value) -> Response<WasiBody> {
    let mut response = Response::new(full(body.to_string()));
    *response.status_mut() = status;
    let media_type = HeaderValue::from_static("application/json");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type);
    response
}
