//! SQLite's C interface as libsql ships it, as far as this host needs it, made safe.
//!
//! libsql's own Rust types won't do here: they cut a text at its first NUL, panic on a text that isn't UTF-8, ignore a
//! failed bind, and don't tell whether a statement writes. This is the only unsafe code of the host.
//!
//! Why it is sound: a [`Statement`] is owned by the cache inside its [`Connection`] and only ever lent out, so it can
//! neither outlive the connection nor be used at the same time from another thread; and the one thing that other
//! threads may do, [`Interrupter::interrupt`], SQLite allows at any time while the connection is open.

mod authorizer;
mod copy;
mod pragma;
mod statement;

use super::{Error, Value, checkpoint::LogLength};
use authorizer::Authorizer;
pub(super) use authorizer::Class;
use libsql::ffi;
pub(super) use statement::Statement;
use std::{
    ffi::{CStr, CString, c_char, c_int, c_void},
    os::unix::ffi::OsStrExt,
    path::Path,
    ptr::{self, NonNull},
    sync::{Arc, Once, OnceLock},
};

/// Prepared statements a connection keeps.
const CACHED_STATEMENTS: usize = 128;
/// Bytes of the longest value or row; SQLite's own limit would let one statement take a gigabyte.
const MAX_VALUE: c_int = 128 * 1024 * 1024;

/// Bytes that undoing one statement may take before they go to a file. Such files are where the system has its temporary
/// ones, perhaps on the same full disk, and what makes room has to be undone, too.
const UNDO_IN_MEMORY: c_int = 16 * 1024 * 1024;

static BEFORE_FIRST: Once = Once::new();

/// Settings of SQLite itself, which it takes before it is used only.
fn set_up() {
    keep_memory();
    // SAFETY: this option takes one int. Nothing else of this process uses SQLite before; if it did, SQLite would refuse
    // the option, and nothing would change.
    unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_STMTJRNL_SPILL, UNDO_IN_MEMORY) };
}

/// Has the C library keep what SQLite frees. A long answer, such as the login of somebody who has thousands of chats, is
/// put together in blocks of a megabyte; without this they are new to the process each time, and a third of the time
/// goes into touching them first.
fn keep_memory() {
    #[cfg(target_env = "gnu")]
    // SAFETY: `mallopt` may be called at any time, by any thread; these are among the parameters it knows.
    unsafe {
        // From how many bytes on a block goes back to the system as soon as it is free.
        libc::mallopt(libc::M_MMAP_THRESHOLD, 8 * 1024 * 1024);
        // How many bytes each of its heaps keeps.
        libc::mallopt(libc::M_TRIM_THRESHOLD, 16 * 1024 * 1024);
    }
}

/// An open SQLite database, closed when dropped.
struct Handle {
    raw: NonNull<ffi::sqlite3>,
    /// SQLite holds a pointer to it while the database is open.
    authorizer: Box<Authorizer>,
    /// The same goes for what this points to, once it is set.
    log: OnceLock<Arc<LogLength>>,
}

// SAFETY: SQLite is compiled thread-safe, and a connection may move between threads.
unsafe impl Send for Handle {}
// SAFETY: through a shared `Handle` other threads can only interrupt, which SQLite allows (see the module's text);
// the authorizer is an atomic, and the log's length is safe to share.
unsafe impl Sync for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the pointer came from `sqlite3_open_v2` and is closed once. Statements are gone before: the cache
        // is dropped before the connection's handle.
        unsafe { ffi::sqlite3_close_v2(self.raw.as_ptr()) };
    }
}

/// Stops a connection's running statement from another thread.
#[derive(Clone)]
pub(super) struct Interrupter(Arc<Handle>);

impl Interrupter {
    /// Makes the statement that runs now fail with `interrupted`. Without one, does nothing.
    pub(super) fn interrupt(&self) {
        // SAFETY: the handle is open as long as we hold it, and this function may be called from any thread.
        unsafe { ffi::sqlite3_interrupt(self.0.raw.as_ptr()) };
    }
}

/// A connection with its prepared statements.
pub(super) struct Connection {
    // Before `handle`: statements must go before their connection.
    statements: Vec<Cached>,
    uses: u64,
    handle: Arc<Handle>,
}

struct Cached {
    sql: Box<str>,
    statement: Statement,
    last_use: u64,
}

/// Where a prepared statement is among those of its connection, until that prepares another one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prepared {
    index: usize,
    class: Class,
}

impl Prepared {
    /// What the statement does.
    pub(super) fn class(self) -> Class {
        self.class
    }
}

impl Connection {
    /// Opens, and creates if need be, the database in a file, and runs the `settings`.
    pub(super) fn open(path: &Path, settings: &[&str]) -> Result<Self, Error> {
        let flags = ffi::SQLITE_OPEN_READWRITE | ffi::SQLITE_OPEN_CREATE;
        Self::open_with(path, flags, settings)
    }

    /// Opens the database in a file that must be there, and runs the `settings`.
    pub(super) fn open_existing(path: &Path, settings: &[&str]) -> Result<Self, Error> {
        Self::open_with(path, ffi::SQLITE_OPEN_READWRITE, settings)
    }

    /// Opens the database in a file, which it can't write to.
    pub(super) fn open_read_only(path: &Path, settings: &[&str]) -> Result<Self, Error> {
        Self::open_with(path, ffi::SQLITE_OPEN_READONLY, settings)
    }

    fn open_with(path: &Path, flags: c_int, settings: &[&str]) -> Result<Self, Error> {
        BEFORE_FIRST.call_once(set_up);
        let name = CString::new(path.as_os_str().as_bytes()).map_err(|error| Error::File {
            path: path.display().to_string(),
            source: error.into(),
        })?;
        let flags = flags | ffi::SQLITE_OPEN_NOMUTEX;
        let mut raw = ptr::null_mut();
        // SAFETY: the name ends with NUL, and `raw` is a place for the result.
        let code = unsafe { ffi::sqlite3_open_v2(name.as_ptr(), &mut raw, flags, ptr::null()) };
        let Some(raw) = NonNull::new(raw) else {
            return Err(Error::Sqlite {
                code,
                message: "out of memory".into(),
            });
        };
        let mut connection = Self {
            statements: Vec::new(),
            uses: 0,
            // Also when opening failed: SQLite wants the handle closed then, too.
            handle: Arc::new(Handle {
                raw,
                authorizer: Box::default(),
                log: OnceLock::new(),
            }),
        };
        if code != ffi::SQLITE_OK {
            return Err(connection.error(""));
        }
        connection.configure();
        for setting in settings {
            connection.run(setting)?;
        }
        connection.statements.clear();
        Ok(connection)
    }

    fn configure(&self) {
        let raw = self.raw();
        // SAFETY: the connection is open; the variadic arguments are those that the option's documentation asks for.
        unsafe {
            ffi::sqlite3_extended_result_codes(raw, 1);
            ffi::sqlite3_limit(raw, ffi::SQLITE_LIMIT_LENGTH, MAX_VALUE);
            let no_answer = ptr::null_mut::<c_int>();
            ffi::sqlite3_db_config(raw, ffi::SQLITE_DBCONFIG_DEFENSIVE, 1 as c_int, no_answer);
        }
    }

    /// From now on every commit tells `log` how long the write-ahead log is, and SQLite does not move it by itself.
    pub(super) fn report_to(&mut self, log: Arc<LogLength>) {
        let log: *const LogLength = &**self.handle.log.get_or_init(|| log);
        // SAFETY: the handle owns it as long as the connection is open, and the callback only reads through the pointer.
        unsafe { ffi::sqlite3_wal_hook(self.raw(), Some(committed), log.cast_mut().cast()) };
    }

    /// From now on statements may do only what a component may.
    pub(super) fn guard(&mut self) {
        let authorizer: *const Authorizer = &*self.handle.authorizer;
        // SAFETY: the box lives as long as the connection is open, and the callback only reads through the pointer.
        unsafe {
            ffi::sqlite3_set_authorizer(self.raw(), Some(authorize), authorizer.cast_mut().cast());
        }
    }

    /// Prepares `sql`, or finds it in the cache. With several statements in `sql` it is the first, as in Spin.
    pub(super) fn prepare(&mut self, sql: &str) -> Result<Prepared, Error> {
        self.uses += 1;
        // The few statements of an application differ in length, so this compares bytes hardly more than once.
        let found = self
            .statements
            .iter()
            .position(|cached| *cached.sql == *sql);
        let index = match found {
            Some(index) => index,
            None => {
                let statement = self.compile(sql)?;
                self.make_room();
                self.statements.push(Cached {
                    sql: sql.into(),
                    statement,
                    last_use: 0,
                });
                self.statements.len() - 1
            }
        };
        let cached = &mut self.statements[index];
        cached.last_use = self.uses;
        let class = cached.statement.class();
        Ok(Prepared { index, class })
    }

    /// The statement that was prepared last, or, if nothing was prepared since, one that was prepared before.
    pub(super) fn statement(&mut self, prepared: Prepared) -> &mut Statement {
        &mut self.statements[prepared.index].statement
    }

    /// How many pages the database has.
    pub(super) fn pages(&mut self) -> Result<i64, Error> {
        self.own("PRAGMA page_count")
    }

    /// From now on the database grows to no more than so many pages; it keeps those that it has.
    pub(super) fn grow_to(&mut self, pages: i64) -> Result<(), Error> {
        self.own(&format!("PRAGMA max_page_count = {pages}"))
            .map(drop)
    }

    /// The number that a statement of the host itself returns, which a component might not run.
    fn own(&self, sql: &str) -> Result<i64, Error> {
        let authorizer = &self.handle.authorizer;
        authorizer.reset();
        authorizer.trust(true);
        let prepared = self.prepare_raw(sql);
        authorizer.trust(false);
        let raw = NonNull::new(prepared?).ok_or(Error::Empty)?;
        // SAFETY: the statement was just prepared, and nobody else has the pointer. It is not cached, where a component
        // would find it.
        let mut statement = unsafe { Statement::new(raw, authorizer.class(true)) };
        let rows = statement.run(&[], usize::MAX)?.rows;
        Ok(match rows.first().map(Vec::as_slice) {
            Some([Value::Integer(number)]) => *number,
            _ => 0,
        })
    }

    /// Runs a statement that takes no parameters and whose rows nobody wants.
    pub(super) fn run(&mut self, sql: &str) -> Result<(), Error> {
        let prepared = self.prepare(sql)?;
        self.statement(prepared).run(&[], usize::MAX).map(drop)
    }

    /// Runs statements one after the other, each of which ends with a semicolon.
    pub(super) fn run_all(&mut self, sql: &str) -> Result<(), Error> {
        let mut start = 0;
        for (end, _) in sql.match_indices(';') {
            let statement = &sql[start..=end];
            if is_complete(statement) {
                self.run(statement)?;
                start = end + 1;
            }
        }
        Ok(())
    }

    fn make_room(&mut self) {
        if self.statements.len() < CACHED_STATEMENTS {
            return;
        }
        let places = self.statements.iter().enumerate();
        let oldest = places.min_by_key(|(_, cached)| cached.last_use);
        if let Some((index, _)) = oldest {
            self.statements.swap_remove(index);
        }
    }

    fn compile(&self, sql: &str) -> Result<Statement, Error> {
        let authorizer = &self.handle.authorizer;
        authorizer.reset();
        let prepared = self.prepare_raw(sql);
        let raw = match (prepared, authorizer.held()) {
            (Err(_), Some(name)) => {
                authorizer.reset();
                self.prepare_raw(&format!("PRAGMA {name}"))?
            }
            (prepared, _) => prepared?,
        };
        let raw = NonNull::new(raw).ok_or(Error::Empty)?;
        // SAFETY: the statement was just prepared, and nobody else has the pointer.
        let readonly = unsafe { ffi::sqlite3_stmt_readonly(raw.as_ptr()) } != 0;
        // SAFETY: as before; it goes into this connection's cache.
        Ok(unsafe { Statement::new(raw, authorizer.class(readonly)) })
    }

    fn prepare_raw(&self, sql: &str) -> Result<*mut ffi::sqlite3_stmt, Error> {
        let length = c_int::try_from(sql.len()).map_err(|_| too_big())?;
        let mut statement = ptr::null_mut();
        // SAFETY: pointer and length describe `sql`; the rest of the text is not asked for.
        let code = unsafe {
            ffi::sqlite3_prepare_v3(
                self.raw(),
                sql.as_ptr().cast::<c_char>(),
                length,
                ffi::SQLITE_PREPARE_PERSISTENT as u32,
                &mut statement,
                ptr::null_mut(),
            )
        };
        match code {
            ffi::SQLITE_OK => Ok(statement),
            _ => Err(self.error(sql)),
        }
    }

    /// Another thread's means to stop what runs here.
    pub(super) fn interrupter(&self) -> Interrupter {
        Interrupter(self.handle.clone())
    }

    /// Whether no transaction is open.
    pub(super) fn is_autocommit(&self) -> bool {
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_get_autocommit(self.raw()) != 0 }
    }

    /// Rows that the last `INSERT`, `UPDATE` or `DELETE` changed by itself.
    pub(super) fn changes(&self) -> u64 {
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_changes64(self.raw()) }.unsigned_abs()
    }

    /// Rows changed since the connection was opened, by triggers and cascades, too.
    pub(super) fn total_changes(&self) -> i64 {
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_total_changes64(self.raw()) }
    }

    /// The rowid of the last row inserted.
    pub(super) fn last_insert_rowid(&self) -> i64 {
        // SAFETY: the connection is open.
        unsafe { ffi::sqlite3_last_insert_rowid(self.raw()) }
    }

    fn raw(&self) -> *mut ffi::sqlite3 {
        self.handle.raw.as_ptr()
    }

    /// The connection's last error; `sql` is the text that was being prepared.
    fn error(&self, sql: &str) -> Error {
        // SAFETY: the connection is open, and nobody else uses it.
        let (error, offset) = unsafe {
            (
                last_error(self.raw()),
                ffi::sqlite3_error_offset(self.raw()),
            )
        };
        match error {
            // The words of Spin's SQLite library for an error whose place in the text is known.
            Error::Sqlite { code, message } if code & 0xff == ffi::SQLITE_ERROR && offset >= 0 => {
                let message = format!("{message} in {sql} at offset {offset}");
                Error::Sqlite { code, message }
            }
            other => other,
        }
    }
}

/// The last error of a connection.
///
/// # Safety
/// The pointer must be an open connection that no other thread uses meanwhile.
unsafe fn last_error(raw: *mut ffi::sqlite3) -> Error {
    // SAFETY: as the caller promises; the message is a string that lives until the next call.
    let (code, message, system) = unsafe {
        let message = CStr::from_ptr(ffi::sqlite3_errmsg(raw));
        (
            ffi::sqlite3_extended_errcode(raw),
            message.to_string_lossy().into_owned(),
            ffi::sqlite3_system_errno(raw),
        )
    };
    let failed_outside = matches!(code & 0xff, ffi::SQLITE_IOERR | ffi::SQLITE_CANTOPEN);
    plain_cause(system)
        .filter(|_| failed_outside)
        .unwrap_or(Error::Sqlite { code, message })
}

/// What SQLite says of some failures of the system, but not of all that are of that kind: it knows of a full disk, and
/// not of a quota.
fn plain_cause(system: c_int) -> Option<Error> {
    let (code, message) = match system {
        libc::ENOSPC | libc::EDQUOT | libc::EFBIG => (ffi::SQLITE_FULL, "database or disk is full"),
        libc::EROFS => (ffi::SQLITE_READONLY, "attempt to write a readonly database"),
        _ => return None,
    };
    let message = message.into();
    Some(Error::Sqlite { code, message })
}

fn too_big() -> Error {
    Error::Sqlite {
        code: ffi::SQLITE_TOOBIG,
        message: "string or blob too big".into(),
    }
}

/// Passes on what SQLite tells after a commit.
unsafe extern "C" fn committed(
    log: *mut c_void,
    _connection: *mut ffi::sqlite3,
    _database: *const c_char,
    pages: c_int,
) -> c_int {
    // SAFETY: `report_to` gave SQLite this pointer, and it lives as long as the connection.
    let log = unsafe { &*log.cast::<LogLength>() };
    log.committed(pages.unsigned_abs());
    ffi::SQLITE_OK
}

/// Passes SQLite's question on to the [`Authorizer`].
unsafe extern "C" fn authorize(
    authorizer: *mut c_void,
    code: c_int,
    first: *const c_char,
    second: *const c_char,
    _database: *const c_char,
    _trigger: *const c_char,
) -> c_int {
    // SAFETY: `guard` gave SQLite this pointer, and it lives as long as the connection.
    let authorizer = unsafe { &*authorizer.cast::<Authorizer>() };
    let text = |pointer: *const c_char| {
        // SAFETY: SQLite passes either NULL or a string that lives during this call.
        (!pointer.is_null()).then(|| unsafe { CStr::from_ptr(pointer) }.to_string_lossy())
    };
    authorizer.decide(code, text(first).as_deref(), text(second).as_deref())
}

/// Whether a text ends with a semicolon that ends a statement, and is none of a trigger, a comment or a literal.
fn is_complete(sql: &str) -> bool {
    // SAFETY: it reads a text that ends with NUL, and only that.
    CString::new(sql).is_ok_and(|sql| unsafe { ffi::sqlite3_complete(sql.as_ptr()) } == 1)
}
