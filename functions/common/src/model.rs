//! Talking to a model. Here so far: [`address`], which base URLs may be called.

pub mod address;

pub use address::{BaseUrl, Policy, check_base_url};
