//! Bodies on their way in and out.

use super::uploads::place::Upload;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use std::{
    collections::VecDeque,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::Duration,
};
use tokio::time::{Instant, timeout};
use wasmtime_wasi_http::{Error, WasiBody};

/// How long a client may be silent in the middle of a body.
const SILENCE_LIMIT: Duration = Duration::from_secs(30);
/// How long a client may let a body's reader wait in all, whatever has come.
const GRACE: Duration = Duration::from_secs(30);
/// Bytes that must come in a second, on the average, once that is over.
const LEAST_PACE: u64 = 4 * 1024;
/// How long the rest of a body that no component wants is read and thrown away.
const DISCARD_LIMIT: Duration = Duration::from_secs(10);

/// The result of reading a request's body.
#[derive(Debug, Clone, Default)]
pub struct Fate(Arc<AtomicU8>);

impl Fate {
    const SLOW: u8 = 1;
    const BROKEN: u8 = 2;

    /// Whether the client took too long.
    pub fn is_slow(&self) -> bool {
        self.0.load(Relaxed) == Self::SLOW
    }

    /// Whether it broke off, or was none.
    pub fn is_broken(&self) -> bool {
        self.0.load(Relaxed) == Self::BROKEN
    }
}

/// Ends when a client has been silent for too long.
type Silence = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A request's body. When it is dropped before its end, the rest is read and thrown away for a while: closing the
/// connection with unread bytes in it would make the client's system throw away the answer.
pub struct RequestBody {
    incoming: Option<Incoming>,
    /// Frames that were read before the component asked for them.
    ahead: VecDeque<Frame<Bytes>>,
    fate: Fate,
    /// Runs while the client is silent: since when, and until it may be no longer.
    silence: Option<(Instant, Silence)>,
    /// How long the client has been waited for before.
    waited: Duration,
    received: u64,
    /// The place among the uploads, if it has one.
    upload: Option<Upload>,
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
            ahead: VecDeque::new(),
            fate: Fate::default(),
            silence: None,
            waited: Duration::ZERO,
            received: 0,
            upload: None,
            uninvited: expects,
        }
    }

    /// The result of reading it.
    pub fn fate(&self) -> Fate {
        self.fate.clone()
    }

    /// Whether the client sends only after it was asked to.
    pub(super) fn is_uninvited(&self) -> bool {
        self.uninvited
    }

    /// Gives it a place among the uploads until its end.
    pub(super) fn set_upload(&mut self, upload: Upload) {
        self.upload = Some(upload);
        // The wait without a place ends here; the wait with one begins.
        self.end_silence();
    }

    /// Puts back what was read; it comes first again.
    pub(super) fn put_back(&mut self, frames: VecDeque<Frame<Bytes>>) {
        self.ahead = frames;
    }

    /// Waits while the client is silent. Ends when it was for too long, or is slow and another needs its place.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (waited, received) = (self.waited, self.received);
        let upload = self.upload.clone();
        let (_, silence) = self.silence.get_or_insert_with(|| {
            let now = Instant::now();
            let left = GRACE + Duration::from_secs(received / LEAST_PACE);
            let end = now + SILENCE_LIMIT.min(left.saturating_sub(waited));
            let silence = async move {
                tokio::select! {
                    () = tokio::time::sleep_until(end) => {}
                    () = Upload::given_up(upload, waited, received) => {}
                }
            };
            (now, Box::pin(silence))
        });
        silence.as_mut().poll(cx)
    }

    fn end_silence(&mut self) {
        if let Some((since, _)) = self.silence.take() {
            self.waited += since.elapsed();
        }
    }

    fn end(&mut self, fate: u8) {
        self.ended = true;
        self.silence = None;
        self.upload = None;
        self.fate.0.store(fate, Relaxed);
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
        if let Some(frame) = this.ahead.pop_front() {
            return Poll::Ready(Some(Ok(frame)));
        }
        let Some(incoming) = &mut this.incoming else {
            return Poll::Ready(None);
        };
        this.uninvited = false;
        if let Poll::Ready(frame) = Pin::new(&mut *incoming).poll_frame(cx) {
            // A reader that knows the length need not ask for the end.
            let is_all = incoming.is_end_stream();
            this.end_silence();
            match &frame {
                Some(Ok(frame)) => {
                    this.received += frame.data_ref().map_or(0, |data| data.len() as u64);
                }
                Some(Err(_)) => this.end(Fate::BROKEN),
                None => {}
            }
            if is_all || frame.is_none() {
                this.ended = true;
                this.upload = None;
            }
            return Poll::Ready(frame.map(|frame| frame.map_err(Error::from)));
        }
        this.poll_silence(cx).map(|()| {
            this.end(Fate::SLOW);
            Some(Err(Error::ConnectionReadTimeout))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.ahead.is_empty() && self.incoming.as_ref().is_none_or(Body::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        let ahead = self.ahead.iter().filter_map(Frame::data_ref);
        let ahead = ahead.map(|data| data.len() as u64).sum::<u64>();
        let rest = self
            .incoming
            .as_ref()
            .map_or_else(SizeHint::default, Body::size_hint);
        let mut hint = SizeHint::new();
        hint.set_lower(ahead + rest.lower());
        if let Some(upper) = rest.upper() {
            hint.set_upper(ahead + upper);
        }
        hint
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

/// An answer's body, with what must be held while it is sent.
pub fn holding(
    body: WasiBody,
    held: impl Send + 'static,
) -> impl Body<Data = Bytes, Error = Error> + Send {
    body.map_err(move |error| {
        // It goes with the body that has it.
        let _held = &held;
        error
    })
}
