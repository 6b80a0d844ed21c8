//! Who receives the events of a chat: the clients at a gateway, and a client that reads the events of its own request.

use bytes::Bytes;
use futures::channel::mpsc::UnboundedSender;

use crate::announce::fitted;
use crate::api::events::Event;
use crate::feed;
use crate::grip::{Grip, Item, channel_v1, channel_v2, item};
use crate::sse;

/// The listeners of one chat. What is told is delivered in its order and in the background: a gateway that is slow or
/// gone delays only the clients that it holds.
#[derive(Debug)]
pub struct Audience {
    grip: Option<&'static Grip>,
    v1: String,
    v2: String,
    reader: Option<UnboundedSender<Bytes>>,
}

impl Audience {
    /// The clients of `chat`, and if given the reader of an event stream.
    pub async fn of(chat: &str, reader: Option<UnboundedSender<Bytes>>) -> Self {
        Self {
            // What is wrong with their addresses has been logged.
            grip: Grip::get().await.ok().flatten(),
            v1: channel_v1(chat),
            v2: channel_v2(chat),
            reader,
        }
    }

    /// Sends events of v2, together.
    pub fn tell(&self, events: &[Event]) {
        let items = self.told(events);
        self.publish(items);
    }

    /// Sends the reader events of v2, and returns them for the clients at a gateway.
    pub fn told(&self, events: &[Event]) -> Vec<Item> {
        // Also without a gateway, since the reader has none.
        let items = events.iter().map(|event| {
            let json = fitted(event);
            if let Some(reader) = &self.reader {
                // A reader that went away needs nothing.
                let _ = reader.unbounded_send(sse::event(event, &json));
            }
            item(&self.v2, json)
        });
        items.collect()
    }

    /// Events for the v2 clients that do not belong to the reader's reply.
    pub fn items_v2(&self, events: &[Event]) -> impl Iterator<Item = Item> {
        events.iter().map(|event| item(&self.v2, fitted(event)))
    }

    /// Texts for the v1 clients.
    pub fn items_v1(&self, texts: impl IntoIterator<Item = String>) -> impl Iterator<Item = Item> {
        texts.into_iter().map(|text| item(&self.v1, text))
    }

    /// Lets items go out to the clients at a gateway.
    pub fn publish(&self, items: impl IntoIterator<Item = Item>) {
        if let Some(grip) = self.grip {
            grip.publish(items);
        }
    }
}

/// Sends the clients of a chat events, and those who follow its owner's feed what is new there.
pub async fn tell(chat: &str, v2: &[Event], v1: Vec<String>) {
    let audience = Audience::of(chat, None).await;
    audience.publish(audience.items_v2(v2).chain(audience.items_v1(v1)));
    feed::tell([chat]).await;
}
