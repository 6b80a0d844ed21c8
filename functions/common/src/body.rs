//! Request bodies under a limit.

use std::pin::pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderMap, header};
use bytes::{Bytes, BytesMut};
use futures::future::{Either, select};
use http_body_util::BodyExt;
use spin_sdk::time::sleep;

use crate::error::{Error, Result};

/// How long a client may be silent in the middle of a body that is not wanted, before it gets its answer.
const SILENCE_LIMIT: Duration = Duration::from_secs(3);

/// A request's body, counted while it is read. Above its limit every read is 413.
#[derive(Debug)]
pub struct LimitedBody {
    body: Body,
    left: u64,
}

impl LimitedBody {
    /// Takes the body of `request`.
    ///
    /// # Errors
    /// 413 for one that announces more than `limit` bytes: none is read.
    pub fn new(request: Request, limit: u64) -> Result<Self> {
        if announced_length(request.headers()).is_some_and(|length| length > limit) {
            return Err(Error::TooLarge);
        }
        Ok(Self {
            body: request.into_body(),
            left: limit,
        })
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// 413 beyond the limit, 400 for a body that breaks off: what has arrived must not count as all.
    pub async fn chunk(&mut self) -> Result<Option<Bytes>> {
        while let Some(frame) = self.body.frame().await {
            let frame = frame.map_err(|_| Error::unreadable_body())?;
            let Ok(data) = frame.into_data() else {
                continue;
            };
            self.left = self
                .left
                .checked_sub(data.len() as u64)
                .ok_or(Error::TooLarge)?;
            return Ok(Some(data));
        }
        Ok(None)
    }

    /// All that is left of the body.
    ///
    /// # Errors
    /// As [`Self::chunk`].
    pub async fn collect(&mut self) -> Result<Bytes> {
        // Most bodies arrive in one piece, which then needs no copy.
        let Some(first) = self.chunk().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.chunk().await? else {
            return Ok(first);
        };
        let mut whole = BytesMut::with_capacity(first.len() + second.len());
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(more) = self.chunk().await? {
            whole.extend_from_slice(&more);
        }
        Ok(whole.freeze())
    }

    /// Reads what is left and forgets it, so that a client that is still sending gets its answer and not a reset
    /// connection. Ends at the limit at the latest, and does not wait for a client that stalls.
    pub async fn drain(&mut self) {
        loop {
            let chunk = pin!(self.chunk());
            match select(chunk, pin!(sleep(SILENCE_LIMIT))).await {
                Either::Left((Ok(Some(_)), _)) => {}
                _ => return,
            }
        }
    }
}

fn announced_length(headers: &HeaderMap) -> Option<u64> {
    headers
        .get(header::CONTENT_LENGTH)?
        .to_str()
        .ok()?
        .parse()
        .ok()
}
