//! Component `models`: a person's own models: their name, address and API key, and what was used of them.
//! `/models/...`, `/usage`.
//!
//! The key comes in and is sealed (`common::seal`); nothing here ever opens one but to seal it again with another
//! sealing key. Only the relay uses it.
#![forbid(unsafe_code)]

mod change;
mod delete;
mod fields;
mod list;
mod new;
mod renew;
mod usage;

use axum::body::Body;
use kafka_common::{
    api,
    app::{self, Routes},
};
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Routes {
    Routes::new()
        .on(&api::models::LIST, list::list)
        .on(&api::models::NEW, new::create)
        .on(&api::models::CHANGE, change::change)
        .on(&api::models::DELETE, delete::delete)
        .on(&api::usage::SHOW, usage::show)
}
