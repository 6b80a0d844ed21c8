//! The end of a socket: why, what the client is told of it, and the backend.

use super::{Client, GOODBYE_LIMIT, Running};
use crate::gateway::{Gateway, backend::Backend, conversation::Trouble, event::Event};
use futures::Sink;
use http::StatusCode;
use std::{future::poll_fn, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    time::timeout,
};
use tokio_tungstenite::tungstenite::{
    self, Message, Utf8Bytes,
    error::{CapacityError, ProtocolError},
    protocol::CloseFrame,
};

/// How long a client has to read the close frame, and to close its side.
const CLOSE_LIMIT: Duration = Duration::from_secs(5);

/// How a socket ends.
pub(super) enum End {
    /// The client said goodbye, and the backend is to hear how.
    ByClient,
    /// The client is gone without a word.
    Lost,
    /// We close, with this code and reason; the backend is to hear of it unless it said so itself.
    Close {
        frame: Option<(u16, Utf8Bytes)>,
        told: bool,
    },
    /// We hang up.
    Drop,
}

impl End {
    /// We close, and the backend does not know yet.
    pub(super) fn close(code: u16, reason: &'static str) -> Self {
        Self::Close {
            frame: Some((code, Utf8Bytes::from_static(reason))),
            told: false,
        }
    }
}

impl Running {
    /// The end for want of an answer.
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

    /// The end after an answer that makes no sense.
    pub(super) fn no_grip(&self, why: &str) -> End {
        tracing::warn!(peer = %self.peer, "a socket ends: {why}");
        End::close(1011, "The backend's answer is not valid.")
    }

    /// Ends the socket on both sides at once.
    pub(super) async fn end(self, end: End, gateway: &Gateway, backend: &Arc<Backend>) {
        let Self {
            client,
            mut conversation,
            subscriptions,
            exchange,
            detached,
            ..
        } = self;
        drop(subscriptions);
        let goodbye = async {
            let told = match &end {
                End::ByClient => false,
                End::Close { told: true, .. } => true,
                End::Close { frame, .. } => {
                    conversation.add(Event::Close(frame.clone()));
                    false
                }
                End::Lost | End::Drop => {
                    conversation.add(Event::Disconnect);
                    false
                }
            };
            if told || detached {
                return;
            }
            // It has limits of its own, and what comes with it was sent while all was well.
            let open = match exchange {
                Some(exchange) => exchange.await.map(Some).map_err(Trouble::from),
                None => Ok(None),
            };
            let talk = async {
                if let Some(response) = open? {
                    conversation.answered(response)?;
                }
                conversation
                    .ask(backend.clone(), &gateway.keys, true)
                    .await?;
                Ok::<_, Trouble>(())
            };
            match timeout(GOODBYE_LIMIT, talk).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::debug!("nobody heard a socket's end: {error}"),
                Err(_) => tracing::debug!("nobody heard a socket's end in time"),
            }
        };
        tokio::join!(hang_up(client, &end), goodbye);
    }
}

/// What to do about an error of the client's stream.
pub(super) fn broken(error: &tungstenite::Error) -> End {
    let (code, reason) = match error {
        tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }) => {
            (1009, "The message is too long.")
        }
        tungstenite::Error::Capacity(_) => (1009, "Too much."),
        tungstenite::Error::Utf8(_) => (1007, "The text is not UTF-8."),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => {
            return End::Lost;
        }
        tungstenite::Error::Protocol(_) => (1002, "The frame is not valid."),
        _ => return End::Lost,
    };
    End::close(code, reason)
}

/// Closes the connection so that the client gets everything, the close frame included: it is not reset while the client
/// may still be sending.
async fn hang_up(mut client: Client, end: &End) {
    let frame = match end {
        End::Lost | End::Drop => return,
        End::ByClient => None,
        End::Close { frame, .. } => {
            let message = Message::Close(frame.clone().map(|(code, reason)| CloseFrame {
                code: code.into(),
                reason,
            }));
            Some(message)
        }
    };
    let close = async {
        if let Some(frame) = frame {
            Pin::new(&mut client).start_send(frame)?;
        }
        poll_fn(|cx| Pin::new(&mut client).poll_flush(cx)).await?;
        let io = client.get_mut();
        io.shutdown().await?;
        let mut rest = [0; 1024];
        while io.read(&mut rest).await? > 0 {}
        Ok::<_, tungstenite::Error>(())
    };
    if let Ok(Err(error)) = timeout(CLOSE_LIMIT, close).await {
        tracing::debug!("a client left early: {error}");
    }
}
