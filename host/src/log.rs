//! The log: one line an event on standard error, with fields; `RUST_LOG` chooses what is in it.

use clap::ValueEnum;
use std::io;
use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::{EnvFilter, fmt};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// A JSON object a line, for programs.
    Json,
}

/// Starts logging. Lines are written by a thread of their own, so that a slow terminal slows nobody down.
///
/// What has not been written yet is written when the guard is dropped.
pub fn start(format: Format) -> WorkerGuard {
    let (writer, guard) = tracing_appender::non_blocking(io::stderr());
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let log = fmt().with_env_filter(filter).with_writer(writer);
    // A second call, as in tests that run several hosts, leaves the first log in place.
    let _ = match format {
        Format::Text => log.with_ansi(false).try_init(),
        Format::Json => log.json().flatten_event(true).try_init(),
    };
    guard
}
