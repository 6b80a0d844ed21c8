//! Builds the components, and installs their compilation targets first where they are missing.
//!
//! It reports each step in a plain line on standard error, where a person or a CI log sees it.
#![forbid(unsafe_code)]

mod components;
mod debian;
mod interfaces;
mod step;
mod toolchain;
mod wasm_target;

pub use components::{BuildSteps, build_components};
pub use interfaces::interfaces;
pub use wasm_target::ensure_wasm_targets;
