//! Builds the components, and makes sure first that their compilation target is there.
//!
//! Says what it does in plain lines on standard error, where a person or a CI log sees it; nothing here knows
//! about serving.

mod components;
mod debian;
mod step;
mod toolchain;
mod wasm_target;

pub use components::build_components;
pub use wasm_target::ensure_wasm_target;
