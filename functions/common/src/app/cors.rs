//! What browsers learn about calls from other origins (docs/http-compatibility.md#origins: an allowed
//! origin is echoed, a foreign one refused).

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, header};

use super::plain_text;
use crate::error::detail_response;
use crate::sender::origins::Origin;

const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The headers of answers that pages may read beside those that they always may.
const EXPOSED: &str = "x-request-id, retry-after, content-disposition, content-range, etag";

/// The answer to a preflight from an allowed origin, on any path, existing or not; `None` if `request` is none.
pub(super) fn preflight(request: &Parts, origin: &Origin) -> Option<Response<Body>> {
    if !is_preflight(request) || !matches!(origin, Origin::Allowed(_)) {
        return None;
    }
    let method = request.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD)?;
    let mut response = if METHODS.iter().any(|known| method == known) {
        plain_text(StatusCode::OK, "OK")
    } else {
        plain_text(StatusCode::BAD_REQUEST, "Disallowed CORS method")
    };
    let headers = response.headers_mut();
    let methods = HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");
    headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, methods);
    headers.insert(
        header::ACCESS_CONTROL_MAX_AGE,
        HeaderValue::from_static("600"),
    );
    if let Some(names) = request.headers.get(header::ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, names.clone());
    }
    Some(response)
}

/// The answer to a web page that may not call.
pub(super) fn refuse(request: &Parts) -> Response<Body> {
    if is_preflight(request) {
        return plain_text(StatusCode::BAD_REQUEST, "Disallowed CORS origin");
    }
    detail_response(
        StatusCode::FORBIDDEN,
        "Web pages of this origin may not call. To let them, list the origin in the variable allowed_origins.",
    )
}

/// Lets the page of an allowed origin read the response, whatever its status, and another page why it is refused.
pub(super) fn add_headers(headers: &mut HeaderMap, status: StatusCode, origin: &Origin) {
    let reader = match origin {
        Origin::Allowed(origin) => {
            headers.insert(
                header::ACCESS_CONTROL_ALLOW_CREDENTIALS,
                HeaderValue::from_static("true"),
            );
            headers.insert(
                header::ACCESS_CONTROL_EXPOSE_HEADERS,
                HeaderValue::from_static(EXPOSED),
            );
            origin
        }
        Origin::Foreign(Some(origin)) if status == StatusCode::FORBIDDEN => origin,
        Origin::None | Origin::Foreign(_) => return,
    };
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, reader.clone());
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
}

fn is_preflight(request: &Parts) -> bool {
    request.method == Method::OPTIONS
        && request.headers.contains_key(header::ORIGIN)
        && request
            .headers
            .contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
}
