//! Bodies that are not there yet, and the places for them.
//!
//! A component has a limited number of places. A request whose body comes slowly would keep a place for as long as its
//! client likes, so only some of them may. The others wait here until their bodies have come, or until one of the
//! slowest has given up.

pub mod place;

use super::body::RequestBody;
use bytes::Bytes;
use http_body::{Body, Frame};
use http_body_util::BodyExt;
use place::Upload;
use std::{collections::VecDeque, pin::pin, sync::Arc, time::Duration};
use tokio::{
    sync::{Notify, Semaphore},
    time::{Instant, MissedTickBehavior, interval_at, timeout},
};

/// Requests that may be with a component before their bodies are there.
const MAX_UPLOADS: usize = 512;
/// Bytes of a body that are read while it waits for a place. A shorter one needs none.
const READ_AHEAD: u64 = 8 * 1024;
/// How often waiting requests ask for a place.
const ASK: Duration = Duration::from_millis(250);
/// How long one waits for a place.
const WAIT_LIMIT: Duration = Duration::from_secs(30);

/// The places of a server for bodies that are not there yet.
pub struct Uploads {
    free: Arc<Semaphore>,
    /// Wakes the slow request that has been silent longest, to give up.
    wanted: Arc<Notify>,
}

/// No place became free in time.
#[derive(Debug)]
pub struct Busy;

impl Uploads {
    /// All places, none of which is taken.
    pub fn new() -> Self {
        Self {
            free: Arc::new(Semaphore::new(MAX_UPLOADS)),
            wanted: Arc::default(),
        }
    }

    /// Waits until the body may go to a component: it has a place, or needs none because it is there, or failed.
    ///
    /// # Errors
    /// When there is none for too long.
    pub async fn admit(&self, mut body: RequestBody) -> Result<RequestBody, Busy> {
        if body.is_end_stream() {
            return Ok(body);
        }
        if let Ok(permit) = self.free.clone().try_acquire_owned() {
            body.set_upload(Upload::new(&self.wanted, permit));
            return Ok(body);
        }
        timeout(WAIT_LIMIT, self.wait(body))
            .await
            .unwrap_or(Err(Busy))
    }

    async fn wait(&self, mut body: RequestBody) -> Result<RequestBody, Busy> {
        let mut free = pin!(self.free.clone().acquire_owned());
        let mut ask = interval_at(Instant::now() + ASK, ASK);
        ask.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut ahead: VecDeque<Frame<Bytes>> = VecDeque::new();
        let mut read = 0;
        loop {
            tokio::select! {
                permit = &mut free => {
                    body.set_upload(Upload::new(&self.wanted, permit.map_err(|_| Busy)?));
                    break;
                }
                frame = body.frame(), if !body.is_uninvited() && read <= READ_AHEAD => match frame {
                    Some(Ok(frame)) => {
                        read += frame.data_ref().map_or(0, |data| data.len() as u64);
                        ahead.push_back(frame);
                    }
                    // The body's fate contains the error.
                    Some(Err(_)) | None => break,
                },
                _ = ask.tick() => self.wanted.notify_one(),
            }
        }
        body.put_back(ahead);
        Ok(body)
    }
}
