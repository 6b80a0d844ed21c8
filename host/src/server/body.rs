//! Bodies on their way in and out.

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::{
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Sleep, sleep, timeout};
use wasmtime_wasi_http::Error;

/// How long a client may be silent in the middle of a body.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);
/// How long the rest of a body that no component wants is read and thrown away.
const DISCARD_LIMIT: Duration = Duration::from_secs(10);

/// A request's body. When it is dropped before its end, the rest is read and thrown away for a while: closing the
/// connection with unread bytes in it would make the client's system throw away the answer.
pub struct RequestBody {
    incoming: Option<Incoming>,
    /// Runs while the client is silent.
    silence: Option<Pin<Box<Sleep>>>,
    ended: bool,
    /// The client waits for a word before it sends, and has not had it: reading would be that word.
    uninvited: bool,
}

impl RequestBody {
    /// Wraps what the client sends, with `expects` when it asked first (`Expect: 100-continue`).
    pub fn new(incoming: Incoming, expects: bool) -> Self {
        Self {
            ended: incoming.is_end_stream(),
            incoming: Some(incoming),
            silence: None,
            uninvited: expects,
        }
    }
}

impl Body for RequestBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = &mut *self;
        let Some(incoming) = &mut this.incoming else {
            return Poll::Ready(None);
        };
        this.uninvited = false;
        if let Poll::Ready(frame) = Pin::new(incoming).poll_frame(cx) {
            this.silence = None;
            this.ended = !matches!(frame, Some(Ok(_)));
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        let silence = this
            .silence
            .get_or_insert_with(|| Box::pin(sleep(SILENCE_LIMIT)));
        silence.as_mut().poll(cx).map(|()| {
            this.ended = true;
            Some(Err(Error::ConnectionReadTimeout))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint)
    }
}

impl Drop for RequestBody {
    fn drop(&mut self) {
        let Some(mut incoming) = self.incoming.take() else {
            return;
        };
        if self.ended || self.uninvited || incoming.is_end_stream() {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(timeout(DISCARD_LIMIT, async move {
                while let Some(Ok(_)) = incoming.frame().await {}
            }));
        }
    }
}
