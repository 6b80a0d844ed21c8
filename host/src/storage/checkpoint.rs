//! Moving the write-ahead log into the database file, on a thread of its own: it takes tens of milliseconds, in which a
//! thread of the server would be busy with it.

use super::{Error, Value, log_length::LogLength, space::Space, sqlite::Connection};
use crate::thread::Joined;
use std::{io, sync::Arc};
use tokio::sync::RwLock;

/// A log that is this many times longer than when it was first moved is stopped from growing.
const TOO_LONG: u32 = 8;

/// Looks after the log of one database until it is dropped.
pub(super) struct Checkpoints {
    length: Arc<LogLength>,
    _thread: Joined,
}

impl Checkpoints {
    /// Starts the thread, which moves the log when `length` demands it. It uses `connection`, and `writers` to stop all
    /// writers for a moment. While `space` has no room, it does so each time, so that the log grows no longer than it
    /// is.
    pub(super) fn start(
        length: Arc<LogLength>,
        connection: Connection,
        writers: Arc<RwLock<()>>,
        space: Option<Arc<Space>>,
    ) -> io::Result<Self> {
        let thread = Joined::start("sqlite-checkpoint", {
            let length = length.clone();
            move || run(&length, connection, &writers, space.as_deref())
        })?;
        Ok(Self {
            length,
            _thread: thread,
        })
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.length.end();
    }
}

/// The log as a checkpoint leaves it, in pages.
#[derive(Debug, Clone, Copy)]
pub(super) struct Log {
    length: u32,
    /// Of them, those that are in the database. Readers may still need the database without the others: while a backup
    /// reads, for example, nothing that was written after its start can be moved.
    moved: u32,
}

impl Log {
    fn rest(self) -> u32 {
        self.length.saturating_sub(self.moved)
    }

    /// Whether it is worth stopping the writers, so that all of the log is moved: it has become long, and what is left
    /// of it was written just now and is not held by a reader. `every` is how many pages it grows by between
    /// checkpoints.
    fn is_worth_stopping_for(self, every: u32) -> bool {
        self.moved >= every.saturating_mul(TOO_LONG) && self.rest() < every
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
        if matches!(log, Ok(log) if full || log.is_worth_stopping_for(length.every())) {
            // SQLite restarts the log only when a writer finds all of it moved. While writers come without a pause
            // there is always a little left, so they wait until that is moved, too.
            let _no_writers = writers.blocking_write();
            log = checkpoint(&mut connection);
            if matches!(log, Ok(log) if log.rest() == 0) {
                length.emptied();
            }
        }
        let seen = log.map_or_else(
            |error| {
                tracing::warn!("can't move the log into the database: {error}");
                if let Some(space) = space.filter(|_| error.is_full()) {
                    space.ran_out();
                }
                length.pages()
            },
            |log| log.length,
        );
        length.looked_at(seen);
    }
}

/// Moves the pages that no reader holds, without making readers or writers wait.
pub(super) fn checkpoint(connection: &mut Connection) -> Result<Log, Error> {
    let rows = connection.rows("PRAGMA wal_checkpoint(PASSIVE)")?;
    let pages = |value: &Value| match value {
        Value::Integer(pages) => u32::try_from(*pages).unwrap_or_default(),
        _ => 0,
    };
    // Columns: busy, pages in the log, pages of them that are moved.
    Ok(match rows.first().map(Vec::as_slice) {
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
    use super::Log;

    #[test]
    fn writers_stop_only_for_a_long_log_of_which_they_are_the_rest() {
        let stops = |length, moved| Log { length, moved }.is_worth_stopping_for(10);
        assert!(stops(85, 80));
        assert!(!stops(79, 79));
        assert!(!stops(3000, 80));
    }
}
