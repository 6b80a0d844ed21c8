//! Component `web`: the page for people, the health check, and everything no other component has a route for.
//!
//! It has no database and may call nobody. `GET /healthz` therefore tells that the process answers, not that the
//! database does.
#![forbid(unsafe_code)]

mod pages;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use axum::routing::get;
use kafka_common::app;
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Router {
    Router::new()
        .route("/", get(pages::home))
        .route("/docs", get(pages::docs))
        .route("/style.css", get(pages::style))
        .route("/healthz", get(pages::health))
}
