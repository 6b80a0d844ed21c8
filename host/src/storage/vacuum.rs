//! Giving free pages back to the file system, on a thread of its own: the file gets shorter after much was deleted.
//!
//! Only of a database that was made to do so (`auto_vacuum = INCREMENTAL`), as all new ones are; `kafka vacuum` makes
//! an old one so.

use super::{Error, checkpoint::checkpoint, mark, sqlite::Connection};
use crate::thread::{Caretaker, Pauses};
use std::{io, path::Path, sync::Arc, time::Duration};
use tokio::sync::RwLock;

/// How often to look.
const LOOK: Duration = Duration::from_secs(2);
/// Free pages that are kept for the next writes: 4 MiB.
const KEEP: i64 = 1024;
/// Pages that are given back while other connections can't write: some milliseconds.
const STEP: &str = "PRAGMA incremental_vacuum(128)";
/// How long others can write after that.
const PAUSE: Duration = Duration::from_millis(20);

/// Looks after the free pages of one database until the result is dropped: uses `connection`, and `writers` to stop all
/// writers for a moment.
pub(super) fn start(mut connection: Connection, writers: Arc<RwLock<()>>) -> io::Result<Caretaker> {
    Caretaker::start("sqlite-vacuum", move |pauses| {
        while pauses.wait(LOOK) {
            if let Err(error) = give_back(pauses, &mut connection, &writers) {
                tracing::warn!("can't give free pages back: {error}");
            }
        }
    })
}

fn give_back(
    pauses: &Pauses,
    connection: &mut Connection,
    writers: &RwLock<()>,
) -> Result<(), Error> {
    if connection.number("PRAGMA auto_vacuum")? != INCREMENTAL {
        return Ok(());
    }
    let mut gave = false;
    while connection.number("PRAGMA freelist_count")? > KEEP {
        {
            let _no_writers = writers.blocking_write();
            connection.run(STEP)?;
        }
        gave = true;
        if !pauses.wait(PAUSE) {
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
