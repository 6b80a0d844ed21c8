//! The WebSocket gateway: holds the sockets and speaks WebSocket-over-HTTP with GRIP to the components, as Pushpin and
//! Fastly Fanout do, so that a component can't tell which of them it is.
//!
//! One socket is one task (`socket`), which has one request to the backend open at a time (`conversation`). A
//! published message (`publish`, over the `control` listener or directly from a component of this process) goes through
//! the `hub` into the mailbox of each subscriber. The gateway knows the application only as a `backend`.

mod backend;
mod broken;
mod budget;
pub mod child;
pub mod control;
mod conversation;
mod deflate;
mod handshake;
pub mod headers;
mod hub;
mod keys;
mod mailbox;
mod outgoing;
mod pending;
mod publish;
mod recent;
mod socket;

pub use backend::{Asked, Backend, Failure};
pub use handshake::{Socket, open, wants_socket};
pub use keys::{Keys, new_grip_url, origins};
pub use publish::{Answer, MAX_PUBLISH};
pub use socket::run;

use budget::Budget;
use hub::Hub;
use recent::Recent;
use std::{sync::Arc, time::Duration};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// An event whose texts are UTF-8, as WebSockets have them.
type Event = kafka_grip::Event<Utf8Bytes>;

/// Limits of sockets.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes a message of a client may have; a longer one closes its socket with 1009.
    pub max_message: usize,
    /// Bytes that may wait for a client that reads slowly; more close its socket with 1013.
    pub max_waiting: usize,
    /// Bytes that may be unfinished or wait for all sockets together; what comes on top closes its socket with 1013.
    pub max_buffered: usize,
    /// How often a client is pinged; one that sends nothing from one ping to the next counts as gone.
    pub ping_interval: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 16 * 1024 * 1024,
            max_waiting: 4 * 1024 * 1024,
            max_buffered: 256 * 1024 * 1024,
            ping_interval: Duration::from_secs(30),
        }
    }
}

/// The state that all sockets of the process share.
pub struct Gateway {
    hub: Arc<Hub>,
    recent: Recent,
    keys: Keys,
    limits: Limits,
    budget: Arc<Budget>,
}

/// What the sockets use.
#[derive(Debug, Clone, Copy, Default)]
pub struct Load {
    /// Open sockets.
    pub sockets: usize,
    /// Channels that they listen to.
    pub channels: usize,
    /// Bytes of what is incomplete or waits.
    pub waiting: usize,
    /// Bytes that this may be.
    pub most: usize,
}

impl Gateway {
    /// What the sockets use now.
    pub fn load(&self) -> Load {
        Load {
            sockets: self.budget.accounts(),
            channels: self.hub.channels(),
            waiting: self.budget.used(),
            most: self.limits.max_buffered,
        }
    }

    /// A gateway without sockets.
    pub fn new(keys: Keys, limits: Limits) -> Self {
        Self {
            hub: Arc::default(),
            recent: Recent::default(),
            keys,
            budget: Arc::new(Budget::new(limits.max_buffered)),
            limits,
        }
    }
}
