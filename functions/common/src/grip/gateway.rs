//! One gateway, as this instance knows it: what waits for it, and whether it can be reached.
//!
//! Each has a queue and, while something waits, a task of its own, so that one that is down or slow delays no other. An
//! instance sends it one request at a time, and what comes meanwhile goes along with the next, in its order. A failure
//! is logged and goes no further.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use axum::http::{self, header};
use bytes::Bytes;
use http_body_util::BodyExt;
use kafka_grip::{Address, Item, Publish};
use spin_sdk::http::FullBody;
use spin_sdk::time::sleep;
use spin_sdk::wasip3;

use super::queue::Queue;
use crate::clock::{self, Moment};
use crate::task::{spawning, within};

/// How long a gateway may take to answer.
const TIMEOUT: Duration = Duration::from_secs(2);

/// How long items are sent again to a gateway that fails.
const TRIED_FOR: Duration = Duration::from_secs(3);

/// The pause after the first failure; each later one is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How long a gateway that can't be reached is left alone. Clients miss what is published meanwhile;
/// those that still have a socket find out by the next `rev` or `seq`, and ask.
const LEFT_ALONE: Duration = Duration::from_secs(1);

/// How long our signatures are valid, in seconds.
const SIGNED_FOR: i64 = 600;

/// A gateway.
#[derive(Debug)]
pub struct Gateway {
    /// Where it is, and the keys between it and us.
    pub address: Address,
    waiting: Mutex<Waiting>,
    /// When it could not be reached.
    failed: Moment,
    /// Whether the last attempt failed: a gateway that is away for long is one line in this instance's log, and its
    /// items are sent once.
    is_away: AtomicBool,
}

impl Gateway {
    /// A gateway of which nothing is known yet.
    pub fn new(address: Address) -> Self {
        Self {
            address,
            waiting: Mutex::default(),
            failed: Moment::never(),
            is_away: AtomicBool::new(false),
        }
    }

    /// Lets `items` go out, behind what waits already.
    pub fn publish(&'static self, items: Vec<Item>) {
        self.begin(self.waiting_with(items));
    }

    /// Lets `items` wait for what is published next, but no more than goes into one request: not so many that there is no
    /// room for others.
    pub fn publish_later(&'static self, items: Vec<Item>) {
        let waiting = self.waiting_with(items);
        if waiting.queue.fills_a_batch() {
            self.begin(waiting);
        }
    }

    /// Begins to publish, unless that is done already.
    fn begin(&'static self, mut waiting: MutexGuard<'_, Waiting>) {
        if !waiting.is_published && !waiting.queue.is_empty() {
            waiting.is_published = true;
            wasip3::spawn(self.publish_all());
        }
    }

    /// Whether it takes what is published: it is asked to publish nothing. The error is for the operator.
    pub async fn check(&self) -> Result<(), String> {
        let body = body_of(Vec::new()).map_err(|error| error.to_string())?;
        match within(TIMEOUT, self.post(body)).await {
            Some(Ok(())) => Ok(()),
            Some(Err(Failure::Refused(status))) => Err(format!(
                "The gateway answers {} to what is published.",
                status.as_u16()
            )),
            Some(Err(Failure::Unreachable(reason))) => {
                let address = &self.address.publish;
                tracing::warn!("the gateway at {address} can't be reached: {reason}");
                Err("The gateway can't be reached.".to_owned())
            }
            None => Err("The gateway does not answer in time.".to_owned()),
        }
    }

    /// Publishes until nothing waits any more.
    async fn publish_all(&self) {
        let _at_it = AtIt(self);
        while let Some(batch) = self.next_batch() {
            match body_of(batch) {
                Ok(body) => self.send(body).await,
                Err(error) => tracing::error!("items can't be written: {error}"),
            }
        }
    }

    /// The next items, if any wait.
    fn next_batch(&self) -> Option<Vec<Item>> {
        let batch = self.waiting().queue.batch();
        Some(batch).filter(|batch| !batch.is_empty())
    }

    /// Hands a publish request to the gateway, several times if it fails. It drops the items that it has already, by
    /// their ids.
    async fn send(&self, body: Bytes) {
        if self.failed.is_within(LEFT_ALONE) {
            return;
        }
        let begun = Instant::now();
        let mut pause = FIRST_PAUSE;
        let failure = loop {
            let no_answer = || Err(Failure::Unreachable("no answer".to_owned()));
            let sent = within(TIMEOUT, self.post(body.clone())).await;
            let Err(failure) = sent.unwrap_or_else(no_answer) else {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    let address = &self.address.publish;
                    tracing::info!("the gateway at {address} is back");
                }
                return;
            };
            let is_known = self.is_away.load(Ordering::Relaxed);
            if is_known || !failure.may_pass() || begun.elapsed() + pause > TRIED_FOR {
                break failure;
            }
            sleep(pause).await;
            pause *= 2;
        };
        let address = &self.address.publish;
        match failure {
            Failure::Refused(status) => {
                tracing::warn!("the gateway at {address} answers {status} to what is published");
            }
            Failure::Unreachable(reason) => {
                self.failed.is_now();
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(
                        "the gateway at {address} can't be reached, open windows hear nothing: {reason}"
                    );
                }
            }
        }
    }

    async fn post(&self, body: Bytes) -> Result<(), Failure> {
        let unreachable = |error: String| Failure::Unreachable(error);
        let mut request = http::Request::post(self.address.publish.clone())
            .header(header::CONTENT_TYPE, "application/json")
            // Pushpin reads no body in chunks (411).
            .header(header::CONTENT_LENGTH, body.len());
        if let Some(key) = &self.address.components {
            let token = key.sign(clock::unix_millis() / 1000 + SIGNED_FOR);
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        let request = request
            .body(FullBody::new(body))
            .map_err(|error| unreachable(error.to_string()))?;
        let response = spawning(spin_sdk::http::send(request))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let (head, mut body) = response.into_parts();
        // To its end, so that the connection can be used again; what it says beyond the status is of no use.
        while let Some(Ok(_)) = body.frame().await {}
        if head.status.is_success() {
            Ok(())
        } else {
            Err(Failure::Refused(head.status))
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What waits, with these items if there is room for them.
    fn waiting_with(&self, items: Vec<Item>) -> MutexGuard<'_, Waiting> {
        let mut waiting = self.waiting();
        if !waiting.queue.push(items) {
            let address = &self.address.publish;
            tracing::warn!("the gateway at {address} is too slow, some changes are not announced");
        }
        waiting
    }
}

/// What waits to be published, and the task that will do it: one at a time, so that the order stays.
#[derive(Debug, Default)]
struct Waiting {
    queue: Queue,
    /// Whether a task publishes it.
    is_published: bool,
}

/// Held by the task that publishes. If the task ends early, the waiting items are dropped, so that the next change
/// starts a new one.
struct AtIt<'a>(&'a Gateway);

impl Drop for AtIt<'_> {
    fn drop(&mut self) {
        *self.0.waiting() = Waiting::default();
    }
}

fn body_of(items: Vec<Item>) -> serde_json::Result<Bytes> {
    serde_json::to_vec(&Publish { items }).map(Bytes::from)
}

enum Failure {
    /// It answered, but not with success.
    Refused(http::StatusCode),
    /// It did not answer, for this reason.
    Unreachable(String),
}

impl Failure {
    /// Whether the same request may succeed later.
    fn may_pass(&self) -> bool {
        match self {
            Self::Refused(status) => status.is_server_error(),
            Self::Unreachable(_) => true,
        }
    }
}
