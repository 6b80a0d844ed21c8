//! Component `models`: a person's own models.
#![forbid(unsafe_code)]

use axum::{Router, body::Body};
use kafka_common::app;
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Router {
    Router::new()
}
