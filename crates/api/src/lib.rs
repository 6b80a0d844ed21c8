//! The HTTP API, declared once: what the routes are made of, what forms are read with, and what `/openapi.json`
//! contains.
//!
//! There is a file for each endpoint group. An [`Operation`] in it is a method and a path, what goes in and what may
//! come out; a component registers its handlers under it and reads forms into its structs,
//! so those can't differ from the description. What handlers answer is compared with it by tests.
//!
//! A form is a struct made by [`form::form!`], an answer is a struct that derives `Serialize` and `JsonSchema`. Both
//! tell the description what they are; [`schema`] declares by hand what has no type yet.

#![forbid(unsafe_code)]

#[macro_use]
mod operation;
pub mod events;
pub mod extraction;
pub mod form;
pub mod id;
pub mod json;
pub mod openapi;
pub mod page;
mod schema;
pub mod words;

pub mod actions;
pub mod auth;
pub mod chat;
pub mod export;
pub mod feed;
pub mod file;
pub mod models;
pub mod relay;
pub mod search;
pub mod settings;
pub mod usage;
pub mod versions;
pub mod web;
pub mod workspace;

pub use id::MAX_ID_CHARS;
pub use operation::{Operation, Parameter, SOCKET_EVENT_TYPE, Verb};
pub use schema::{Named, Property, Schema};
use schemars::JsonSchema;
use serde::Serialize;

/// The longest name of a workspace, chat or model, in characters; a longer one is 422.
pub const MAX_NAME_CHARS: usize = 255;

/// The largest `Retry-After`, in seconds.
pub const MAX_RETRY_AFTER: i64 = 24 * 60 * 60;

/// What was done, where there is nothing else to say.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Done {
    /// It in words.
    pub detail: &'static str,
}

/// The variable `auth_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum AuthMode {
    /// `open`: a login needs no proof, so only this machine may call.
    Open,
    /// `token`: a caller has logged in, and sends the token of the session.
    Token,
}

/// All operations, by endpoint group: its name, what it is about, and its operations.
pub const ALL: &[Group] = &[
    auth::GROUP,
    workspace::GROUP,
    file::GROUP,
    versions::GROUP,
    chat::GROUP,
    relay::GROUP,
    feed::GROUP,
    models::GROUP,
    export::GROUP,
    search::GROUP,
    settings::GROUP,
    usage::GROUP,
    web::GROUP,
];

/// The operation of this id.
#[cfg(test)]
fn find(id: &str) -> Option<&'static Operation> {
    let mut operations = ALL.iter().flat_map(|group| group.operations);
    operations.find(|operation| operation.id() == id)
}

/// The operations of an endpoint group.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// What the description calls it.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static str,
    /// Its operations, in the order of the description.
    pub operations: &'static [Operation],
}

#[cfg(test)]
mod tests;
