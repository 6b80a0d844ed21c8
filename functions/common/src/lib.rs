//! What all components share: the HTTP edge, over the store (`kafka-store`), whose modules are here under their own names.
//!
//! The edge ([`app`], [`access`], [`form`], [`json`], [`query`], [`list`], [`email`], [`error`]) turns a request into
//! checked values and every failure into FastAPI's shape. [`content`] takes files out of forms and serves them, [`settings`]
//! reads those about replies, [`owner`] says why an id could not be used.
//!
//! [`api`] declares what goes in and comes out under which path: routes, forms and the API's description are made of it.
//!
//! What leaves: [`grip`] talks to the gateway that holds the sockets, [`announce`] tells the connected clients of a chat what
//! was changed over HTTP, [`feed`] those who follow all that is a user's, both in a burst for many changes at once, [`sse`]
//! writes server-sent events, [`texts`] has files read for their texts. [`reply`] is what the two components that have to do
//! with replies share: the one that begins them and the one that writes them.
#![forbid(unsafe_code)]

pub use kafka_api as api;
pub use kafka_grip::encoding;
pub use kafka_store::{
    attachments, chat_files, clock, conversation, db, file_text, files, id, limits, message_files,
    page, params, ready, removal, room, seal, versions,
};

pub mod access;
pub mod announce;
pub mod app;
pub mod body;
mod burst;
pub mod config;
pub mod content;
pub mod email;
pub mod error;
pub mod feed;
pub mod form;
pub mod grip;
pub mod json;
pub mod links;
pub mod list;
pub mod log;
pub mod owner;
pub mod query;
pub mod reply;
mod sender;
pub mod settings;
pub mod sse;
pub mod task;
pub mod texts;

/// Work that goes on for long, and how it is counted.
pub mod long_work {
    pub use kafka_store::lease::*;
    pub use kafka_store::long_work::*;
}
