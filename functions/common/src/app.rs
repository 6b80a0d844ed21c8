//! A component's entry point: everything between the platform and the router.
//!
//! ```ignore
//! #[http_service]
//! async fn handle(request: Request) -> http::Response<axum::body::Body> {
//!     app::serve(request, routes).await
//! }
//! ```

mod cors;
mod request_id;
mod routes;
mod routing;
mod sockets;

use std::cell::OnceCell;

use axum::Router;
use axum::body::{Body, HttpBody};
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;
use tracing::Instrument;

use crate::access::Visitor;
use crate::access::cookie::Renewal;
use crate::config::Config;
use crate::error::{Fault, Result, json_response};
use crate::log;
use crate::sender::origins::Origin;
use request_id::RequestId;
use sockets::Sockets;

pub use routes::Routes;

/// Exempt from the access check: a monitor of the process may not be on this machine.
const OF_MONITORS: [&str; 2] = ["/healthz", "/readyz"];

/// Answers one request: request id, access check, CORS, routing, and every failure in FastAPI's shape.
///
/// `routes` is called once per instance. 404, 405 and `HEAD` are made here.
pub async fn serve(
    request: spin_sdk::http::Request,
    routes: impl FnOnce() -> Routes,
) -> Response<Body> {
    thread_local! {
        // A component has one router and an instance one thread; building the router costs more than many requests.
        static ROUTES: OnceCell<(Router, Sockets)> = const { OnceCell::new() };
    }
    log::start();
    let routes = ROUTES.with(|known| {
        let known = known.get_or_init(|| {
            let (router, paths) = routes().into_parts();
            (routing::complete(router), Sockets::at(paths))
        });
        known.clone()
    });
    let (parts, body) = request.into_parts();
    let config = Config::get().await;
    respond(Request::from_parts(parts, Body::new(body)), config, routes).await
}

/// [`serve`] without the platform. The router has its fallbacks already.
async fn respond(
    request: Request,
    config: Result<&'static Config>,
    routes: (Router, Sockets),
) -> Response<Body> {
    let (parts, body) = request.into_parts();
    let id = RequestId::of(&parts);
    let span = log::request(id.as_str());
    async {
        let (response, origin) = match config {
            Ok(config) => {
                let origin = Origin::of(&parts, &config.allowed_origins);
                (
                    answer(Request::from_parts(parts, body), config, &origin, routes).await,
                    origin,
                )
            }
            Err(error) => (error.into_response(), Origin::None),
        };
        finish(response, &id, &origin)
    }
    .instrument(span)
    .await
}

async fn answer(
    request: Request,
    config: &'static Config,
    origin: &Origin,
    (router, sockets): (Router, Sockets),
) -> Response<Body> {
    let (mut parts, body) = request.into_parts();
    if !is_known_method(&parts.method) {
        return plain_text(StatusCode::BAD_REQUEST, "Invalid HTTP request received.");
    }
    if !OF_MONITORS.contains(&parts.uri.path())
        && let Some(refusal) = admit(&mut parts, config, origin)
    {
        return refusal;
    }
    if let Some(response) = cors::preflight(&parts, origin) {
        return response;
    }
    if let Some(refusal) = sockets.refuse(&parts) {
        return refusal.into_response();
    }
    parts.extensions.insert(config);
    let renewal = Renewal::default();
    parts.extensions.insert(renewal.clone());
    let mut response = routing::route(Request::from_parts(parts, body), router).await;
    renewal.add_to(response.headers_mut());
    response
}

/// Puts the access decision beside the request, or returns the answer to who may not be served.
fn admit(request: &mut Parts, config: &'static Config, origin: &Origin) -> Option<Response<Body>> {
    match (Visitor::decide(request, config), origin) {
        (Err(error), _) => Some(error.into_response()),
        (Ok(_), Origin::Foreign(_)) => Some(cors::refuse(request)),
        (Ok(visitor), Origin::None | Origin::Allowed(_)) => {
            request.extensions.insert(visitor);
            None
        }
    }
}

fn is_known_method(method: &Method) -> bool {
    let known = [
        Method::GET,
        Method::HEAD,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
        Method::TRACE,
        Method::CONNECT,
    ];
    // Registered, and newer than the library.
    known.contains(method) || method.as_str() == "QUERY"
}

/// What every response gets.
fn finish(mut response: Response<Body>, id: &RequestId, origin: &Origin) -> Response<Body> {
    if let Some(Fault(cause)) = response.extensions_mut().remove::<Fault>() {
        tracing::error!("request {id}: {cause:#}");
        response = json_response(
            StatusCode::INTERNAL_SERVER_ERROR,
            &json!({ "detail": "Internal Server Error", "request_id": id.as_str() }),
        );
    }
    let has_body = !matches!(
        response.status(),
        StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED
    );
    let length = response.body().size_hint().exact();
    let status = response.status();
    let headers = response.headers_mut();
    if !has_body {
        // The router says 0, which of a 304 would be a claim about the thing itself.
        headers.remove(header::CONTENT_LENGTH);
    } else if let Some(length) = length {
        // With its length a small answer leaves in one piece; without, it would be chunked.
        headers
            .entry(header::CONTENT_LENGTH)
            .or_insert(length.into());
    }
    headers.insert(request_id::HEADER, id.to_header());
    cors::add_headers(headers, status, origin);
    response
}

fn plain_text(status: StatusCode, text: &'static str) -> Response<Body> {
    let mut response = Response::new(Body::from(text));
    *response.status_mut() = status;
    let content_type = HeaderValue::from_static("text/plain; charset=utf-8");
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}

#[cfg(test)]
mod tests;
