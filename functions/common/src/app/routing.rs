//! Around the router: what no route answers, and paths that need care (docs/http-compatibility.md#paths-and-methods).

use std::convert::Infallible;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Response, StatusCode, Uri, header};
use axum::response::IntoResponse;
use percent_encoding::percent_decode_str;
use tower_service::Service;

use crate::error::{Error, detail_response};
use crate::sender::origins::own_host;

/// `routes` with FastAPI's 404 and 405.
pub(super) fn complete(routes: Router) -> Router {
    routes
        .fallback(async || Error::not_found("Not Found"))
        .method_not_allowed_fallback(async || method_not_allowed())
}

/// Answers from `router`, a completed one.
pub(super) async fn route(mut request: Request, router: Router) -> Response<Body> {
    if !is_plain(request.uri().path()) {
        return Error::not_found("Not Found").into_response();
    }
    if let Some(location) = without_trailing_slash(&request) {
        return match exists(&location, &router).await {
            true => redirect(&request.into_parts().0, &location),
            false => Error::not_found("Not Found").into_response(),
        };
    }
    // HEAD is GET whose body the HTTP server leaves out. It can't be left out here: the platform would find the body
    // shorter than its content-length and break the response off.
    if request.method() == Method::HEAD {
        *request.method_mut() = Method::GET;
    }
    let mut response = call(router, request).await;
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        tidy_allow(response.headers_mut());
    }
    response
}

async fn call(mut router: Router, request: Request) -> Response<Body> {
    let outcome: Result<_, Infallible> = router.call(request).await;
    match outcome {
        Ok(response) => response,
        Err(never) => match never {},
    }
}

/// A path whose segments mean what they show. An encoded slash would smuggle one into an id, and what isn't UTF-8 is
/// the name of nothing.
fn is_plain(path: &str) -> bool {
    let decoded = percent_decode_str(path).decode_utf8();
    decoded.is_ok_and(|decoded| decoded.matches('/').count() == path.matches('/').count())
}

/// The path of a request that ends in slashes, without them.
fn without_trailing_slash(request: &Request) -> Option<Uri> {
    let path = request.uri().path();
    let trimmed = path.trim_end_matches('/');
    if trimmed.len() == path.len() || trimmed.is_empty() {
        return None;
    }
    let target = match request.uri().query() {
        Some(query) => format!("{trimmed}?{query}"),
        None => trimmed.to_owned(),
    };
    target.parse().ok()
}

/// Whether `router` has a route for this path. A method that no route has asks for it: 405 is a yes, and no handler
/// runs.
async fn exists(path: &Uri, router: &Router) -> bool {
    let Ok(method) = Method::from_bytes(b"ROUTE-EXISTS") else {
        return false;
    };
    let mut question = Request::new(Body::empty());
    *question.method_mut() = method;
    *question.uri_mut() = path.clone();
    call(router.clone(), question).await.status() == StatusCode::METHOD_NOT_ALLOWED
}

fn redirect(request: &Parts, path: &Uri) -> Response<Body> {
    let scheme = request.uri.scheme_str().unwrap_or("http");
    let location = match own_host(&request.headers, &request.uri) {
        Some(host) => format!("{scheme}://{host}{path}"),
        None => path.to_string(),
    };
    let mut response = StatusCode::TEMPORARY_REDIRECT.into_response();
    match HeaderValue::from_str(&location) {
        Ok(location) => response.headers_mut().insert(header::LOCATION, location),
        Err(_) => return Error::not_found("Not Found").into_response(),
    };
    response
}

fn method_not_allowed() -> Response<Body> {
    detail_response(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}

/// axum lists the methods of the path in order of registration, without spaces.
fn tidy_allow(headers: &mut HeaderMap) {
    let Some(allow) = headers
        .get(header::ALLOW)
        .and_then(|allow| allow.to_str().ok())
    else {
        return;
    };
    let mut methods: Vec<&str> = allow.split(',').map(str::trim).collect();
    methods.sort_unstable();
    methods.dedup();
    if let Ok(allow) = HeaderValue::from_str(&methods.join(", ")) {
        headers.insert(header::ALLOW, allow);
    }
}
