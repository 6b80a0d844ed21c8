//! Component `workspace`: the places that hold files and chats. `/workspace/...`.
#![forbid(unsafe_code)]

mod new;

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use axum::routing::post;
use kafka_common::app;
use spin_sdk::http::Request;
use spin_sdk::http_service;

/// Answers one request.
#[http_service]
async fn handle(request: Request) -> Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Router {
    Router::new().route("/workspace/new", post(new::create))
}
