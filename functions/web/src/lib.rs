//! Component `web`: the page for people, the API's descriptions, the health check, and everything no other component
//! has a route for.
//!
//! It has no database and may call no server. So `GET /healthz` shows that the process answers, not that the database
//! does. A header of the host shows that the disk is full; a client that sends that header deceives only itself.
#![forbid(unsafe_code)]

mod docs;
mod pages;

use axum::body::Body;
use axum::response::Response;
use kafka_common::api::web;
use kafka_common::app::{self, Routes};
use spin_sdk::http::Request;
use spin_sdk::http_service;

#[http_service]
async fn handle(request: Request) -> Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Routes {
    Routes::new()
        .on(&web::HOME, pages::home)
        .on(&web::OPENAPI, docs::openapi)
        .on(&web::DOCS, docs::docs)
        .on(&web::WEBSOCKET, docs::websocket)
        .on(&web::DOCS_FILE, docs::file)
        .on(&web::STYLE, pages::style)
        .on(&web::HEALTH, pages::health)
}
