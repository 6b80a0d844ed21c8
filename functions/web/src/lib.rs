//! Component `web`: the page for people, the API's descriptions, the health check, and everything no other component
//! has a route for.
//!
//! It has no database and may call no server. So `GET /healthz` shows that the process answers, not that the database
//! does. A header of the host shows that the disk is full; a client that sends that header deceives only itself.
#![forbid(unsafe_code)]

mod app;
mod docs;
mod packed;
mod pages;

use axum::body::Body;
use axum::response::Response;
use kafka_common::api::web;
use kafka_common::app::{Routes, serve};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Response<Body> {
    serve(request, routes).await
}

fn routes() -> Routes {
    Routes::new()
        .on(&web::HOME, app::home)
        .on(&web::CHAT_PAGE, app::chat)
        .on(&web::APP_FILE, app::file)
        .on(&web::ABOUT, app::about)
        .on(&web::OPENAPI, docs::openapi)
        .on(&web::DOCS, docs::docs)
        .on(&web::WEBSOCKET, docs::websocket)
        .on(&web::DOCS_FILE, docs::file)
        .on(&web::STYLE, pages::style)
        .on(&web::HEALTH, pages::health)
}
