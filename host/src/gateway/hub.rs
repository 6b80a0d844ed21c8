//! Channels and the sockets that listen to them, for all threads.
//!
//! Publishing puts a message into every listener's mailbox and never waits: a channel's lock is held for that only, so
//! all listeners get a channel's messages in the same order, and one that does not read fast enough loses its socket
//! without delaying the others.

use super::{mailbox::Mailbox, outgoing::Outgoing};
use parking_lot::Mutex;
use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, RandomState},
    mem,
    sync::Arc,
};

/// Locks that channels are spread over, so that threads rarely meet.
const SHARDS: usize = 16;

type Channels = HashMap<Box<str>, Vec<Arc<Mailbox>>>;

/// The subscriptions of all sockets.
#[derive(Default)]
pub struct Hub {
    hasher: RandomState,
    shards: [Mutex<Channels>; SHARDS],
}

impl Hub {
    /// Subscribes the mailbox to `channel`; a second time changes nothing.
    pub fn subscribe(&self, channel: &str, mailbox: &Arc<Mailbox>) {
        let mut channels = self.shard(channel).lock();
        let listeners = channels.entry(channel.into()).or_default();
        if !listeners.iter().any(|other| Arc::ptr_eq(other, mailbox)) {
            listeners.push(mailbox.clone());
        }
    }

    /// Unsubscribes the mailbox from `channel`.
    pub fn unsubscribe(&self, channel: &str, mailbox: &Arc<Mailbox>) {
        let mut channels = self.shard(channel).lock();
        if let Entry::Occupied(mut listeners) = channels.entry(channel.into()) {
            listeners
                .get_mut()
                .retain(|other| !Arc::ptr_eq(other, mailbox));
            if listeners.get().is_empty() {
                listeners.remove();
            }
        }
    }

    /// Puts the message into every mailbox that is subscribed to `channel`; returns their number.
    pub fn publish(&self, channel: &str, message: &Outgoing) -> usize {
        let channels = self.shard(channel).lock();
        let listeners = channels.get(channel).map_or(&[][..], Vec::as_slice);
        for mailbox in listeners {
            mailbox.publish(message.clone());
        }
        listeners.len()
    }

    /// How many channels have listeners.
    pub fn channels(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().len()).sum()
    }

    fn shard(&self, channel: &str) -> &Mutex<Channels> {
        let hash = self.hasher.hash_one(channel);
        &self.shards[(hash % SHARDS as u64) as usize]
    }
}

/// The channels one socket listens to; they are left when it is dropped.
pub struct Subscriptions {
    hub: Arc<Hub>,
    mailbox: Arc<Mailbox>,
    channels: Vec<Box<str>>,
}

impl Subscriptions {
    /// None yet.
    pub fn new(hub: Arc<Hub>, mailbox: Arc<Mailbox>) -> Self {
        Self {
            hub,
            mailbox,
            channels: Vec::new(),
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.channels.len()
    }

    /// Listens to a channel.
    pub fn add(&mut self, channel: &str) {
        self.hub.subscribe(channel, &self.mailbox);
        if !self.channels.iter().any(|known| **known == *channel) {
            self.channels.push(channel.into());
        }
    }

    /// Leaves a channel.
    pub fn remove(&mut self, channel: &str) {
        self.hub.unsubscribe(channel, &self.mailbox);
        self.channels.retain(|known| **known != *channel);
    }
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        for channel in mem::take(&mut self.channels) {
            self.hub.unsubscribe(&channel, &self.mailbox);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Hub, Subscriptions};
    use crate::gateway::mailbox::{
        Overflow,
        tests::{mailbox, taken, text},
    };
    use std::sync::Arc;

    #[test]
    fn subscribers_get_the_messages_of_their_time_in_order() {
        let hub = Arc::new(Hub::default());
        let mailbox = Arc::new(mailbox(1000, 1_000_000));
        let mut mine = Subscriptions::new(hub.clone(), mailbox.clone());
        assert_eq!(hub.publish("a", &text("early")), 0);
        mine.add("a");
        mine.add("a");
        mine.add("b");
        assert_eq!(mine.len(), 2);
        assert_eq!(hub.publish("a", &text("1")), 1);
        assert_eq!(hub.publish("b", &text("2")), 1);
        assert_eq!(hub.publish("a", &text("3")), 1);
        assert_eq!(taken(&mailbox), [text("1"), text("2"), text("3")]);
        mine.remove("a");
        assert_eq!(hub.publish("a", &text("late")), 0);
        drop(mine);
        assert_eq!(hub.publish("b", &text("late")), 0);
        assert!(hub.shards.iter().all(|shard| shard.lock().is_empty()));
    }

    #[test]
    fn only_the_mailbox_of_a_slow_reader_overflows() {
        let hub = Arc::new(Hub::default());
        let room = 2 * text("12345").size();
        let (slow, quick) = (
            Arc::new(mailbox(room, 1_000_000)),
            Arc::new(mailbox(room, 1_000_000)),
        );
        hub.subscribe("a", &slow);
        hub.subscribe("a", &quick);
        for _ in 0..3 {
            hub.publish("a", &text("12345"));
            assert_eq!(taken(&quick), [text("12345")]);
        }
        assert_eq!(slow.take(&mut Vec::new(), 1), Err(Overflow::Mailbox));
        hub.publish("a", &text(&"a text longer than the mailbox".repeat(room)));
        assert_eq!(taken(&quick).len(), 1);
    }
}
