//! How far running replies are, read once for all streams that an instance has: a thousand streams that each look at
//! their reply ten times a second would be ten thousand statements, most of which find nothing new.
//!
//! The tasks of an instance can't wake each other, so each stream looks here when its own timer says so, and the first
//! that finds what is here too old reads it anew for all.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kafka_common::db::{Db, Result};
use kafka_common::params;
use kafka_common::reply::ending;
use serde_json::json;

/// How old what was read may be.
const FRESH: Duration = Duration::from_millis(50);

/// A task that has been reading for so long is not waited for: what it is part of may have stopped.
const GIVEN_UP: Duration = Duration::from_secs(2);

static WATCHED: Mutex<Option<Watched>> = Mutex::new(None);

#[derive(Default)]
struct Watched {
    /// When they were last read.
    read: Option<Instant>,
    /// Since when a task is reading them.
    reading_since: Option<Instant>,
    /// By their ids.
    replies: HashMap<String, Reply>,
}

#[derive(Default)]
struct Reply {
    /// How many streams watch it.
    streams: usize,
    /// `None`: it was not read yet, or there is no such reply any more.
    progress: Option<Progress>,
}

struct Progress {
    seq: i64,
    is_running: bool,
    heartbeat: i64,
}

fn watched() -> MutexGuard<'static, Option<Watched>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One stream's watch over a reply, until this is dropped.
pub struct Watch {
    reply: String,
}

impl Watch {
    pub fn new(reply: &str) -> Self {
        let mut watched = watched();
        let replies = &mut watched.get_or_insert_default().replies;
        replies.entry(reply.to_owned()).or_default().streams += 1;
        Self {
            reply: reply.to_owned(),
        }
    }

    /// Whether there may be something to tell of the reply to a stream that has told all up to `seq`.
    pub async fn has_news(&self, seq: i64) -> Result<bool> {
        if let Some(reading) = Reading::begin() {
            reading.read().await?;
        }
        let watched = watched();
        let reply = watched
            .as_ref()
            .and_then(|watched| watched.replies.get(&self.reply));
        let progress = reply.and_then(|reply| reply.progress.as_ref());
        Ok(progress.is_none_or(|progress| {
            progress.seq != seq || !progress.is_running || ending::is_silent(progress.heartbeat)
        }))
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = watched();
        let replies = &mut watched.get_or_insert_default().replies;
        if let Some(reply) = replies.get_mut(&self.reply) {
            reply.streams -= 1;
            if reply.streams == 0 {
                replies.remove(&self.reply);
            }
        }
    }
}

/// Held by the task that reads; a stream that ends meanwhile lets another one read.
struct Reading;

impl Reading {
    /// `None`: what is known is fresh, or another task is reading.
    fn begin() -> Option<Self> {
        let mut watched = watched();
        let watched = watched.get_or_insert_default();
        let is_within =
            |time: Option<Instant>, limit| time.is_some_and(|time| time.elapsed() < limit);
        if is_within(watched.reading_since, GIVEN_UP) || is_within(watched.read, FRESH) {
            return None;
        }
        watched.reading_since = Some(Instant::now());
        Some(Self)
    }

    async fn read(self) -> Result<()> {
        let ids: Vec<String> = {
            let watched = watched();
            let replies = watched.iter().flat_map(|watched| watched.replies.keys());
            replies.cloned().collect()
        };
        let mut db = Db::open().await?;
        let rows = db
            .query(
                "SELECT id, seq, status, heartbeat FROM generation WHERE id IN (SELECT value FROM json_each(?1))",
                params![json!(ids).to_string()],
            )
            .await?;
        let mut progress: HashMap<String, Progress> = rows
            .into_iter()
            .map(|mut row| {
                let progress = Progress {
                    seq: row.int(1),
                    is_running: row.text(2) == "running",
                    heartbeat: row.int(3),
                };
                (row.text(0), progress)
            })
            .collect();
        let mut watched = watched();
        let watched = watched.get_or_insert_default();
        watched.read = Some(Instant::now());
        // What came meanwhile is read with the next.
        for id in ids {
            if let Some(reply) = watched.replies.get_mut(&id) {
                reply.progress = progress.remove(&id);
            }
        }
        Ok(())
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        watched().get_or_insert_default().reading_since = None;
    }
}
