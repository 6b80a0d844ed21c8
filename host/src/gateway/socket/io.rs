//! Waiting for the client and the backend at once.

use super::OpenSocket;
use crate::gateway::broken::Broken;
use crate::gateway::{Event, backend::Failure};
use bytes::Bytes;
use http::Response;
use std::{
    future::poll_fn,
    mem::MaybeUninit,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, ReadBuf};

/// Bytes that are read from a client at once.
const READ: usize = 4 * 1024;

/// An event on the socket or an answer to the open request.
pub(super) enum Step {
    Flushed,
    Received(Event),
    Broken(Broken),
    Lost,
    Answered(Result<Response<Bytes>, Failure>),
}

impl OpenSocket {
    /// Waits for the next [`Step`]; stopped in the middle, it loses nothing.
    pub(super) fn step(&mut self) -> impl Future<Output = Step> {
        poll_fn(|cx| self.poll_step(cx))
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        if let Some(exchange) = &mut self.exchange
            && let Poll::Ready(answer) = exchange.as_mut().poll(cx)
        {
            return Poll::Ready(Step::Answered(answer));
        }
        if self.unflushed.is_some()
            && let Poll::Ready(written) = self.outbox.poll_write(&mut self.client, cx)
        {
            return Poll::Ready(written.map_or(Step::Lost, |()| Step::Flushed));
        }
        if self.conversation.is_full() {
            return Poll::Pending;
        }
        self.poll_event(cx)
    }

    /// Reads until an event is complete.
    fn poll_event(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        loop {
            match self.incoming.next() {
                Ok(Some(event)) => return Poll::Ready(Step::Received(event)),
                Ok(None) => {}
                Err(why) => return Poll::Ready(Step::Broken(why)),
            }
            let mut buffer = [MaybeUninit::uninit(); READ];
            let mut buffer = ReadBuf::uninit(&mut buffer);
            let read = ready!(Pin::new(&mut self.client).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(Step::Lost);
            }
            self.incoming.add(buffer.filled());
        }
    }
}
