//! The style sheet of the pages, the health check, and what all answers of this component share.

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use kafka_common::api::web::{Health, Status};
use kafka_common::error::answer;

/// Unless an answer says otherwise, a page loads only its style sheet, runs no scripts, and may not be in a frame.
const POLICY: &str = "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// `GET /style.css`: the style sheet of the documentation.
pub(crate) async fn style() -> Response {
    asset(
        "text/css; charset=utf-8",
        include_str!("../../../static/style.css").into(),
    )
}

/// The header that a host adds to each request while its disk is full.
const DISK: HeaderName = HeaderName::from_static("kafka-disk");

/// `GET /healthz`: the process answers, also whether its disk is full, if the host sends that.
pub(crate) async fn health(headers: HeaderMap) -> Response {
    let full = headers.get(DISK).is_some_and(|disk| disk == "full");
    let detail = "The server's disk is full. Reading and deleting go on; what needs room is refused with 507 until \
                  there is some.";
    answer(&Health {
        status: if full { Status::DiskFull } else { Status::Ok },
        detail: full.then_some(detail),
    })
}

/// Something that browsers show or load.
pub(crate) fn asset(content_type: &'static str, body: Body) -> Response {
    let mut response = Response::new(body);
    for (name, value) in [
        (header::CONTENT_TYPE, content_type),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        // It changes with the program, so it is asked for again.
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        set(&mut response, name, value);
    }
    response
}

/// Sets a header.
pub(crate) fn set(response: &mut Response, name: HeaderName, value: &'static str) {
    response
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

/// Whether a list header contains this value, and not with `q=0`.
pub(crate) fn takes(
    request: &HeaderMap,
    header: &HeaderName,
    is_wanted: impl Fn(&str) -> bool,
) -> bool {
    values(request, header).any(|value| {
        let mut parameters = value.split(';').map(str::trim);
        let refused = |parameter: &str| {
            let quality = parameter.strip_prefix("q=");
            quality.is_some_and(|quality| quality.trim().parse() == Ok(0.0))
        };
        parameters.next().is_some_and(&is_wanted) && !parameters.any(refused)
    })
}

/// The entries of a list header.
pub(crate) fn values<'a>(
    request: &'a HeaderMap,
    header: &HeaderName,
) -> impl Iterator<Item = &'a str> {
    request
        .get_all(header)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
}
