//! The HTTP API, declared once: what the routes are made of, what forms are read with, and what `/openapi.json` says.
//!
//! There is a file for each endpoint group. An [`Operation`] in it is a method and a path, what goes in and what may
//! come out; a component registers its handlers under it ([`crate::app::Routes`]) and reads forms with its declaration,
//! so those can't differ from the description. What handlers answer is compared with it by tests.
//!
//! Made by hand and not by `utoipa` or the like: they read Rust types, and here forms are read dynamically and answers
//! are mostly written by SQL. All of this is constant, and a component has nothing of it but what it uses.

#[macro_use]
mod operation;
pub mod openapi;
mod page;
mod schema;

pub mod auth;
pub mod chat;
pub mod file;
pub mod models;
pub mod relay;
pub mod versions;
pub mod web;
pub mod workspace;

pub use operation::{Operation, Parameter, Verb};
pub use schema::{Named, Property, Schema};

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
