//! Component `auth`: who somebody is, and what they have.
#![forbid(unsafe_code)]

mod login;

use axum::{Router, body::Body, routing::post};
use kafka_common::app;
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Router {
    Router::new().route("/auth/login", post(login::login))
}
