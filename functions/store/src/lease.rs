//! The right to a stream, a download or a trial: a row that is renewed while the work goes on, and expires where nothing
//! renews it any more.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::stream::{Stream, StreamExt};
use spin_sdk::time::sleep;
use spin_sdk::wasip3;
use tracing::Instrument;

use crate::caller::Caller;
use crate::clock;
use crate::db::{self, Db};
use crate::error::Result;
use crate::id::new_id;
use crate::long_work::Kind;
use crate::params;

const TAKE: &str = include_str!("lease.sql");

/// How long a lease is good without being renewed, in milliseconds.
const GOOD_FOR: i64 = 180_000;

/// How often it is renewed.
const RENEWED_AFTER: Duration = Duration::from_secs(60);

/// How often it is looked whether the work has ended.
const LOOKED_AFTER: Duration = Duration::from_secs(15);

/// One stream, download or trial of a user, from [`Lease::take`] until this is dropped.
#[derive(Debug)]
pub struct Lease {
    id: String,
    has_ended: Arc<AtomicBool>,
}

impl Lease {
    /// Counts a stream or a download that begins now; `None` where it is not counted.
    ///
    /// # Errors
    /// Where there are too many of the caller or in total.
    pub async fn take(caller: &Caller, kind: Kind) -> Result<Option<Self>> {
        let (Some(bound), Some(user)) = (caller.bound(kind), caller.user_id()) else {
            return Ok(None);
        };
        let (id, now) = (new_id(), clock::unix_millis());
        let mut db = Db::open().await?;
        let taken = db
            .query_one_as::<String>(
                TAKE,
                params![
                    id.as_str(),
                    kind.name(),
                    user,
                    now,
                    now + GOOD_FOR,
                    bound.per_user,
                    bound.in_total
                ],
            )
            .await?;
        if taken.is_some() {
            let has_ended = Arc::new(AtomicBool::new(false));
            let (kind, user) = (kind.name(), user.to_owned());
            wasip3::spawn(keep(id.clone(), kind, user, has_ended.clone()).in_current_span());
            return Ok(Some(Self { id, has_ended }));
        }
        let own: Option<i64> = db
            .query_one_as(
                "SELECT count(*) FROM long_work WHERE user_id = ?1 AND kind = ?2 AND expires_at BETWEEN ?3 AND ?4",
                params![user, kind.name(), now, now + GOOD_FOR],
            )
            .await?;
        match own.is_some_and(|count| count >= bound.per_user) {
            true => Err(kind.too_much()),
            false => Err(kind.no_room()),
        }
    }

    /// Ends it before the answer: a request that is refused leaves no row behind.
    pub async fn end(mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
        end_logged(std::mem::take(&mut self.id)).await;
    }
}

/// Renews a lease until its work has ended: by the clock, since a client that reads slowly takes the next piece late.
async fn keep(id: String, kind: &'static str, user: String, has_ended: Arc<AtomicBool>) {
    let mut renewed = Instant::now();
    loop {
        sleep(LOOKED_AFTER).await;
        if has_ended.load(Ordering::Relaxed) {
            return;
        }
        if renewed.elapsed() < RENEWED_AFTER {
            continue;
        }
        renewed = Instant::now();
        if let Err(error) = renew(&id, kind, &user).await {
            // Counted wrongly for a while, which is no reason to end what it counts.
            tracing::warn!("a lease was not renewed: {error}");
        }
    }
}

async fn renew(id: &str, kind: &str, user: &str) -> db::Result<()> {
    let until = clock::unix_millis() + GOOD_FOR;
    let mut db = Db::open().await?;
    // One that was swept, because nothing could be written for long, is there again.
    db.execute(
        "INSERT INTO long_work (id, kind, user_id, expires_at) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (id) DO UPDATE SET expires_at = excluded.expires_at",
        params![id, kind, user, until],
    )
    .await
}

async fn end(id: &str) -> db::Result<()> {
    let mut db = Db::open().await?;
    db.execute("DELETE FROM long_work WHERE id = ?1", params![id])
        .await
}

async fn end_logged(id: String) {
    if let Err(error) = end(&id).await {
        tracing::warn!("a lease stays until it expires: {error}");
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let id = std::mem::take(&mut self.id);
        // Else it has been ended.
        if !id.is_empty() {
            self.has_ended.store(true, Ordering::Relaxed);
            wasip3::spawn(end_logged(id).in_current_span());
        }
    }
}

/// The same pieces, for which the lease is held until the last of them has been taken or nothing takes them any more.
pub fn held<T: Send + 'static>(
    pieces: impl Stream<Item = T> + Send + 'static,
    lease: Option<Lease>,
) -> impl Stream<Item = T> + Send + 'static {
    pieces.inspect(move |_| {
        // The lease goes with the stream that has it.
        let _held = &lease;
    })
}
