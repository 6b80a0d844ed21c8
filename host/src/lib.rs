//! The embedded host: what `spin.toml` asks of Spin, on wasmtime and libsql.

pub mod build;
pub mod manifest;
pub mod storage;
