//! The connections of an instance while nothing uses them, and how new ones are made.
//!
//! There are two kinds, which are not mixed: a commit of the one is answered when it is on the disk, of the other when
//! the database has it (`PRAGMA synchronous = NORMAL`, SQLite's words).

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use spin_sdk::sqlite::Connection;

use super::{Error, Result, run};

/// The label of the database in `spin.toml`.
const LABEL: &str = "default";

/// An instance serves at most 16 requests at once, so more idle connections are of no use.
const MAX_IDLE: usize = 16;

/// How long an idle connection is used again. A libSQL server forgets one after ten seconds.
const IDLE_LIMIT: Duration = Duration::from_secs(5);

/// Connections whose commits are on the disk when they are answered.
pub(super) static FLUSHED: Idle = Idle::new(None);

/// Connections whose commits are not waited for.
pub(super) static UNFLUSHED: Idle = Idle::new(Some("PRAGMA synchronous = NORMAL"));

/// Idle connections of one kind.
pub(super) struct Idle {
    /// The statement with which one begins.
    setting: Option<&'static str>,
    /// Whether the database refuses that, as a libSQL server may, and all connections are of the other kind.
    is_refused: AtomicBool,
    /// Each since when it is idle; the one that was used last is at the end.
    connections: Mutex<Vec<(Instant, Open)>>,
}

/// A connection, and whether its commits are on the disk when they are answered.
pub(super) struct Open {
    pub(super) connection: Connection,
    pub(super) is_flushed: bool,
}

impl Idle {
    const fn new(setting: Option<&'static str>) -> Self {
        Self {
            setting,
            is_refused: AtomicBool::new(false),
            connections: Mutex::new(Vec::new()),
        }
    }

    /// The connection that was used last, or a new one.
    pub(super) async fn connect(&self) -> Result<Open> {
        if let Some(open) = self.take() {
            return Ok(open);
        }
        let new = Connection::open(LABEL).await?;
        let is_refused = self.is_refused.load(Ordering::Relaxed);
        let Some(setting) = self.setting.filter(|_| !is_refused) else {
            return Ok(Open {
                connection: new,
                is_flushed: true,
            });
        };
        let mut set = None;
        match run(&mut set, new, setting, Vec::new()).await {
            Ok(_) => {}
            Err(Error::Other(reason)) => {
                tracing::debug!("all commits are waited for: {reason}");
                self.is_refused.store(true, Ordering::Relaxed);
            }
            Err(error) => return Err(error),
        }
        let is_flushed = set.is_none();
        let connection = match set {
            Some(connection) => connection,
            None => Connection::open(LABEL).await?,
        };
        Ok(Open {
            connection,
            is_flushed,
        })
    }

    /// The connection that was used last, if it is not idle for too long.
    fn take(&self) -> Option<Open> {
        let mut idle = self.lock();
        let last = idle.pop().filter(|(since, _)| since.elapsed() < IDLE_LIMIT);
        if last.is_none() {
            // All others are idle for even longer.
            idle.clear();
        }
        last.map(|(_, open)| open)
    }

    /// Takes back a connection that is not in a transaction.
    pub(super) fn put(&self, open: Open) {
        let mut idle = self.lock();
        if idle.len() < MAX_IDLE {
            idle.push((Instant::now(), open));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Vec<(Instant, Open)>> {
        self.connections
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
