//! Giving free pages back to the file system, on a thread of its own: the file gets shorter after much was deleted.
//!
//! Only of a database that was made to do so (`auto_vacuum = INCREMENTAL`), as all new ones are; `kafka vacuum` makes
//! an old one so.

use super::{Error, Value, checkpoint::checkpoint, mark, sqlite::Connection};
use std::{
    io,
    path::Path,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::RwLock;

/// How often to look.
const LOOK: Duration = Duration::from_secs(2);
/// Free pages that are kept for the next writes: 4 MiB.
const KEEP: i64 = 1024;
/// Pages that are given back while other connections can't write: some milliseconds.
const STEP: &str = "PRAGMA incremental_vacuum(128)";
/// How long others can write after that.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks after the free pages of one database until it is dropped.
pub(super) struct Vacuum {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Stop {
    asked: Mutex<bool>,
    wake: Condvar,
}

impl Stop {
    fn asked(&self) -> MutexGuard<'_, bool> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps; false when there is nothing more to do.
    fn wait(&self, time: Duration) -> bool {
        let woken = self
            .wake
            .wait_timeout_while(self.asked(), time, |asked| !*asked);
        !*woken.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Vacuum {
    /// Starts the thread. It uses `connection`, and `writers` to stop all writers for a moment.
    pub(super) fn start(connection: Connection, writers: Arc<RwLock<()>>) -> io::Result<Self> {
        let stop = Arc::<Stop>::default();
        let thread = thread::Builder::new().name("sqlite-vacuum".into()).spawn({
            let stop = stop.clone();
            move || run(&stop, connection, &writers)
        })?;
        Ok(Self {
            stop,
            thread: Some(thread),
        })
    }
}

impl Drop for Vacuum {
    fn drop(&mut self) {
        *self.stop.asked() = true;
        self.stop.wake.notify_one();
        if let Some(thread) = self.thread.take() {
            // It can't panic; and if it did, nothing could be done about it here.
            let _ = thread.join();
        }
    }
}

fn run(stop: &Stop, mut connection: Connection, writers: &RwLock<()>) {
    while stop.wait(LOOK) {
        if let Err(error) = give_back(stop, &mut connection, writers) {
            tracing::warn!("can't give free pages back: {error}");
        }
    }
}

fn give_back(stop: &Stop, connection: &mut Connection, writers: &RwLock<()>) -> Result<(), Error> {
    if number(connection, "PRAGMA auto_vacuum")? != INCREMENTAL {
        return Ok(());
    }
    let mut gave = false;
    while number(connection, "PRAGMA freelist_count")? > KEEP {
        {
            let _no_writers = writers.blocking_write();
            connection.run(STEP)?;
        }
        gave = true;
        if !stop.wait(PAUSE) {
            return Ok(());
        }
    }
    if gave {
        // The file gets shorter when the log has been moved into it.
        checkpoint(connection)?;
    }
    Ok(())
}

/// SQLite's number for `auto_vacuum = INCREMENTAL`.
const INCREMENTAL: i64 = 2;

fn number(connection: &mut Connection, sql: &str) -> Result<i64, Error> {
    let prepared = connection.prepare(sql)?;
    let result = connection.statement(prepared).run(&[], usize::MAX)?;
    Ok(match result.rows.first().and_then(|row| row.first()) {
        Some(Value::Integer(number)) => *number,
        _ => 0,
    })
}

/// Removes all free pages from the file, and turns automatic shrinking on. No other process may use
/// the database meanwhile, and there must be room for a second one. An interruption changes nothing.
///
/// # Errors
/// When it can't be read or written, or is no database.
pub fn vacuum(file: &Path) -> Result<(), Error> {
    let settings = [
        "PRAGMA synchronous = FULL",
        "PRAGMA auto_vacuum = INCREMENTAL",
    ];
    mark::check(file)?;
    let mut database = Connection::open_existing(file, &settings)?;
    database.run("VACUUM")?;
    database.run("PRAGMA wal_checkpoint(TRUNCATE)")
}
