//! How far running replies are, read once for all streams that an instance has: a thousand streams that each look at
//! their reply ten times a second would be ten thousand statements, most of which find nothing new.
//!
//! The tasks of an instance can't wake each other, so each stream has a timer. All timers of an instance run in step: one
//! stream, the reader, reads what all of them watch; the others look a moment later. A step begins at fixed times since
//! the instance began. A timer that began again when its work was done would, on a busy machine, fall into step with
//! those of all other instances, and short requests would wait for all of them.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use kafka_common::db::{Db, Result};
use kafka_common::params;
use kafka_common::reply::ending;
use serde::Deserialize;
use serde_json::json;
use spin_sdk::time::sleep;

/// How often the rows are read.
const PERIOD: Duration = Duration::from_millis(100);

/// How long after the reader the others look.
const AFTER_READER: Duration = Duration::from_millis(10);

/// When nothing was read for so long, the reader has gone or is stuck, and another stream reads.
const OVERDUE: Duration = Duration::from_millis(250);

static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);

static WATCHED: LazyLock<Mutex<Watched>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Watched {
    /// When they were last read.
    read: Option<Instant>,
    /// Which stream reads.
    reader: Option<u64>,
    /// The number of the next stream.
    next: u64,
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

/// A reply, as its row has it.
#[derive(Deserialize)]
struct Progress {
    id: String,
    seq: i64,
    is_running: bool,
    heartbeat: i64,
    /// The text that came with `seq`.
    piece: Option<String>,
    /// Or the reasoning.
    thought: Option<String>,
}

/// What a stream finds that has sent all of a reply up to a seq.
#[derive(Debug, PartialEq, Eq)]
pub enum News {
    /// Nothing.
    Nothing,
    /// One piece more, and the seq that it came with.
    Piece(i64, Piece),
    /// More than that: the reply has to be read.
    More,
}

/// A piece of a reply.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    Text(String),
    Reasoning(String),
}

fn watched() -> MutexGuard<'static, Watched> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One stream's watch over a reply, until this is dropped.
pub struct Watch {
    stream: u64,
    reply: String,
}

impl Watch {
    pub fn new(reply: &str) -> Self {
        let mut watched = watched();
        watched.next += 1;
        let replies = &mut watched.replies;
        replies.entry(reply.to_owned()).or_default().streams += 1;
        Self {
            stream: watched.next,
            reply: reply.to_owned(),
        }
    }

    /// Waits for the next step.
    pub async fn wait(&self) {
        let begins = if self.is_reader() {
            Duration::ZERO
        } else {
            AFTER_READER
        };
        sleep(until_next(BEGAN.elapsed(), begins)).await;
    }

    /// What is new of the reply for a stream that has sent all up to `seq`.
    pub async fn news(&self, seq: i64) -> Result<News> {
        if self.has_to_read() {
            self.read().await?;
        }
        let watched = watched();
        let reply = watched.replies.get(&self.reply);
        let Some(progress) = reply.and_then(|reply| reply.progress.as_ref()) else {
            return Ok(News::More);
        };
        if !progress.is_running || ending::is_silent(progress.heartbeat) {
            return Ok(News::More);
        }
        Ok(
            match (progress.seq - seq, &progress.piece, &progress.thought) {
                (0, ..) => News::Nothing,
                (1, Some(piece), None) => News::Piece(progress.seq, Piece::Text(piece.clone())),
                (1, None, Some(thought)) => {
                    News::Piece(progress.seq, Piece::Reasoning(thought.clone()))
                }
                _ => News::More,
            },
        )
    }

    /// Whether this stream reads for all.
    fn is_reader(&self) -> bool {
        *watched().reader.get_or_insert(self.stream) == self.stream
    }

    /// Whether this stream reads now, because it is the reader, or the reader fails to.
    fn has_to_read(&self) -> bool {
        let mut watched = watched();
        if watched.read.is_none_or(|read| read.elapsed() > OVERDUE) {
            watched.reader = Some(self.stream);
            // So that no other stream does the same while this one reads.
            watched.read = Some(Instant::now());
        }
        watched.reader == Some(self.stream)
    }

    async fn read(&self) -> Result<()> {
        let ids: Vec<String> = watched().replies.keys().cloned().collect();
        let mut db = Db::open().await?;
        let rows: Vec<Progress> = db
            .query_as(
                "SELECT id, seq, status = 'running' AS is_running, heartbeat, piece, thought FROM generation
                 WHERE id IN (SELECT value FROM json_each(?1))",
                params![json!(ids).to_string()],
            )
            .await?;
        let rows = rows.into_iter().map(|reply| (reply.id.clone(), reply));
        let mut progress: HashMap<String, Progress> = rows.collect();
        let mut watched = watched();
        watched.read = Some(Instant::now());
        // What came meanwhile is read in the next step.
        for id in ids {
            if let Some(reply) = watched.replies.get_mut(&id) {
                reply.progress = progress.remove(&id);
            }
        }
        Ok(())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut watched = watched();
        if watched.reader == Some(self.stream) {
            watched.reader = None;
        }
        if let Some(reply) = watched.replies.get_mut(&self.reply) {
            reply.streams -= 1;
            if reply.streams == 0 {
                watched.replies.remove(&self.reply);
            }
        }
    }
}

/// How long it is until the next step of those that begin so long after each period.
fn until_next(now: Duration, begins: Duration) -> Duration {
    let into = (now + PERIOD - begins).as_micros() % PERIOD.as_micros();
    PERIOD - Duration::from_micros(u64::try_from(into).unwrap_or_default())
}
