//! Talking to a model: everything about a user's OpenAI-compatible endpoint but the chat and its rows.
//!
//! Values in, values out: no database and no variables, so that all of it is tested natively. The one part that needs
//! the platform, sending the request, is in component `reply`.
//!
//! * before a call: [`address`] (which base URLs may be called), [`context`] (what the model gets to read),
//!   [`request`] (how it is put on the wire);
//! * during: [`stream`] (bytes to events) and [`failure`] (what went wrong, in words);
//! * after: [`composer`] (files in a reply), [`patch`] (applying a diff), [`diff`] (showing one).
#![forbid(unsafe_code)]

pub mod address;
pub mod composer;
pub mod context;
pub mod diff;
pub mod failure;
mod lenient;
pub mod patch;
pub mod request;
pub mod stream;

pub use address::{BaseUrl, Policy, check_base_url};
pub use failure::{Failure, Kind};
pub use request::{Call, Message, Role};
pub use stream::{Event, Stream};
