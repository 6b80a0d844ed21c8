//! The effect of the backend's answers on a socket.

use super::{OpenSocket, clock::KeepAlive, end::End};
use crate::gateway::{Event, backend::Failure, conversation::MAX_QUIET, outgoing::Outgoing};
use bytes::Bytes;
use http::Response;
use kafka_grip::{
    Control,
    event::{CONTROL, MESSAGE},
};
use std::time::Duration;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// Channels that a socket may subscribe to.
const MAX_CHANNELS: usize = 64;
/// Bytes in the name of a channel.
const MAX_CHANNEL_NAME: usize = 512;

impl OpenSocket {
    /// Handles the backend's answer.
    pub(super) fn answered(&mut self, answer: Result<Response<Bytes>, Failure>) -> Result<(), End> {
        self.exchange = None;
        self.last_exchange = Instant::now();
        let events = self
            .conversation
            .answered(answer)
            .map_err(|trouble| self.no_answer(&trouble))?;
        self.take_in(events)
    }

    /// Handles the events of the backend.
    pub(super) fn take_in(&mut self, events: Vec<Event>) -> Result<(), End> {
        let mut commands = Vec::new();
        for event in events {
            let message = match event {
                Event::Text(text) if self.conversation.has_grip() => {
                    if let Some(rest) = text.strip_prefix(MESSAGE) {
                        // Shares the answer's memory.
                        let bytes = Bytes::from(text.clone());
                        Utf8Bytes::try_from(bytes.slice_ref(rest.as_bytes()))
                            .map(Outgoing::text)
                            .map_err(|_| self.no_grip("a text is cut"))?
                    } else if text.starts_with(CONTROL) {
                        commands.push(text);
                        continue;
                    } else {
                        tracing::warn!(peer = %self.peer, "a text of the backend begins neither with m: nor c:");
                        continue;
                    }
                }
                Event::Text(text) => Outgoing::text(text),
                Event::Binary(bytes) => match bytes.strip_prefix(MESSAGE.as_bytes()) {
                    Some(rest) if self.conversation.has_grip() => {
                        Outgoing::binary(bytes.slice_ref(rest))
                    }
                    _ => Outgoing::binary(bytes),
                },
                Event::Ping(bytes) => Outgoing::Ping(bytes),
                Event::Pong(bytes) => Outgoing::Pong(bytes),
                Event::Close(frame) => Outgoing::Close {
                    frame,
                    is_known: true,
                },
                Event::Disconnect => Outgoing::Drop,
                Event::Open => continue,
            };
            self.mailbox.answer(message);
        }
        // After the messages, so that nothing that is published gets in front of them.
        for command in &commands {
            self.obey(&command[CONTROL.len()..])?;
        }
        Ok(())
    }

    /// Executes a control message.
    fn obey(&mut self, command: &str) -> Result<(), End> {
        let command = serde_json::from_str(command)
            .map_err(|_| self.no_grip("a control message can't be read"))?;
        match command {
            Control::Subscribe { channel } => {
                if channel.len() > MAX_CHANNEL_NAME || self.subscriptions.len() >= MAX_CHANNELS {
                    return Err(self.no_grip("too many channels, or too long a name"));
                }
                self.subscriptions.add(&channel);
            }
            Control::Unsubscribe { channel } => self.subscriptions.remove(&channel),
            Control::Detach => self.detached = true,
            Control::KeepAlive { content, timeout } => {
                let every = Duration::from_secs(timeout.unwrap_or(55).clamp(1, MAX_QUIET));
                self.last_sent = Instant::now();
                self.keep_alive = content.map(|content| KeepAlive {
                    every,
                    content: content.into(),
                });
            }
            Control::Other => {
                tracing::warn!(peer = %self.peer, "an unknown control message");
            }
        }
        Ok(())
    }
}
