//! Requests whose client sends the body only when it is asked to (`Expect: 100-continue`, RFC 9110, section 10.1.1).
//!
//! The backend decides: reading the client's body is what asks for it, so it begins when the backend has asked. hyper's
//! client does not wait by itself.

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::ext::on_informational;
use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{sync::Notify, time::timeout};
use wasmtime_wasi_http::{Error, WasiBody};

/// How long the backend is waited for: one that knows nothing of this waits for the body.
const PATIENCE: Duration = Duration::from_secs(1);

/// A body that waits until it is asked for.
pub struct Invited {
    inner: WasiBody,
    invitation: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Invited {
    /// The request, whose body waits.
    pub fn wait(request: Request<WasiBody>) -> Request<WasiBody> {
        let invited = Arc::new(Notify::new());
        let waiting = invited.clone();
        let mut request = request.map(|inner| {
            let invitation = async move {
                timeout(PATIENCE, waiting.notified()).await.ok();
            };
            let body = Self {
                inner,
                invitation: Some(Box::pin(invitation)),
            };
            body.boxed_unsync()
        });
        on_informational(&mut request, move |answer| {
            if answer.status() == StatusCode::CONTINUE {
                invited.notify_one();
            }
        });
        request
    }
}

impl Body for Invited {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        if let Some(invitation) = &mut self.invitation {
            if invitation.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            self.invitation = None;
        }
        Pin::new(&mut self.inner).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
