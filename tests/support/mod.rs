//! The harness: a server per test, request helpers that read like sentences, and looks into the
//! database from outside. Nothing here knows what an answer should be.

mod admin;
pub mod archive;
mod browser;
mod build;
mod chat_client;
mod client;
mod collector;
mod database;
mod description;
mod events;
mod gateway;
mod hrana;
mod input;
mod listener;
mod mail;
mod metrics;
mod migrated;
mod model;
mod multipart;
pub mod on_file;
mod people;
mod port;
mod process;
pub mod provider;
mod pushpin;
mod raw;
mod schema;
pub mod schemathesis;
mod secure;
mod server;
mod setup;
mod socket;
mod statements;
pub mod upstream;
mod world;

pub use admin::admin_of;
pub use browser::{Browser, Look, Page};
pub use build::build_once;
pub use chat_client::{ChatClient, ChatMessage, View};
pub use client::{Request, Response, percent_encode};
pub use collector::{Collector, Span};
pub use database::Database;
pub use description::{Description, Operation};
pub use events::Events;
pub use gateway::OwnGateway;
pub use hrana::{Fault, Hrana};
pub use input::Input;
pub use listener::Listener;
pub use mail::FakeMail;
pub use model::FakeModel;
pub use multipart::Multipart;
pub use people::{User, login};
pub use port::free_port;
pub use process::{Outcome, Process, memory_of, run_kafka, start_refused};
pub use pushpin::{Pushpin, is_installed as pushpin_is_installed};
pub use raw::{head_and_body, read_response};
pub use secure::Secure;
pub use server::Server;
pub use setup::{Setup, fresh_state};
pub use socket::{A_WHILE, PROTOCOL, Received, Refused, Socket, V2};
pub use statements::Calls;
pub use world::{API_KEY, House, World, by};

use std::path::PathBuf;
use std::time::Duration;

/// Longer than anything takes on a slow machine under load, or on one that stands still for some minutes meanwhile, as virtual
/// ones do; a longer wait is a hang.
pub const PATIENCE: Duration = Duration::from_secs(900);

/// The root of the repository.
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("the host's package is a folder of the repository")
        .to_owned()
}
