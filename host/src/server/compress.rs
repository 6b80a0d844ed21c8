//! JSON for clients that ask for it compressed (RFC 9110, section 12.5.3).
//!
//! Nothing else: components compress their own pages, streams must not wait for a block to fill, and files are served in
//! ranges of their bytes.

use crate::answer::full;
use http::{HeaderMap, HeaderValue, Request, Response, header};
use http_body_util::BodyExt;
use std::{convert::Infallible, future::ready};
use tower::{Service, service_fn};
use tower_http::{
    CompressionLevel,
    compression::{Compression, predicate::SizeAbove},
};

use wasmtime_wasi_http::{Error, WasiBody};

/// The shortest answer that is compressed, in bytes.
const SHORTEST: u64 = 1024;
/// What the answer may cost: four times smaller at a hundred megabytes a second, for gzip and Brotli alike.
const QUALITY: i32 = 4;

/// Compresses an answer if it is JSON of some length and `accepted`, the request's `Accept-Encoding`, asks for it.
pub async fn compress(
    accepted: Option<HeaderValue>,
    response: Response<WasiBody>,
) -> Response<WasiBody> {
    let Some(accepted) = accepted.filter(|_| is_json(response.headers())) else {
        return response;
    };
    let status = response.status();
    let mut request = Request::new(());
    request
        .headers_mut()
        .insert(header::ACCEPT_ENCODING, accepted);
    let mut answered = Some(response);
    // It is called once.
    let answered = service_fn(move |_: Request<()>| {
        let response = answered.take().unwrap_or_else(|| Response::new(full("")));
        ready(Ok::<_, Infallible>(response))
    });
    let mut service = Compression::new(answered)
        .quality(CompressionLevel::Precise(QUALITY))
        .compress_when(SizeAbove::new(SHORTEST));
    let Ok(response) = service.call(request).await;
    let mut response = response.map(|body| {
        body.map_err(|error| match error.downcast::<Error>() {
            Ok(error) => *error,
            Err(error) => Error::InternalError(Some(error.to_string())),
        })
        .boxed_unsync()
    });
    // Of a client that takes no encoding at all, not even none, the library makes 406. What it asked for has been done.
    *response.status_mut() = status;
    response
}

/// Whether an answer is JSON, and not a file that happens to be.
fn is_json(headers: &HeaderMap) -> bool {
    let is_json = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    is_json && !headers.contains_key(header::ETAG)
}
