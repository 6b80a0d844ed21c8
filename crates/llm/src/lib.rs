//! Talking to a model: everything about a user's OpenAI-compatible endpoint but the chat and its rows.
//!
//! Values in, values out: no database and no variables, so that all of it is tested natively. The one part that needs
//! the platform, sending the request, is in component `reply`.
//!
//! * before a call: [`address`] (which base URLs may be called), [`context`] (what the model gets to read), [`settings`]
//!   (what its owner set) and [`request`] (how it is put on the wire);
//! * during: [`coding`] (compressed answers), [`stream`] (bytes to events), [`reasoning`] (what a model thinks in its
//!   text), [`failure`] (what went wrong, in words), [`usage`] (what was
//!   counted) and [`adapt`] (another question after a refusal);
//! * meanwhile: [`draft`] (the text of the reply, and when to store it);
//! * after: [`composer`] (files in a reply), [`patch`] (applying a diff), [`diff`] (showing one), [`line_ends`] (keeping
//!   those of a file), [`names`] (which file a name means), [`title`] (what a chat is called).
#![forbid(unsafe_code)]

pub mod adapt;
pub mod address;
pub mod coding;
pub mod composer;
pub mod context;
pub mod diff;
pub mod draft;
pub mod failure;
mod json;
pub mod line_ends;
mod message;
pub mod names;
pub mod patch;
#[cfg(test)]
mod random;
pub mod reasoning;
pub mod request;
pub mod settings;
pub mod stream;
pub mod title;
pub mod usage;

pub use adapt::{Adaptation, Learnt};
pub use address::{BaseUrl, Policy, check_base_url};
pub use coding::Answer;
pub use failure::{Failure, FailureKind, Objection};
pub use kafka_api::words::{MessageKind, Role};
pub use message::{IMAGE_CHARS, Image, Turn};
pub use request::Call;
pub use settings::{KeyHeader, RequestSettings};
pub use stream::{Event, Stream};

/// The longest text of a reply, or of a file in one, in bytes. A longer reply ends with `length`.
pub const MAX_TEXT_BYTES: usize = 256 * 1024;
