//! Component `chat`: chats as a whole. `/chat/...`, but for what streams, which is the component `relay`'s.

mod delete;
mod new;
mod rename;

use axum::Router;
use axum::body::Body;
use axum::http::Response;
use axum::routing::{delete, patch, post};
use kafka_common::app;
use spin_sdk::http::Request;
use spin_sdk::http_service;

/// Answers one request.
#[http_service]
async fn handle(request: Request) -> Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Router {
    // As in the original, whatever follows `/chat/` is a chat's id for DELETE, `new` and `rename` too.
    Router::new()
        .route(
            "/chat/new",
            post(new::create).delete(|access| delete::named(access, "new")),
        )
        .route(
            "/chat/rename",
            patch(rename::rename).delete(|access| delete::named(access, "rename")),
        )
        .route("/chat/{chat_id}", delete(delete::by_path))
}
