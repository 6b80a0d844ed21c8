//! What of the page is not drawing, as a module for browsers (`wasm32-unknown-unknown`): Markdown, the colours of code,
//! differences of texts, and what a client of a chat keeps.
//!
//! Everything that it makes of a text is escaped, whoever wrote the text: the page takes its HTML as it is.
#![deny(unsafe_code)]

mod client;
mod diff;
#[cfg(target_arch = "wasm32")]
mod exports;
mod highlight;
mod markdown;

pub use client::{Asks, Client, Growth, Message, Running, Update};
pub use diff::diff;
pub use markdown::{html, open_block};
