//! What the page does with texts, as a module for browsers (`wasm32-unknown-unknown`): Markdown, the colours of code, and
//! differences of texts.
//!
//! Everything that it makes of a text is escaped, whoever wrote the text: the page takes its HTML as it is.
#![deny(unsafe_code)]

mod diff;
#[cfg(target_arch = "wasm32")]
mod exports;
mod highlight;
mod markdown;

pub use diff::diff;
pub use markdown::{html, open_block};
