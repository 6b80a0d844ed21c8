//! Component `models`: a person's own models: their name, address and API key. `/models/...`.
//!
//! The key comes in and is sealed (`common::seal`); nothing here ever opens one but to seal it anew with another
//! sealing key. Only the relay uses it.
#![forbid(unsafe_code)]

mod change;
mod delete;
mod fields;
mod list;
mod new;
mod renew;

use axum::{
    Router,
    body::Body,
    routing::{delete, get, patch, post},
};
use kafka_common::app;
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Router {
    Router::new()
        .route("/models", get(list::list))
        .route("/models/new", post(new::create))
        .route("/models/delete/{model_id}", delete(delete::delete))
        .route("/models/{model_id}", patch(change::change))
}
