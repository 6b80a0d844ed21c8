//! A client's side of the protocol Hrana over HTTP, by which libSQL servers are spoken to: requests and answers as bytes,
//! and what a client must know between them. It sends nothing; `host/src/remote` and `functions/sqlite-http` do.
//!
//! With the types of libSQL's own crate for the protocol. The client in crate `libsql` asks twice for each statement
//! (docs/decisions.md#one-round-trip-for-each-statement), and knows neither the host's way to servers nor that of
//! components.
#![forbid(unsafe_code)]

mod address;
mod error;
mod sql;
mod stream;
mod value;

pub use self::{
    address::{bearer, is_origin},
    error::Error,
    sql::{begins, ends, sets_synchronous},
    stream::{After, Done, Sent, Stream},
    value::Value,
};

use std::time::Duration;

/// Bytes of an answer that a client must take, in which 64 MB of rows fit.
pub const MAX_ANSWER: usize = 128 * 1024 * 1024;

/// How long an answer may take, with all that the server waits for.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(30);
