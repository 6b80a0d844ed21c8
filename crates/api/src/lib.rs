//! The HTTP API, declared once: what the routes are made of, what forms are read with, and what `/openapi.json` says.
//!
//! There is a file for each endpoint group. An [`Operation`] in it is a method and a path, what goes in and what may
//! come out; a component registers its handlers under it and reads forms into its structs,
//! so those can't differ from the description. What handlers answer is compared with it by tests.
//!
//! A form is a struct made by [`form::form!`], an answer is a struct that derives `Serialize` and `JsonSchema`. Both tell
//! the description what they are; [`schema`] declares by hand what has no type yet.

#![forbid(unsafe_code)]

#[macro_use]
mod operation;
pub mod events;
pub mod form;
pub mod id;
pub mod openapi;
pub mod page;
mod schema;
pub mod words;

pub mod actions;
pub mod auth;
pub mod chat;
pub mod file;
pub mod models;
pub mod relay;
pub mod versions;
pub mod web;
pub mod workspace;

pub use id::MAX_ID_CHARS;
pub use operation::{Operation, Parameter, Verb};
pub use schema::{Named, Property, Schema};

/// The longest name of a workspace, chat or model, in characters; a longer one is 422.
pub const MAX_NAME_CHARS: usize = 255;

/// The longest time in seconds after which a client can be told to try again.
pub const MAX_RETRY_AFTER: i64 = 24 * 60 * 60;

/// The variable `auth_mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthMode {
    /// `open`: nobody proves who they are, so only this machine may call.
    Open,
    /// `token`: who calls has logged in, and shows the session's token.
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
    models::GROUP,
    web::GROUP,
];

/// The operation of this id.
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
