//! The end of a socket: its cause, and the messages to client and backend about it.

use super::{Client, GOODBYE_LIMIT, OpenSocket, outbox::Outbox};
use crate::gateway::{
    Event, Gateway, backend::Backend, broken::Broken, conversation::Trouble, outgoing::Outgoing,
};
use http::StatusCode;
use std::{future::poll_fn, io, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// How long a client has to read the close frame, and to close its side.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// The reason of a socket for which the gateway's budget has no room.
pub(super) const NO_ROOM: &str = "Too much is waiting.";

/// How a socket ends.
pub(super) enum End {
    /// The client closed, with this code and reason, of which the backend must be informed.
    ByClient(Option<(u16, Utf8Bytes)>),
    /// The connection is lost.
    Lost,
    /// We close, with this code and reason, of which the backend must be informed unless it asked for the end itself.
    Close {
        frame: Option<(u16, Utf8Bytes)>,
        is_known: bool,
    },
    /// We hang up.
    Drop,
}

impl End {
    /// We close, and the backend does not know yet.
    pub(super) fn close(code: u16, reason: &'static str) -> Self {
        Self::Close {
            frame: Some((code, Utf8Bytes::from_static(reason))),
            is_known: false,
        }
    }
}

impl OpenSocket {
    /// The end because an answer is missing.
    pub(super) fn no_answer(&self, trouble: &Trouble) -> End {
        let refused = matches!(trouble, Trouble::Refused(status) if status.is_client_error());
        tracing::info!(peer = %self.peer, "a socket ends: {trouble}");
        let (code, reason) = match trouble {
            Trouble::Refused(StatusCode::UNAUTHORIZED) => (1008, "Not authenticated."),
            _ if refused => (1008, "Refused."),
            _ => (1011, "The backend does not answer."),
        };
        End::close(code, reason)
    }

    /// The end because of a malformed answer.
    pub(super) fn no_grip(&self, why: &str) -> End {
        tracing::warn!(peer = %self.peer, "a socket ends: {why}");
        End::close(1011, "The backend's answer is not valid.")
    }

    /// Ends the socket on both sides at once.
    pub(super) async fn end(self, end: End, gateway: &Gateway, backend: &Arc<dyn Backend>) {
        let Self {
            client,
            incoming,
            outbox,
            mut conversation,
            queued,
            mailbox,
            subscriptions,
            exchange,
            detached,
            ..
        } = self;
        drop((incoming, mailbox, subscriptions));
        let goodbye = async {
            let is_known = match &end {
                End::ByClient(frame) => {
                    conversation.add(Event::Close(frame.clone()));
                    false
                }
                End::Close { is_known: true, .. } => true,
                End::Close { frame, .. } => {
                    conversation.add(Event::Close(frame.clone()));
                    false
                }
                End::Lost | End::Drop => {
                    conversation.add(Event::Disconnect);
                    false
                }
            };
            if is_known || detached {
                return;
            }
            // The open request has limits of its own, and its events happened before the end.
            if let Some(exchange) = exchange
                && let Err(error) = conversation.answered(exchange.await)
            {
                tracing::debug!("a socket's last request: {error}");
            }
            let goodbye = conversation.ask(backend.clone(), &gateway.keys, true);
            match timeout(GOODBYE_LIMIT, goodbye).await {
                Ok(Ok(_)) => {}
                Ok(Err(error)) => {
                    tracing::debug!("the backend was not informed of a socket's end: {error}")
                }
                Err(_) => tracing::debug!("the backend was not informed of a socket's end in time"),
            }
            drop(queued);
        };
        tokio::join!(hang_up(client, outbox, &end), goodbye);
    }
}

/// The end for a client that sent something unreadable.
pub(super) fn broken(why: &Broken) -> End {
    match why {
        Broken::TooLong => End::close(1009, "The message is too long."),
        Broken::NoText => End::close(1007, "The text is not UTF-8."),
        Broken::NoFrame => End::close(1002, "The frame is not valid."),
        Broken::Full => End::close(1013, NO_ROOM),
    }
}

/// Closes the connection so that the client gets everything, the close frame included: it is not reset while the client
/// may still be sending.
async fn hang_up(mut client: Client, mut outbox: Outbox, end: &End) {
    let frame = match end {
        End::Lost | End::Drop => return,
        End::ByClient(frame) | End::Close { frame, .. } => frame.clone(),
    };
    outbox.send(Outgoing::Close {
        frame,
        is_known: true,
    });
    let close = async {
        poll_fn(|cx| outbox.poll_write(&mut client, cx)).await?;
        client.shutdown().await?;
        let mut rest = [0; 1024];
        while client.read(&mut rest).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    if let Ok(Err(error)) = timeout(CLOSE_LIMIT, close).await {
        tracing::debug!("a client left early: {error}");
    }
}
