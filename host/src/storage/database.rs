//! A database file: its settings, its writers' queue, and the threads that look after it.

use super::{
    Error, Value,
    checkpoint::Checkpoints,
    error::at,
    log_length::LogLength,
    mark::{self, Mark, beside},
    pool::Pool,
    session::{Session, Slot, WriteLock},
    shared_sync::{Report, SharedSync},
    space::Space,
    sqlite::Connection,
    vacuum,
    watchdog::Watchdog,
};
use crate::{
    metrics::{self, OfOneDatabase},
    private,
    thread::Caretaker,
};
use parking_lot::Mutex;
use std::{
    fs::{self, File, OpenOptions},
    io,
    path::Path,
    sync::Arc,
    time::Duration,
};
use tokio::sync::RwLock;

/// How long a thread waits for the writing statement of another one: usually that takes microseconds, and if it takes
/// long, other requests should not have to wait, too.
const TURN_WAIT: Duration = Duration::from_micros(500);
/// After how long a statement that did not get its turn tries again.
const TURN_PAUSE: Duration = Duration::from_millis(1);

/// When a commit counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it is on the disk; commits made at the same time share one `fdatasync`.
    Shared,
    /// When it is on the disk; each commit has a sync of its own (SQLite's `synchronous=FULL`).
    Single,
    /// When the operating system has it: it survives a crash of the process, not of the machine.
    Process,
}

/// How to run a database.
#[derive(Debug, Clone)]
pub struct Options {
    /// When a commit counts as done.
    pub durability: Durability,
    /// How long a transaction may stay open before it is rolled back, because no other connection can write meanwhile.
    /// 5 s, as a libSQL server has it.
    pub transaction_limit: Duration,
    /// How long one statement may run before it is interrupted: it has the thread for itself. 10 s.
    pub statement_limit: Duration,
    /// Bytes that the rows of one result may take. 64 MiB.
    pub result_limit: usize,
    /// Pages that the write-ahead log grows by before they are moved into the database file. 1000, SQLite's default.
    pub checkpoint_pages: u32,
    /// Watches the space on the disk.
    pub space: Option<Arc<Space>>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            durability: Durability::Shared,
            transaction_limit: Duration::from_secs(5),
            statement_limit: Duration::from_secs(10),
            result_limit: 64 * 1024 * 1024,
            checkpoint_pages: 1000,
            space: None,
        }
    }
}

/// How large a database is.
#[derive(Debug, Clone, Copy)]
pub struct Sizes {
    /// Bytes of its file.
    pub database: u64,
    /// Bytes of its write-ahead log.
    pub log: u64,
}

/// The name of a database: that of its file, without the ending.
fn name(path: &Path) -> String {
    let name = path.file_stem().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

/// An open database file. It may be used from any number of threads and runtimes at once.
pub struct Database {
    options: Options,
    /// Held alone by a transaction, shared by statements that are one of their own.
    writers: Arc<RwLock<()>>,
    /// Held while such a statement runs.
    turn: Arc<Mutex<()>>,
    sync: Option<SharedSync>,
    mark: Arc<Mark>,
    watchdog: Watchdog,
    /// Held, not used: it stops when dropped.
    _checkpoints: Checkpoints,
    /// Held, not used, like it.
    _vacuum: Caretaker,
    pool: Arc<Pool>,
    /// Never closed while the database is in use: the last connection to close would delete the log, and the log that
    /// is synced would not be the one that is written. Also does the host's own work.
    keeper: Mutex<Connection>,
    metrics: Option<OfOneDatabase>,
}

impl Database {
    /// Opens the database at `path`, and creates it if there is none; its folder must exist. When this returns, the
    /// file is there to stay, for its owner only, and all that an earlier process wrote to it is durable.
    ///
    /// # Errors
    /// When the file can't be used, is not a database, or can't be switched to a write-ahead log; or when something of
    /// the database is missing.
    pub async fn open(path: &Path, options: Options) -> Result<Arc<Self>, Error> {
        mark::check(path)?;
        keep_private(path).map_err(at(path))?;
        let settings = settings(options.durability);
        let mut first = settings.clone();
        if fs::metadata(path).map_err(at(path))?.len() == 0 {
            // Before its first page is written. Of an old database it would write, too.
            first.insert(0, "PRAGMA auto_vacuum = INCREMENTAL");
        }
        let mut keeper = Connection::open(path, &first)?;
        check_wal(&mut keeper)?;
        let metrics = metrics::get().map(|metrics| metrics.of_database(&name(path)));
        let length = LogLength::new(options.checkpoint_pages);
        let log = sync_all(path)?;
        let mark = Arc::new(Mark::open(path)?);
        let sync = match options.durability {
            Durability::Shared => {
                let report = Report {
                    length: length.clone(),
                    mark: mark.clone(),
                    metrics: metrics.clone(),
                };
                Some(SharedSync::start(log, Some(report)).map_err(at(path))?)
            }
            Durability::Single | Durability::Process => None,
        };
        let writers = Arc::<RwLock<()>>::default();
        let checkpoints = Checkpoints::start(
            length.clone(),
            Connection::open(path, &settings)?,
            writers.clone(),
            options.space.clone(),
        )
        .map_err(at(path))?;
        let mut connection = Connection::open(path, &settings)?;
        connection.report_to(length.clone());
        let vacuum = vacuum::start(connection, writers.clone()).map_err(at(path))?;
        let space = options.space.clone();
        let pool = Arc::new(Pool::new(path.to_owned(), settings, length, space));
        let watchdog = Watchdog::start(pool.clone(), &options).map_err(at(path))?;
        Ok(Arc::new(Self {
            options,
            writers,
            turn: Arc::default(),
            sync,
            mark,
            watchdog,
            _checkpoints: checkpoints,
            _vacuum: vacuum,
            pool,
            keeper: Mutex::new(keeper),
            metrics,
        }))
    }

    /// A new connection for a component. Costs nothing until it is used.
    #[must_use]
    pub fn session(self: &Arc<Self>) -> Session {
        Session::new(self.clone())
    }

    /// Waits for the writers before it and moves the log into the database file, so that the next start has nothing to
    /// recover. Not needed for durability: without it nothing is lost. The database stays usable.
    pub async fn close(&self) -> Result<(), Error> {
        let _lock = self.lock_writers().await;
        // After that no mark is written for this log any more.
        self.durable().await?;
        let mut keeper = self.keeper.lock();
        self.mark.take_back().map_err(at(self.pool.path()))?;
        keeper.run("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Makes the statements that run now fail.
    pub fn interrupt(&self) {
        self.pool.interrupt(Duration::ZERO);
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> String {
        name(self.pool.path())
    }

    /// Its sizes on the disk, which are looked at by name: opening the file would not be harmless.
    #[must_use]
    pub fn sizes(&self) -> Sizes {
        let path = self.pool.path();
        let length = |path: &Path| fs::metadata(path).map_or(0, |file| file.len());
        Sizes {
            database: length(path),
            log: length(&beside(path, "-wal")),
        }
    }

    /// What is counted of it, if that is wanted.
    pub(super) fn metrics(&self) -> Option<&OfOneDatabase> {
        self.metrics.as_ref()
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    pub(super) fn pool(&self) -> &Pool {
        &self.pool
    }

    /// To be called when there was no room for something.
    pub(super) fn ran_out(&self) {
        if let Some(space) = &self.options.space {
            space.ran_out();
        }
        self.pool.log().move_now();
    }

    /// The right to run one writing statement outside a transaction, after the transactions that asked before.
    ///
    /// All statements that wait for a transaction go on together when it ends, and take turns. If the lock went from
    /// one to the next, each would first have to wait until its thread comes to it, which under load takes longer than
    /// a thousand such statements: the queue would grow without end.
    pub(super) async fn lock_turn(&self) -> WriteLock {
        let shared = self.writers.clone().read_owned().await;
        loop {
            if let Some(turn) = self.turn.try_lock_arc_for(TURN_WAIT) {
                return WriteLock::Turn(turn, shared);
            }
            tokio::time::sleep(TURN_PAUSE).await;
        }
    }

    /// The right to write, in the order of asking.
    pub(super) async fn lock_writers(&self) -> WriteLock {
        WriteLock::Alone(self.writers.clone().write_owned().await)
    }

    /// The right to run one writing statement outside a transaction, if it can be had almost at once. Handing a lock
    /// over to a task of another thread takes longer than such a statement, so this rather waits for a moment.
    pub(super) fn try_lock_writers(&self) -> Option<WriteLock> {
        let shared = self.writers.clone().try_read_owned().ok()?;
        let turn = self.turn.try_lock_arc_for(TURN_WAIT)?;
        Some(WriteLock::Turn(turn, shared))
    }

    /// To be called after a commit that wrote something, before [`Database::durable`]; `waits`: that comes next.
    pub(super) fn written(&self, waits: bool) {
        match &self.sync {
            Some(sync) if waits => sync.written(),
            Some(sync) => sync.written_unawaited(),
            None => {}
        }
    }

    /// Waits until all commits made so far are durable.
    pub(super) async fn durable(&self) -> Result<(), Error> {
        match &self.sync {
            Some(sync) => sync.wait().await,
            None => Ok(()),
        }
    }

    /// To be called when a transaction is open. Its owner has the write lock, so there is only one.
    pub(super) fn watch(&self, slot: &Arc<Slot>) {
        self.watchdog.watch(slot);
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // The last connection that closes removes the log. Before it does, the mark must no longer name that log.
        drop(self.sync.take());
        if let Err(error) = self.mark.take_back() {
            tracing::warn!("can't write to the mark of a database: {error}");
        }
    }
}

/// The statements with which every connection starts.
fn settings(durability: Durability) -> Vec<&'static str> {
    vec![
        // Only another process could make us wait, or a checkpoint for a moment.
        "PRAGMA busy_timeout = 5000",
        "PRAGMA journal_mode = WAL",
        match durability {
            Durability::Shared | Durability::Process => "PRAGMA synchronous = NORMAL",
            Durability::Single => "PRAGMA synchronous = FULL",
        },
        "PRAGMA foreign_keys = ON",
        // KiB, negative as SQLite wants it for a size in memory.
        "PRAGMA cache_size = -4096",
        // After a burst the log shrinks to this many bytes again.
        "PRAGMA journal_size_limit = 67108864",
        // The first read opens the log, which creates it.
        "SELECT count(*) FROM sqlite_schema",
    ]
}

/// Makes sure that only its owner can read the database, before SQLite opens it: what SQLite puts beside the file gets
/// the file's mode. The mode of an existing file is changed by its name only, because closing the file by hand would
/// drop SQLite's locks in this process.
fn keep_private(path: &Path) -> io::Result<()> {
    match private::create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            for end in ["", "-wal", "-shm", "-journal", mark::END] {
                private::keep(&beside(path, end));
            }
            Ok(())
        }
        made => made.map(drop),
    }
}

/// Makes sure that the database has a write-ahead log: some file systems can't do it.
fn check_wal(connection: &mut Connection) -> Result<(), Error> {
    match connection.first("PRAGMA journal_mode")? {
        Some(Value::Text(mode)) if mode == "wal" => Ok(()),
        mode => Err(Error::NoLog(format!("{mode:?}"))),
    }
}

/// Flushes an existing database, and returns its log for further flushes. No process locks that file, so
/// opening it by hand is harmless, as it would not be with the database file or its `-shm` file: closing those would
/// drop SQLite's locks in this process.
fn sync_all(path: &Path) -> Result<File, Error> {
    let log = beside(path, "-wal");
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .open(&log)
        .map_err(at(&log))?;
    // Pages that a killed process wrote but did not sync are read from now on, so they have to be durable from now on.
    file.sync_data().map_err(at(&log))?;
    let folder = private::folder_of(path);
    // The files' names are durable only when their folder is.
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(at(folder))?;
    Ok(file)
}
