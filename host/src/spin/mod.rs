//! The `spin:*` interfaces that components import, as Spin 4.1 defines them.
//!
//! A call that Spin refuses is refused here too. Only the asynchronous form of `spin:sqlite` is supported: the
//! synchronous one would stop every other request of the instance while one of them waits for the write lock.

mod http;
pub mod key_value;
pub mod sqlite;
pub mod variables;

/// Generated from the WIT files of `spin-sdk` by build.rs.
#[expect(missing_docs, reason = "generated code")]
pub mod bindings {
    include!(concat!(env!("OUT_DIR"), "/spin_bindings.rs"));
}

use crate::instance::State;
use wasmtime::component::{HasSelf, Linker};

/// Adds everything a component may import to `linker`: WASI 0.2 (which Rust's standard library imports), WASI 0.3
/// with HTTP, and `spin:sqlite`, `spin:variables`, `spin:key-value`.
///
/// # Errors
/// When two definitions collide, which would be a bug of this function.
pub fn add_to_linker(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    use bindings::spin::{key_value, sqlite, variables};
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    wasmtime_wasi::p3::add_to_linker(linker)?;
    http::add_to_linker(linker)?;
    sqlite::sqlite::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    variables::variables::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    key_value::key_value::add_to_linker::<_, HasSelf<State>>(linker, |state| state)?;
    Ok(())
}

/// Writes down that a component calls the host for something else than a statement:
/// `RUST_LOG=info,kafka::calls=trace`.
fn log_call(component: &str, call: &'static str) {
    tracing::trace!(target: "kafka::calls", component, call);
}
