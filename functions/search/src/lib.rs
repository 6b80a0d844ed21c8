//! Component `search`: finds what a user has, and keeps the index for that (docs/decisions.md#search). It calls no host.
#![forbid(unsafe_code)]

mod find;
mod index;
mod write;

use axum::body::Body;
use kafka_common::{
    api::search,
    app::{self, Routes},
};
use spin_sdk::{http::Request, http_service};

/// Answers one request.
#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Routes {
    Routes::new().on(&search::FIND, find::find)
}
