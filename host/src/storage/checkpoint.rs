//! Moving the write-ahead log into the database file, on a thread of its own: it takes tens of milliseconds, in which a
//! thread of the server would do nothing else.

use super::{Error, Value, space::Space, sqlite::Connection};
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

    /// The pages that the log has.
    pub(super) fn pages(&self) -> u32 {
        self.pages.load(Relaxed)
    }

    /// To be called after a commit, with the pages that the log has now.
    pub(super) fn committed(&self, pages: u32) {
        let before = self.pages.swap(pages, Relaxed);
        if pages < before {
            // It was begun anew.
            self.due.store(self.every, Relaxed);
        }
        if pages >= self.due.load(Relaxed) {
            // Under the lock, so that the thread can't be between its look and its sleep.
            let _stop = self.stop();
            self.wake.notify_one();
        }
    }

    /// After a checkpoint that found so many pages: it is due again when it has grown. Not when there is something to
    /// move: there may be much that somebody still reads without, and it would be looked at all the time.
    fn looked_at(&self, pages: u32) {
        // Begun anew meanwhile, it is shorter.
        let base = if self.pages.load(Relaxed) < pages {
            0
        } else {
            pages
        };
        self.due.store(base.saturating_add(self.every), Relaxed);
    }

    /// To be called when there is no room for a longer log.
    pub(super) fn move_now(&self) {
        let _stop = self.stop();
        self.due.store(0, Relaxed);
        self.wake.notify_one();
    }

    /// Whether it is worth stopping the writers, so that all of the log is moved: it has become long, and what is left
    /// of it is theirs, not a reader's.
    fn wants_to_begin_anew(&self, log: Log) -> bool {
        log.moved >= self.every.saturating_mul(TOO_LONG) && log.rest() < self.every
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
    /// writers for a moment. While `space` has no room, it does so each time, so that the log grows no longer than it is.
    pub(super) fn start(
        length: Arc<LogLength>,
        connection: Connection,
        writers: Arc<RwLock<()>>,
        space: Option<Arc<Space>>,
    ) -> io::Result<Self> {
        let thread = thread::Builder::new()
            .name("sqlite-checkpoint".into())
            .spawn({
                let length = length.clone();
                move || run(&length, connection, &writers, space.as_deref())
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

/// The log as a checkpoint leaves it, in pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    length: u32,
    /// Of them, those that are in the database. The others somebody may still read without: a backup reads all the
    /// time, and nothing that comes after its begin can be moved before its end.
    moved: u32,
}

impl Log {
    fn rest(self) -> u32 {
        self.length.saturating_sub(self.moved)
    }
}

fn run(
    length: &LogLength,
    mut connection: Connection,
    writers: &RwLock<()>,
    space: Option<&Space>,
) {
    while length.wait() {
        let mut log = checkpoint(&mut connection);
        let full = space.is_some_and(Space::is_full);
        if matches!(log, Ok(log) if full || length.wants_to_begin_anew(log)) {
            // SQLite begins the log anew only when a writer finds all of it moved. While writers come without a pause
            // there is always a little left, so they wait for that little.
            let _nobody_writes = writers.blocking_write();
            log = checkpoint(&mut connection);
            if matches!(log, Ok(log) if log.rest() == 0) {
                length.pages.store(0, Relaxed);
            }
        }
        let seen = log.map_or_else(
            |error| {
                tracing::warn!("can't move the log into the database: {error}");
                if let Some(space) = space.filter(|_| error.is_full()) {
                    space.ran_out();
                }
                length.pages.load(Relaxed)
            },
            |log| log.length,
        );
        length.looked_at(seen);
    }
}

/// Moves what nobody reads any more, without making anybody wait.
pub(super) fn checkpoint(connection: &mut Connection) -> Result<Log, Error> {
    let prepared = connection.prepare("PRAGMA wal_checkpoint(PASSIVE)")?;
    let result = connection.statement(prepared).run(&[], usize::MAX)?;
    let pages = |value: &Value| match value {
        Value::Integer(pages) => u32::try_from(*pages).unwrap_or_default(),
        _ => 0,
    };
    // Columns: busy, pages in the log, pages of them that are moved.
    Ok(match result.rows.first().map(Vec::as_slice) {
        Some([_, length, moved]) => Log {
            length: pages(length),
            moved: pages(moved),
        },
        _ => Log {
            length: 0,
            moved: 0,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::{Log, LogLength};
    use std::sync::atomic::Ordering::Relaxed;

    fn due(log: &LogLength) -> u32 {
        log.due.load(Relaxed)
    }

    #[test]
    fn what_a_reader_holds_is_looked_at_again_when_there_is_more_of_it() {
        let log = LogLength::new(10);
        log.committed(3000);
        assert!(log.wait());
        log.looked_at(3000);
        assert_eq!(due(&log), 3010);
    }

    #[test]
    fn a_log_that_begins_anew_is_looked_at_as_the_first_one_was() {
        let log = LogLength::new(10);
        log.committed(3000);
        log.looked_at(3000);
        log.committed(1);
        assert_eq!(due(&log), 10);
        // Also when that was between the checkpoint and its end.
        log.committed(3000);
        log.committed(2);
        log.looked_at(3000);
        assert_eq!(due(&log), 10);
    }

    #[test]
    fn writers_stop_only_for_a_long_log_of_which_they_are_the_rest() {
        let log = LogLength::new(10);
        let stops = |length, moved| log.wants_to_begin_anew(Log { length, moved });
        assert!(stops(85, 80));
        assert!(!stops(79, 79));
        assert!(!stops(3000, 80));
    }
}
