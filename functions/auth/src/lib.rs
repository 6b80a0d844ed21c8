//! Component `auth`: who somebody is, what they have, and where they are logged in. `/auth/...`, `/user/...`,
//! `/ws/ticket`.
//!
//! In open mode an e-mail is enough to log in, and there is nothing else. In token mode (DESIGN.md, D8) login needs a
//! proof: a code that was sent by mail ([`code`]), or an identity provider's word ([`oidc`]).
#![forbid(unsafe_code)]

mod account;
mod code;
mod fetch;
mod login;
mod mail;
mod oidc;
mod sessions;
mod ticket;
mod user;

use axum::{
    Router,
    body::Body,
    routing::{delete, get, post},
};
use kafka_common::app;
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Router {
    Router::new()
        .route("/auth/login", post(login::login))
        .route("/auth/code", post(code::send))
        .route("/auth/logout", post(sessions::logout))
        .route(
            "/auth/sessions",
            get(sessions::list).delete(sessions::revoke_all),
        )
        .route("/auth/sessions/{session_id}", delete(sessions::revoke))
        .route("/ws/ticket", post(ticket::create))
        .route("/user/{user_id}", delete(user::delete))
}
