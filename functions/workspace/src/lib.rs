//! Component `workspace`: the places that hold files and chats. `/workspace/...`.
#![forbid(unsafe_code)]

mod change;
mod chats;
mod delete;
mod files;
mod list;
mod new;
mod rename;
mod show;

use axum::body::Body;
use axum::http::Response;
use kafka_common::api;
use kafka_common::app::{self, Routes};
use spin_sdk::http::Request;
use spin_sdk::http_service;

/// Answers one request.
#[http_service]
async fn handle(request: Request) -> Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Routes {
    Routes::new()
        .on(&api::workspace::LIST, list::list)
        .on(&api::workspace::NEW, new::create)
        .on(&api::workspace::SHOW, show::show)
        .on(&api::workspace::FILES, files::list)
        .on(&api::workspace::CHATS, chats::list)
        .on(&api::workspace::CHANGE, change::change)
        .on(&api::workspace::RENAME, rename::rename)
        .on(&api::workspace::DELETE, delete::delete)
}
