//! The events of a socket that wait for the backend, and which of them the open request contains.

use super::Event;
use std::collections::VecDeque;

/// Bytes of events that may wait for the backend; with more, nothing further is read from the client.
const MAX_PENDING: usize = 1024 * 1024;
/// Bytes that an event takes besides its content, about.
const OVERHEAD: usize = 64;

/// Events in the order in which they happened.
#[derive(Default)]
pub struct Pending {
    events: VecDeque<Event>,
    bytes: usize,
    /// How many of the events are in the open request.
    sent: usize,
    /// Bytes of that request's body.
    sent_bytes: usize,
    /// The backend did not take all that was sent.
    held: bool,
}

impl Pending {
    /// Adds an event to the next request.
    pub fn add(&mut self, event: Event) {
        self.bytes += size(&event);
        self.events.push_back(event);
    }

    /// Whether no event waits.
    pub fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    /// Whether so much waits that nothing further should be read from the client.
    pub fn is_full(&self) -> bool {
        self.bytes > MAX_PENDING
    }

    /// Whether the backend did not take all that was sent.
    pub fn is_held(&self) -> bool {
        self.held
    }

    /// Bytes that the events and the open request keep in memory, about.
    pub fn size(&self) -> usize {
        self.bytes + self.sent_bytes
    }

    /// The body of the next request, with all events.
    pub fn body(&mut self) -> Vec<u8> {
        let mut body = Vec::new();
        for event in &self.events {
            event.write(&mut body);
        }
        self.sent = self.events.len();
        self.sent_bytes = body.len();
        body
    }

    /// Removes the events that the backend accepted: all that were sent, or the first with so many bytes of content.
    pub fn accept(&mut self, bytes: Option<u64>) {
        let mut left = bytes.unwrap_or(u64::MAX);
        self.held = false;
        for _ in 0..self.sent {
            let Some(event) = self.events.front() else {
                break;
            };
            let content = match event {
                Event::Text(_) | Event::Binary(_) => event.content_len() as u64,
                _ => 0,
            };
            if content > left {
                self.held = true;
                break;
            }
            left -= content;
            self.bytes -= size(event);
            self.events.pop_front();
        }
        self.sent = 0;
        self.sent_bytes = 0;
        if self.events.is_empty() {
            self.events = VecDeque::new();
        }
    }
}

/// Bytes that an event keeps in memory, about.
fn size(event: &Event) -> usize {
    OVERHEAD + event.content_len()
}
