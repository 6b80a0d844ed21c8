//! Component `auth`: accounts, logins and sessions. `/auth/...`, `/user/...`,
//! `/ws/ticket`.
//!
//! In open mode an e-mail is enough to log in, and there are no sessions. In token mode a login needs a proof: a code
//! that was sent by mail ([`code`]), or an ID token of an identity provider ([`oidc`]).
#![forbid(unsafe_code)]

mod account;
mod code;
mod fetch;
mod hydrate;
mod login;
mod mail;
mod oidc;
mod sessions;
mod settings;
mod ticket;
mod user;

use axum::body::Body;
use kafka_common::api;
use kafka_common::app::{self, Routes};
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Routes {
    Routes::new()
        .on(&api::auth::LOGIN, login::login)
        .on(&api::auth::HYDRATE, hydrate::hydrate)
        .on(&api::auth::CODE, code::send)
        .on(&api::auth::OIDC_START, oidc::start)
        .on(&api::auth::LOGOUT, sessions::logout)
        .on(&api::auth::SESSIONS, sessions::list)
        .on(&api::auth::REVOKE_ALL, sessions::revoke_all)
        .on(&api::auth::REVOKE, sessions::revoke)
        .on(&api::auth::TICKET, ticket::create)
        .on(&api::auth::DELETE_USER, user::delete)
        .on(&api::settings::SHOW, settings::show)
        .on(&api::settings::CHANGE, settings::change)
}
