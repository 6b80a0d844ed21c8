//! Who listens to a chat: the windows at a gateway, and a client that reads the events of its own request.

use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, UnboundedSender, unbounded};
use kafka_common::grip::{self, Grip};
use spin_sdk::wasip3;

/// Something to tell, in the order of telling.
#[derive(Debug)]
enum Told {
    V1(String),
    V2(String),
}

/// The listeners of one chat, for one who tells them many things. What is told is delivered in its order, and in the
/// background: a gateway that is slow or gone delays nobody but the windows it holds.
#[derive(Debug)]
pub struct Audience {
    queue: UnboundedSender<Told>,
    reader: Option<UnboundedSender<Bytes>>,
}

impl Audience {
    /// The windows of `chat`, and if given the reader of an event stream.
    pub fn of(chat: &str, reader: Option<UnboundedSender<Bytes>>) -> Self {
        let (queue, told) = unbounded();
        wasip3::spawn(deliver(chat.to_owned(), told));
        Self { queue, reader }
    }

    /// Tells an event of v2.
    pub fn tell(&self, event: &str) {
        if let Some(reader) = &self.reader {
            // A reader that went away needs nothing.
            let _ = reader.unbounded_send(crate::sse::event(event));
        }
        let _ = self.queue.unbounded_send(Told::V2(event.to_owned()));
    }

    /// Tells the v1 windows something.
    pub fn tell_v1(&self, text: String) {
        let _ = self.queue.unbounded_send(Told::V1(text));
    }
}

/// Tells the windows of a chat something once the answer that is being made is out.
pub fn tell_later(chat: &str, v2: Vec<String>, v1: Vec<String>) {
    let audience = Audience::of(chat, None);
    for event in v2 {
        audience.tell(&event);
    }
    for text in v1 {
        audience.tell_v1(text);
    }
}

/// Publishes what is told until nobody tells anything any more. What came while one request was under way goes out
/// together with the next.
async fn deliver(chat: String, mut told: UnboundedReceiver<Told>) {
    let (v1, v2) = (grip::channel_v1(&chat), grip::channel_v2(&chat));
    let grip = match Grip::get().await {
        Ok(grip) => grip,
        Err(error) => {
            eprintln!("nothing can be published: {error:?}");
            None
        }
    };
    while let Some(first) = told.next().await {
        let mut batch = vec![first];
        while let Ok(next) = told.try_recv() {
            batch.push(next);
        }
        let Some(grip) = grip else { continue };
        let items = batch.into_iter().map(|told| match told {
            Told::V1(text) => grip::item(&v1, text),
            Told::V2(text) => grip::item(&v2, text),
        });
        grip.publish(items.collect()).await;
    }
}
