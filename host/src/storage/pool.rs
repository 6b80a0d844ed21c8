//! Connections at rest, and the clock of those at work.

use super::{
    Error, QueryResult, Value,
    log_length::LogLength,
    space::Space,
    sqlite::{Connection, Interrupter, Prepared},
};
use parking_lot::Mutex;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Weak,
        atomic::{AtomicI64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

/// Idle connections kept open. Statements run without pausing, so there are rarely more at work than threads.
const IDLE: usize = 16;

/// Pages that a database may grow by while the disk is full: deleting needs one now and then, and so does the last word
/// about a reply.
const A_LITTLE: i64 = 256;
/// The most pages that SQLite's databases have.
const UNLIMITED: i64 = 0xffff_fffe;

/// Connections to one database file.
pub(super) struct Pool {
    path: PathBuf,
    settings: Vec<&'static str>,
    log: Arc<LogLength>,
    space: Option<Arc<Space>>,
    /// The pages that the database may have: [`UNLIMITED`] unless the disk is full.
    pages: AtomicI64,
    idle: Mutex<Vec<Pooled>>,
    clocks: Mutex<Vec<Weak<Clock>>>,
}

/// A connection and what it takes to stop it.
pub(super) struct Pooled {
    connection: Connection,
    clock: Arc<Clock>,
    /// The pages that the database may have, as far as this connection knows.
    pages: i64,
}

/// Since when a connection has been running a statement.
struct Clock {
    interrupter: Interrupter,
    running: Mutex<Option<Instant>>,
}

impl Clock {
    fn set(&self, since: Option<Instant>) {
        *self.running.lock() = since;
    }
}

/// How a statement went.
pub(super) struct Ran {
    /// Its rows, or why there are none.
    pub(super) result: Result<QueryResult, Error>,
    /// Whether it changed the database, which a statement that failed may have done, too.
    pub(super) wrote: bool,
}

impl Pool {
    /// A pool for the database at `path`; every connection starts with the `settings` and reports to `log`.
    pub(super) fn new(
        path: PathBuf,
        settings: Vec<&'static str>,
        log: Arc<LogLength>,
        space: Option<Arc<Space>>,
    ) -> Self {
        Self {
            path,
            settings,
            log,
            space,
            pages: AtomicI64::new(UNLIMITED),
            idle: Mutex::default(),
            clocks: Mutex::default(),
        }
    }

    /// The connection used last, whose cache is the warmest, or a new one.
    pub(super) fn take(&self) -> Result<Pooled, Error> {
        let idle = self.idle.lock().pop();
        let mut connection = idle.map_or_else(|| self.open(), Ok)?;
        self.limit(&mut connection)?;
        Ok(connection)
    }

    /// Lets the database grow, or not, as there is room on the disk.
    fn limit(&self, pooled: &mut Pooled) -> Result<(), Error> {
        let full = self.space.as_ref().is_some_and(|space| space.is_full());
        let mut pages = self.pages.load(Relaxed);
        if full && pages == UNLIMITED {
            pages = pooled.connection.pages()? + A_LITTLE;
            // Of two that come here at once, one decides.
            let first = self
                .pages
                .compare_exchange(UNLIMITED, pages, Relaxed, Relaxed);
            pages = first.map_or_else(|other| other, |_| pages);
            self.log.move_now();
        } else if !full && pages != UNLIMITED {
            pages = UNLIMITED;
            self.pages.store(pages, Relaxed);
        }
        if pooled.pages != pages {
            pooled.connection.grow_to(pages)?;
            pooled.pages = pages;
        }
        Ok(())
    }

    /// Where the database is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Its log.
    pub(super) fn log(&self) -> &LogLength {
        &self.log
    }

    /// Takes back a connection that is not in a transaction.
    pub(super) fn put(&self, connection: Pooled) {
        let mut idle = self.idle.lock();
        if idle.len() < IDLE {
            idle.push(connection);
        }
    }

    fn open(&self) -> Result<Pooled, Error> {
        let mut connection = Connection::open(&self.path, &self.settings)?;
        connection.report_to(self.log.clone());
        connection.guard();
        let clock = Arc::new(Clock {
            interrupter: connection.interrupter(),
            running: Mutex::default(),
        });
        let mut clocks = self.clocks.lock();
        clocks.retain(|clock| clock.strong_count() > 0);
        clocks.push(Arc::downgrade(&clock));
        Ok(Pooled {
            connection,
            clock,
            pages: UNLIMITED,
        })
    }

    /// Stops every statement that has been running for longer than `limit`.
    pub(super) fn interrupt(&self, limit: Duration) {
        let clocks = self.clocks.lock();
        for clock in clocks.iter().filter_map(Weak::upgrade) {
            // Held while interrupting, so that the statement can't end and the next one be hit.
            let running = clock.running.lock();
            if running.is_some_and(|since| since.elapsed() > limit) {
                clock.interrupter.interrupt();
            }
        }
    }
}

impl Pooled {
    /// Prepares a statement.
    pub(super) fn prepare(&mut self, sql: &str) -> Result<Prepared, Error> {
        self.connection.prepare(sql)
    }

    /// Runs the statement prepared last; its rows may take `limit` bytes.
    pub(super) fn run(&mut self, prepared: Prepared, parameters: &[Value], limit: usize) -> Ran {
        let before = self.connection.total_changes();
        self.clock.set(Some(Instant::now()));
        let result = self.connection.statement(prepared).run(parameters, limit);
        self.clock.set(None);
        let changed = self.connection.total_changes() != before;
        Ran {
            result,
            wrote: prepared.class().wrote(changed),
        }
    }

    /// Ends the open transaction, if there is one, without a trace.
    pub(super) fn roll_back(&mut self) -> Result<(), Error> {
        if self.is_autocommit() {
            return Ok(());
        }
        self.connection.run("ROLLBACK")
    }

    /// Whether no transaction is open.
    pub(super) fn is_autocommit(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// Rows that the last `INSERT`, `UPDATE` or `DELETE` changed.
    pub(super) fn changes(&self) -> u64 {
        self.connection.changes()
    }

    /// The rowid of the last row inserted.
    pub(super) fn last_insert_rowid(&self) -> i64 {
        self.connection.last_insert_rowid()
    }
}
