//! Black-box tests: the real `kafka` binary as a child process, real components, real HTTP.
//!
//! One binary, because each test binary costs a link. Every test starts its own server on port 0
//! with an empty state directory, so no test can see another.
//!
//! * `api`: what docs/http-compatibility.md describes, endpoint by endpoint and error by error.
//! * `description`: the API's description beside what the server does, and schemathesis.
//! * `documents`: what refers to them, and the examples in them.
//! * `promises`: what the system keeps under load, faults and bad input, by number.
//! * `realtime`: sockets, streams and models, through the host's own gateway and through Pushpin.
//! * `token`: who may call in token mode, how often, and how much they may store.
//! * `gateway`: the sockets, between their clients and a backend.
//! * `libsql`: databases on a libSQL server that fails, and two hosts on one of them.
//! * `page`: the page, in a real browser.
//! * `host`: how the host treats a component that misbehaves (`tests/trouble`) and how it is run.

#![forbid(unsafe_code)]

mod api;
mod description;
mod documents;
mod gateway;
mod host;
mod libsql;
mod page;
mod promises;
mod realtime;
mod support;
mod token;
