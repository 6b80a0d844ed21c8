//! The storage engine of the host: what a component may rely on, without any WebAssembly.

#![forbid(unsafe_code)]

mod guard;
mod key_value;
mod power_cut;
mod statements;
mod support;
mod transactions;
mod writers;
