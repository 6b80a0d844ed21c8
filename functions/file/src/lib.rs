//! Component `file`: files coming in and going out, and the versions of those that are written in chats. `/file/...`,
//! `/chat-file/...`.
#![forbid(unsafe_code)]

/// What the request names among the files of chats.
const NAMED: &str = include_str!("chat_file.sql");

/// A statement that calls it `named`.
macro_rules! of_named {
    ($file:literal) => {
        concat!(
            "WITH named AS (",
            include_str!("chat_file.sql"),
            ")",
            include_str!($file)
        )
    };
}

mod content;
mod delete;
mod diff;
mod rename;
mod revert;
mod save;
mod show;
mod upload;
mod versions;

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
        .on(&api::file::UPLOAD, upload::upload)
        .on(&api::file::SHOW, show::show)
        .on(&api::file::CONTENT, content::download)
        .on(&api::file::RENAME, rename::rename)
        .on(&api::file::DELETE, delete::delete)
        .on(&api::versions::LIST, versions::list)
        .on(&api::versions::SHOW, versions::show)
        .on(&api::versions::DIFF, diff::diff)
        .on(&api::versions::SAVE, save::save)
        .on(&api::versions::REVERT, revert::revert)
}
