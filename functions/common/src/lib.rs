//! What all components share: the HTTP edge, storage and domain types.
//!
//! The edge ([`app`], [`access`], [`form`], [`json`], [`query`], [`page`], [`email`], [`error`]) turns a request into
//! checked values and every failure into FastAPI's shape. It knows nothing about storage.
//!
//! Storage ([`db`], [`content`]) keeps everything: one small module for all SQL, one for the bytes of files. What
//! several components do with it is in [`files`] and [`owner`], versions in [`versions`], the files of chats in
//! [`chat_files`] and [`attachments`], messages in [`message`] and [`conversation`], how much is deleted in [`removal`],
//! and how much somebody may have in [`room`]; [`id`] and [`clock`] make ids and times; [`seal`] keeps API keys
//! unreadable.
//!
//! [`api`] declares what goes in and comes out under which path: routes, forms and the API's description are made of it.
//!
//! What leaves: [`grip`] talks to the gateway that holds the sockets, [`announce`] tells the open windows of a chat what
//! was changed over HTTP, [`sse`] writes server-sent events. [`reply`] is what the two components that have to do with
//! replies share: the one that begins them and the one that writes them.
#![forbid(unsafe_code)]

pub use kafka_api as api;
pub use kafka_grip::encoding;

pub mod access;
pub mod announce;
pub mod app;
pub mod attachments;
mod body;
pub mod chat_files;
pub mod clock;
pub mod config;
pub mod content;
pub mod conversation;
pub mod db;
pub mod email;
pub mod error;
pub mod files;
pub mod form;
pub mod grip;
pub mod id;
pub mod json;
pub mod limits;
pub mod log;
pub mod long_work;
mod mac;
pub mod owner;
pub mod page;
pub mod query;
pub mod removal;
pub mod reply;
pub mod room;
pub mod seal;
pub mod sse;
pub mod task;
pub mod versions;
