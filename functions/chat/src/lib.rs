//! Component `chat`: chats as things that are made, named, looked at and deleted. What is said in them is `relay`'s.
#![forbid(unsafe_code)]

mod change;
mod create;
mod delete;
mod files;
mod list;
mod rename;
mod show;

use axum::body::Body;
use kafka_common::{
    api,
    app::{self, Routes},
};
use spin_sdk::{http::Request, http_service};

#[http_service]
async fn handle(request: Request) -> http::Response<Body> {
    app::serve(request, routes).await
}

/// `DELETE /chat/new` and `DELETE /chat/rename` name chats with these ids, as in the original.
fn routes() -> Routes {
    Routes::new()
        .on(&api::chat::LIST, list::list)
        .on(&api::chat::NEW, create::create)
        .on(&api::chat::RENAME, rename::rename)
        .on(&api::chat::SHOW, show::show)
        .on(&api::chat::CHANGE, change::change)
        .on(&api::chat::FILES, files::list)
        .on(&api::chat::DELETE, delete::delete)
        .on(&api::chat::DELETE_NEW, delete::delete_new)
        .on(&api::chat::DELETE_RENAME, delete::delete_rename)
}
