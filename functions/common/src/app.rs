//! A component's entry point: everything between the platform and the router.
//!
//! ```ignore
//! #[http_service]
//! async fn handle(request: Request) -> http::Response<axum::body::Body> {
//!     app::serve(request, routes).await
//! }
//! ```

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use axum::response::IntoResponse;

use crate::error::Error;

/// Answers one request: request id, access check, CORS, routing, and every failure in the contract's shape.
///
/// `routes` may use `get`, `post` and the like but neither `any` nor fallbacks: 404 and 405 are made here. Handlers
/// take [`crate::access::Access`], `axum::extract::Path<String>` (never fails here: a path that isn't UTF-8 is 404
/// before) and the request itself.
pub async fn serve(
    _request: spin_sdk::http::Request,
    _routes: impl FnOnce() -> Router,
) -> Response<Body> {
    Error::unavailable("not yet").into_response()
}
