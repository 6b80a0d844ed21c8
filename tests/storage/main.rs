//! The storage engine of the host: what a component may rely on, without any WebAssembly.

#![forbid(unsafe_code)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../load/client.rs"]
mod client;
#[path = "../load/floor.rs"]
#[expect(
    dead_code,
    reason = "the load program serves it in a process of its own"
)]
mod floor;
mod floor_answers;
mod guard;
mod incomplete;
mod key_value;
mod power_cut;
mod statements;
mod support;
mod transactions;
#[path = "../load/workload.rs"]
mod workload;
mod writers;
