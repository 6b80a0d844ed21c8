//! Component `chat`: chats as things that are made, named and deleted.
#![forbid(unsafe_code)]

mod create;
mod delete;
mod rename;

use axum::{
    Router,
    body::Body,
    routing::{delete, patch, post},
};
use kafka_common::app;
use spin_sdk::{http::Request, http_service};

/// The longest name of a chat, in characters.
const MAX_NAME_CHARS: usize = 255;

#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

/// `DELETE /chat/new` and `DELETE /chat/rename` name chats with these ids, as in the original.
fn routes() -> Router {
    Router::new()
        .route("/chat/new", post(create::create).delete(delete::delete_new))
        .route(
            "/chat/rename",
            patch(rename::rename).delete(delete::delete_rename),
        )
        .route("/chat/{chat_id}", delete(delete::delete))
}
