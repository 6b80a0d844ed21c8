//! How much work that goes on for long one user may have at a time, and all users together: replies, streams of events,
//! downloads, trials of models. (Short requests are limited by how often they come: [`crate::limits`].)
//!
//! A reply is counted by its row, as long as its heart beats. A stream, a download and a trial have a [`Lease`]: a row that is
//! renewed while they go on, and expires where nothing renews it any more. In open mode only replies are counted, and
//! only in total, since who calls is who runs the server.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use futures::stream::{Stream, StreamExt};
use spin_sdk::time::sleep;
use spin_sdk::wasip3;
use tracing::Instrument;

use crate::access::Caller;
use crate::clock;
use crate::config::{Config, table};
use crate::db::{self, Db};
use crate::error::{Error, Result};
use crate::id::new_id;
use crate::params;

/// A kind of long work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A reply that a model writes.
    Reply,
    /// A stream of server-sent events.
    Stream,
    /// A download of more than one chunk.
    Download,
    /// A trial of a model.
    Trial,
}

impl Kind {
    const ALL: [Self; 4] = [Self::Reply, Self::Stream, Self::Download, Self::Trial];

    /// As the variable `long_work` and the rows call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Reply => "reply",
            Self::Stream => "stream",
            Self::Download => "download",
            Self::Trial => "trial",
        }
    }

    /// 429: the user has as much of it as they may.
    pub fn too_much(self) -> Error {
        Error::TooMuchAtOnce(match self {
            Self::Reply => {
                "You have too many replies running. Wait until one has ended, or stop one."
            }
            Self::Stream => "You have too many streams of events open. Close one.",
            Self::Download => "You have too many downloads running. Wait until one has ended.",
            Self::Trial => "You are trying too many models at once. Wait for their answers.",
        })
    }

    /// 503: all users together have as much of it as the server bears.
    pub fn no_room(self) -> Error {
        Error::unavailable(match self {
            Self::Reply => "Too many replies are running on this server. Please try again later.",
            Self::Stream => "Too many streams are open on this server. Please try again later.",
            Self::Download => {
                "Too many downloads are running on this server. Please try again later."
            }
            Self::Trial => {
                "Too many models are being tried on this server. Please try again later."
            }
        })
    }
}

/// How much there may be of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    /// Of one user in token mode.
    pub per_user: i64,
    /// Of all users.
    pub in_total: i64,
}

/// The variable `long_work`: entries such as `reply=100/2000`, at most 100 of one user and 2000 in total. What has no entry
/// has no bound.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bounds([Option<Bound>; 4]);

impl Bounds {
    /// Reads the entries of the variable; the error names the one that is wrong.
    pub(crate) fn parse(list: &str) -> Result<Self, String> {
        let names = Kind::ALL.map(Kind::name);
        let bound = |[per_user, in_total]: [i64; 2]| {
            (per_user > 0 && in_total > 0).then_some(Bound { per_user, in_total })
        };
        table("long_work", "reply=100/2000", list, names, bound).map(Self)
    }

    /// The bound of one kind; `None`: there is none.
    pub fn of(&self, kind: Kind) -> Option<Bound> {
        self.0[kind as usize]
    }
}

const TAKE: &str = include_str!("long_work.sql");

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
    /// 429 or 503 where there are too many of the caller or in total.
    pub async fn take(caller: &Caller, kind: Kind) -> Result<Option<Self>> {
        let bound = Config::get().await?.long_work.of(kind);
        let (Some(bound), Some(user), true) = (bound, caller.user_id(), caller.is_proven()) else {
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

impl Drop for Lease {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Relaxed);
        let id = std::mem::take(&mut self.id);
        let ending = async move {
            if let Err(error) = end(&id).await {
                tracing::warn!("a lease stays until it expires: {error}");
            }
        };
        wasip3::spawn(ending.in_current_span());
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

#[cfg(test)]
mod tests {
    use super::{Bound, Bounds, Kind};

    #[test]
    fn bounds_are_read() {
        let bounds = Bounds::parse("reply=100/2000 download=1/2").unwrap();
        let reply = Bound {
            per_user: 100,
            in_total: 2000,
        };
        assert_eq!(bounds.of(Kind::Reply), Some(reply));
        assert_eq!(bounds.of(Kind::Stream), None);
        for wrong in [
            "reply",
            "reply=1",
            "reply=0/1",
            "reply=1/0",
            "reply=-1/5",
            "nap=1/1",
            "reply=1/2/3",
        ] {
            let error = Bounds::parse(wrong).unwrap_err();
            assert!(error.contains(wrong), "{error}");
        }
    }
}
