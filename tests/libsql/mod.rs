//! Databases on a libSQL server (docs/scaling.md), which `support::Hrana` stands for.
//!
//! * `components`: the application for hosts without SQLite (spin.akamai.toml), whose components speak to it.
//! * `config`: the options for it.
//! * `faults`: what its failures do to requests.
//! * `nodes`: two hosts on one of them.
//! * `values`: a statement means the same there as on a file.

pub mod components;
mod config;
mod faults;
mod nodes;
mod values;
