//! Moving the write-ahead log into the database file, on a thread of its own: it takes tens of milliseconds, in which a
//! thread of the server would do nothing else.

use super::{Error, Value, sqlite::Connection};
use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    thread::{self, JoinHandle},
};
use tokio::sync::RwLock;

/// A log that is this many times longer than when it was first moved is stopped from growing.
const TOO_LONG: u32 = 8;

/// How long the log is, as the last commit left it.
pub(super) struct LogLength {
    pages: AtomicU32,
    /// The pages that it grows by before they are moved.
    every: u32,
    /// The length at which the thread wants to be woken.
    due: AtomicU32,
    stop: Mutex<bool>,
    wake: Condvar,
}

impl LogLength {
    /// Of a log that is to be moved whenever it has grown by `every` pages.
    pub(super) fn new(every: u32) -> Arc<Self> {
        Arc::new(Self {
            pages: AtomicU32::new(0),
            every,
            due: AtomicU32::new(every),
            stop: Mutex::default(),
            wake: Condvar::new(),
        })
    }

    /// To be called after a commit, with the pages that the log has now.
    pub(super) fn committed(&self, pages: u32) {
        self.pages.store(pages, Relaxed);
        if pages >= self.due.load(Relaxed) {
            // Under the lock, so that the thread can't be between its look and its sleep.
            let _stop = self.stop();
            self.wake.notify_one();
        }
    }

    fn stop(&self) -> MutexGuard<'_, bool> {
        self.stop.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until the log is due; false when there is nothing more to do.
    fn wait(&self) -> bool {
        let mut stop = self.stop();
        while !*stop && self.pages.load(Relaxed) < self.due.load(Relaxed) {
            stop = self.wake.wait(stop).unwrap_or_else(PoisonError::into_inner);
        }
        !*stop
    }
}

/// Looks after the log of one database until it is dropped.
pub(super) struct Checkpoints {
    length: Arc<LogLength>,
    thread: Option<JoinHandle<()>>,
}

impl Checkpoints {
    /// Starts the thread, which moves the log when `length` says so. It uses `connection`, and `writers` to stop all
    /// writers for a moment.
    pub(super) fn start(
        length: Arc<LogLength>,
        connection: Connection,
        writers: Arc<RwLock<()>>,
    ) -> io::Result<Self> {
        let thread = thread::Builder::new()
            .name("sqlite-checkpoint".into())
            .spawn({
                let length = length.clone();
                move || run(&length, connection, &writers)
            })?;
        Ok(Self {
            length,
            thread: Some(thread),
        })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        *self.length.stop() = true;
        self.length.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // It can't panic; and if it did, there is nobody left to tell.
            let _ = thread.join();
        }
    }
}

fn run(length: &LogLength, mut connection: Connection, writers: &RwLock<()>) {
    while length.wait() {
        let mut moved = checkpoint(&mut connection);
        if matches!(moved, Ok(moved) if moved >= length.every.saturating_mul(TOO_LONG)) {
            // SQLite begins the log anew only when a writer finds all of it moved. While writers come without a pause
            // there is always a little left, so they wait for that little.
            let _nobody_writes = writers.blocking_write();
            moved = checkpoint(&mut connection);
            length.pages.store(0, Relaxed);
        }
        let moved = moved.unwrap_or_else(|error| {
            tracing::warn!("can't move the log into the database: {error}");
            length.pages.load(Relaxed)
        });
        let rest = length.pages.load(Relaxed);
        // Begun anew meanwhile, it is shorter than what was moved.
        let base = if rest < moved { 0 } else { moved };
        length.due.store(base.saturating_add(length.every), Relaxed);
    }
}

/// Moves what nobody reads any more, without making anybody wait; how many pages of the log are moved now.
fn checkpoint(connection: &mut Connection) -> Result<u32, Error> {
    let prepared = connection.prepare("PRAGMA wal_checkpoint(PASSIVE)")?;
    let result = connection.statement(prepared).run(&[], usize::MAX)?;
    // Columns: busy, pages in the log, pages of them that are moved.
    Ok(match result.rows.first().map(Vec::as_slice) {
        Some([_, _, Value::Integer(moved)]) => u32::try_from(*moved).unwrap_or_default(),
        _ => 0,
    })
}
