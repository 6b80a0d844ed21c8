//! Component `relay`: chats as conversations: sockets, streams, and the calls to models.
//!
//! What comes in (a socket's frame, a request) is an action; an action is one transaction and the events it makes.
//! Only [`reply`] does anything after its answer: it writes what a model says into the chat's rows, and tells the
//! windows what the rows have.
#![forbid(unsafe_code)]

mod actions;
mod audience;
mod door;
mod echo;
mod files;
mod follow;
mod initial;
mod message;
mod messages;
mod prompt;
mod refused;
mod reply;
mod settings;
mod size;
mod snapshot;
mod socket;
mod sse;
mod test_model;
mod v1;
mod v2;

use axum::Router;
use axum::body::Body;
use axum::routing::{get, post};
use kafka_common::app;
use spin_sdk::{http::Request, http_service};

/// Answers one request.
#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Router {
    Router::new()
        .route("/ws/{chat_id}", get(socket::get).post(socket::events))
        .route("/chat/{chat_id}/messages", post(messages::post))
        .route("/chat/{chat_id}/stop", post(messages::stop))
        .route("/chat/{chat_id}/generations/{id}/events", get(follow::get))
        .route("/models/{id}/test", post(test_model::test))
}
