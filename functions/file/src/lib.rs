//! Component `file`: files coming in and going out. `/file/...`.
#![forbid(unsafe_code)]

mod content;
mod upload;

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use axum::routing::{get, post};
use kafka_common::app;
use spin_sdk::http::Request;
use spin_sdk::http_service;

/// Answers one request.
#[http_service]
async fn handle(request: Request) -> Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Router {
    Router::new()
        .route("/file/upload", post(upload::upload))
        .route("/file/{file_id}/content", get(content::download))
}
