//! Component `export`: what a user takes along, a chat or everything, and brings to another account.
//!
//! Documents and archives are written while they are sent, page by page, and archives are read while they arrive, so that
//! their length takes no memory.
#![forbid(unsafe_code)]

mod answer;
mod archive;
mod chat;
mod document;
mod import;
mod markdown;
mod pages;
mod user;

use axum::body::Body;
use kafka_common::{
    api::export,
    app::{self, Routes},
};
use spin_sdk::{http::Request, http_service};

/// Answers one request.
#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Routes {
    Routes::new()
        .on(&export::CHAT, chat::export)
        .on(&export::USER_DATA, user::export)
        .on(&export::IMPORT, import::import)
}
