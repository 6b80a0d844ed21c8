//! Messages that wait for one socket.

use super::{
    budget::{Account, Charge},
    outgoing::Outgoing,
};
use parking_lot::Mutex;
use std::{collections::VecDeque, sync::Arc};
use tokio::sync::Notify;

/// The messages that wait for one socket.
pub struct Mailbox {
    most: usize,
    waiting: Mutex<Waiting>,
    filled: Notify,
}

struct Waiting {
    messages: VecDeque<Outgoing>,
    bytes: usize,
    charge: Charge,
    overflow: Option<Overflow>,
}

impl Mailbox {
    /// A mailbox in which `most` bytes may wait, on the account of its socket.
    pub fn new(most: usize, account: &Arc<Account>) -> Self {
        Self {
            most,
            waiting: Mutex::new(Waiting {
                messages: VecDeque::new(),
                bytes: 0,
                charge: Charge::new(account),
                overflow: None,
            }),
            filled: Notify::new(),
        }
    }

    /// Puts in a published message, or marks the mailbox as overflowed and empties it.
    pub fn publish(&self, message: Outgoing) {
        let mut waiting = self.waiting.lock();
        // A message that is longer than the limit still fits when no other waits.
        if waiting.bytes > 0 && waiting.bytes + message.size() > self.most {
            waiting.overflow(Overflow::Mailbox);
        } else {
            waiting.put(message);
        }
        drop(waiting);
        self.filled.notify_one();
    }

    /// Puts in a message that answers the socket itself, which waits for it to be sent before it asks again.
    pub fn answer(&self, message: Outgoing) {
        self.waiting.lock().put(message);
        self.filled.notify_one();
    }

    /// Whether so much waits that nothing should be asked for that would add to it.
    pub fn is_full(&self) -> bool {
        self.waiting.lock().bytes > self.most
    }

    /// Takes out what may be written at once: at least one message, and more while they are short.
    ///
    /// # Errors
    /// When messages were lost because the socket did not take them in time.
    pub fn take(&self, batch: &mut Vec<Outgoing>, most: usize) -> Result<(), Overflow> {
        let mut waiting = self.waiting.lock();
        if let Some(overflow) = waiting.overflow {
            return Err(overflow);
        }
        let mut taken = 0;
        while taken < most
            && let Some(message) = waiting.messages.pop_front()
        {
            taken += message.size();
            waiting.bytes -= message.size();
            batch.push(message);
        }
        let left = waiting.bytes;
        waiting.charge.note(left);
        if waiting.messages.is_empty() {
            waiting.messages = VecDeque::new();
        } else {
            self.filled.notify_one();
        }
        Ok(())
    }

    /// Waits until there may be something to take.
    pub async fn filled(&self) {
        self.filled.notified().await;
    }
}

/// Why messages were lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overflow {
    /// More waited than may wait for one socket.
    Mailbox,
    /// The gateway's budget had no room for more.
    Budget,
}

impl Waiting {
    /// Puts in a message, unless some were lost before.
    fn put(&mut self, message: Outgoing) {
        if self.overflow.is_some() {
            return;
        }
        let bytes = self.bytes + message.size();
        if self.charge.set(bytes).is_err() {
            return self.overflow(Overflow::Budget);
        }
        self.bytes = bytes;
        self.messages.push_back(message);
    }

    /// From now on all messages are lost.
    fn overflow(&mut self, why: Overflow) {
        self.overflow.get_or_insert(why);
        self.messages = VecDeque::new();
        self.bytes = 0;
        self.charge.note(0);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::{Mailbox, Overflow};
    use crate::{
        gateway::{budget::Budget, outgoing::Outgoing},
        network::Network,
    };
    use bytes::Bytes;
    use std::{net::Ipv4Addr, sync::Arc};

    pub(in crate::gateway) fn mailbox(most: usize, budget: usize) -> Mailbox {
        let network = Network::of(Ipv4Addr::LOCALHOST.into());
        Mailbox::new(most, &Arc::new(Budget::new(budget)).open(network, None))
    }

    pub(in crate::gateway) fn text(text: &str) -> Outgoing {
        Outgoing::text(text.into())
    }

    pub(in crate::gateway) fn taken(mailbox: &Mailbox) -> Vec<Outgoing> {
        let mut batch = Vec::new();
        mailbox
            .take(&mut batch, usize::MAX)
            .expect("not overflowed");
        batch
    }

    #[test]
    fn what_the_budget_has_no_room_for_overflows() {
        let mailbox = mailbox(1_000_000, 20_000);
        let message = text(&"x".repeat(6000));
        mailbox.publish(message.clone());
        mailbox.publish(message.clone());
        assert_eq!(taken(&mailbox).len(), 2);
        for _ in 0..3 {
            mailbox.answer(message.clone());
        }
        assert_eq!(mailbox.take(&mut Vec::new(), 1), Err(Overflow::Budget));
    }

    #[test]
    fn batches_are_bounded() {
        let mailbox = mailbox(1000, 1_000_000);
        for _ in 0..4 {
            mailbox.publish(text("12345"));
        }
        let mut batch = Vec::new();
        let little_more_than_one = text("12345").size() + 1;
        mailbox
            .take(&mut batch, little_more_than_one)
            .expect("not overflowed");
        assert_eq!(batch.len(), 2);
        assert_eq!(taken(&mailbox).len(), 2);
        assert_eq!(taken(&mailbox), []);
        // Nothing in them, and yet they take room.
        for _ in 0..100 {
            mailbox.answer(Outgoing::Pong(Bytes::new()));
        }
        assert!(mailbox.is_full());
    }
}
