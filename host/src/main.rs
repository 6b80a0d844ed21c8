//! The `kafka` command.

#![forbid(unsafe_code)]

use clap::Parser;
use kafka_host::cli::Command;
use mimalloc::MiMalloc;
use std::process::ExitCode;

/// A request makes hundreds of small allocations, and the system's allocator takes a tenth of its time.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    match Command::parse().run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("kafka: {error:#}");
            ExitCode::FAILURE
        }
    }
}
