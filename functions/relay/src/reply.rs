//! A reply, from its request to the model until its end (DESIGN.md, D2).

pub mod composing;
pub mod context;
pub mod ending;
pub mod rows;
mod writer;

use bytes::Bytes;
use futures::channel::mpsc::UnboundedSender;
use spin_sdk::wasip3;

use crate::audience::Audience;
use crate::begin::Begun;

/// Lets a reply be written, beginning now and beyond the answer to the request that asked for it. `reader` gets the
/// events too.
pub fn start(begun: Begun, reader: Option<UnboundedSender<Bytes>>) {
    wasip3::spawn(async move {
        let audience = Audience::of(&begun.chat, reader).await;
        writer::write(begun, audience).await;
    });
}
