//! Component `relay`: chats as conversations: sockets, streams, and the beginnings of replies.
//!
//! What comes in (a socket's frame, a request) is an action; an action is one transaction and the events it makes. It
//! calls no model: [`mod@reply`] hands each reply to the component that writes it.
#![forbid(unsafe_code)]

mod actions;
mod begin;
mod branch;
mod care;
mod door;
mod echo;
mod feed;
mod follow;
mod frame;
mod guarded;
mod initial;
mod looks;
mod message_files;
mod messages;
mod page;
mod prompt;
mod ready;
mod refused;
mod reply;
mod running;
mod shown;
mod size;
mod snapshot;
mod socket;
mod stop;
mod test_model;
mod turn;
mod v1;
mod v2;
mod watch;

use axum::body::Body;
use kafka_common::api::{feed as api_feed, models, relay, web};
use kafka_common::app::{self, Routes};
use spin_sdk::{http::Request, http_service};

/// Answers one request.
#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

fn routes() -> Routes {
    Routes::new()
        .on(&relay::SOCKET, socket::get)
        .on(&relay::SOCKET_EVENTS, socket::events)
        .on(&relay::HISTORY, page::get)
        .on(&relay::SEND, messages::post)
        .on(&relay::SEND_STREAM, messages::post_stream)
        .on(&relay::EDIT, messages::edit)
        .on(&relay::EDIT_STREAM, messages::edit_stream)
        .on(&relay::REGENERATE, messages::regenerate)
        .on(&relay::REGENERATE_STREAM, messages::regenerate_stream)
        .on(&relay::SELECT_BRANCH, messages::select_branch)
        .on(&relay::RATE, care::rate)
        .on(&relay::DELETE, care::delete)
        .on(&relay::COPY, care::copy)
        .on(&relay::STOP, messages::stop)
        .on(&relay::EVENTS_OF_REPLY, follow::get)
        .on(&api_feed::SOCKET, socket::get)
        .on(&api_feed::SOCKET_EVENTS, socket::feed_events)
        .on(&api_feed::EVENTS, feed::stream::get)
        .on(&models::TEST, test_model::test)
        .on(&web::READY, ready::get)
}
