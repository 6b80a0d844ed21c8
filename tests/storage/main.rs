//! The storage engine of the host: what a component may rely on, without any WebAssembly.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod guard;
mod incomplete;
mod key_value;
mod power_cut;
mod statements;
mod support;
mod transactions;
mod writers;
