//! The timers of a socket: pings, keep-alives, and the end of a client that does not read.

use super::{OpenSocket, end::End};
use crate::gateway::outgoing::Outgoing;
use bytes::Bytes;
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// How long a client may take to accept a batch of messages.
const WRITE_LIMIT: Duration = Duration::from_secs(60);
/// How long the gateway waits before it sends again what the backend did not take.
const HELD_PAUSE: Duration = Duration::from_millis(200);

/// A message that is sent after a while without any other.
pub(super) struct KeepAlive {
    pub(super) every: Duration,
    pub(super) content: Utf8Bytes,
}

impl OpenSocket {
    /// Whether a request to the backend is due.
    pub(super) fn wants_exchange(&self, now: Instant) -> bool {
        // A client that does not read the answers gets no more of them.
        if self.mailbox.is_full() {
            return false;
        }
        let since = now - self.last_exchange;
        if self.conversation.has_pending() {
            return !self.conversation.is_held() || since >= HELD_PAUSE;
        }
        self.conversation
            .quiet_limit()
            .is_some_and(|limit| since >= limit)
    }

    /// The time of the next timer.
    pub(super) fn deadline(&self) -> Instant {
        let mut deadline = self.next_ping;
        if let Some(since) = self.unflushed {
            deadline = deadline.min(since + WRITE_LIMIT);
        }
        if let Some(keep_alive) = &self.keep_alive {
            deadline = deadline.min(self.last_sent + keep_alive.every);
        }
        // While the mailbox is full, only the client's reading matters.
        if self.exchange.is_none() && !self.detached && !self.mailbox.is_full() {
            if self.conversation.is_held() {
                deadline = deadline.min(self.last_exchange + HELD_PAUSE);
            } else if let Some(limit) = self.conversation.quiet_limit() {
                deadline = deadline.min(self.last_exchange + limit);
            }
        }
        deadline
    }

    /// Handles the timers that are due.
    pub(super) fn tick(&mut self, now: Instant) -> Result<(), End> {
        if self
            .unflushed
            .is_some_and(|since| now >= since + WRITE_LIMIT)
        {
            tracing::info!(peer = %self.peer, "a client does not read");
            return Err(End::Lost);
        }
        if now >= self.next_ping {
            // Nothing is read while the backend is behind.
            if self.silent && !self.conversation.is_full() {
                tracing::info!(peer = %self.peer, "a client does not answer");
                return Err(End::Lost);
            }
            self.silent = true;
            self.next_ping = now + self.ping_interval;
            self.send(Outgoing::Ping(Bytes::new()));
        }
        let quiet = now - self.last_sent;
        if let Some(keep_alive) = &self.keep_alive
            && quiet >= keep_alive.every
        {
            let content = keep_alive.content.clone();
            self.last_sent = now;
            self.send(Outgoing::text(content));
        }
        Ok(())
    }
}
