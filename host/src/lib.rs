//! The embedded host: what `spin.toml` asks of Spin 4.1, on wasmtime and libsql, in one process.
//!
//! The components in `functions/` know nothing of it; Spin does the same (docs/decisions.md#a-host-of-our-own).

// Not forbidden, because `storage::sqlite` calls the C interface of SQLite.
#![deny(unsafe_code)]

pub mod app;
pub mod backup;
pub mod build;
pub mod cli;
pub mod fake_mail;
pub mod fake_model;
mod fakes;
pub mod gateway;
pub mod instance;
pub mod log;
pub mod manifest;
pub mod network;
pub mod output;
pub mod places;
pub mod private;
pub mod scratch;
pub mod server;
pub mod spin;
pub mod state;
pub mod storage;
