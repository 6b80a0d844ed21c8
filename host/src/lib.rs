//! The embedded host: what `spin.toml` asks of Spin 4.1, on wasmtime and libsql, in one process.
//!
//! The components in `functions/` know nothing of it; Spin does the same (docs/decisions.md#a-host-of-our-own).

// Not forbidden, because `storage::sqlite` calls the C interface of SQLite, and `packed` loads machine code.
#![deny(unsafe_code)]

pub mod admin;
mod answer;
pub mod app;
pub mod application;
pub mod backup;
pub mod cli;
pub mod compiled;
pub mod component;
pub mod gateway;
pub mod instance;
pub mod listener;
pub mod log;
pub mod manifest;
pub mod metrics;
pub mod network;
pub mod outbound;
pub mod output;
pub mod packed;
pub mod places;
pub mod private;
pub mod remote;
pub mod runtime_config;
pub mod server;
pub mod spin;
pub mod state;
pub mod storage;
pub mod stores;
mod thread;
pub mod trace;
