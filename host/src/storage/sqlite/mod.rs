//! SQLite's C interface as libsql ships it, as far as this host needs it, made safe.
//!
//! libsql's own Rust types won't do here: they cut a text at its first NUL, panic on a text that isn't UTF-8, ignore a
//! failed bind, and don't expose whether a statement writes. This is the only unsafe code of the host.
//!
//! Why it is sound: a [`Statement`] is owned by the cache inside its [`Connection`] and only ever lent out, so it can
//! neither outlive the connection nor be used at the same time from another thread; and the one thing that other
//! threads may do, [`Interrupter::interrupt`], SQLite allows at any time while the connection is open.

mod authorizer;
mod copy;
mod failure;
mod handle;
mod pragma;
mod statement;

use super::{Error, Value, log_length::LogLength};
pub(super) use authorizer::{Class, Level};
use failure::too_big;
use handle::Handle;
pub(super) use handle::Interrupter;
use libsql::ffi;
pub(super) use pragma::Synchronous;
pub(super) use statement::Statement;
use std::{
    ffi::{CString, c_char, c_int},
    path::Path,
    ptr::{self, NonNull},
    sync::Arc,
};

/// Prepared statements a connection keeps.
const CACHED_STATEMENTS: usize = 128;
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
    /// The kind of the statement.
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
        let mut connection = Self {
            statements: Vec::new(),
            uses: 0,
            handle: Arc::new(Handle::open(path, flags)?),
        };
        for setting in settings {
            connection.run(setting)?;
        }
        connection.statements.clear();
        Ok(connection)
    }

    /// From now on every commit reports the length of the write-ahead log to `log`, and SQLite does not move it by
    /// itself.
    pub(super) fn report_to(&mut self, log: Arc<LogLength>) {
        self.handle.report_to(log);
    }

    /// From now on statements may do only what a component may.
    pub(super) fn guard(&mut self) {
        self.handle.guard();
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
        // SAFETY: the statement was just prepared, and no other code has the pointer. It is not cached, where a
        // component would find it.
        let mut statement = unsafe { Statement::new(raw, authorizer.class(true)) };
        let rows = statement.run(&[], usize::MAX)?.rows;
        Ok(match rows.first().map(Vec::as_slice) {
            Some([Value::Integer(number)]) => *number,
            _ => 0,
        })
    }

    /// Runs a statement that takes no parameters and whose rows are not needed.
    pub(super) fn run(&mut self, sql: &str) -> Result<(), Error> {
        self.rows(sql).map(drop)
    }

    /// The rows of a statement that takes no parameters.
    pub(super) fn rows(&mut self, sql: &str) -> Result<Vec<Vec<Value>>, Error> {
        let prepared = self.prepare(sql)?;
        Ok(self.statement(prepared).run(&[], usize::MAX)?.rows)
    }

    /// The first column of the first row.
    pub(super) fn first(&mut self, sql: &str) -> Result<Option<Value>, Error> {
        let row = self.rows(sql)?.into_iter().next();
        Ok(row.and_then(|row| row.into_iter().next()))
    }

    /// The same, which is a number.
    pub(super) fn number(&mut self, sql: &str) -> Result<i64, Error> {
        Ok(match self.first(sql)? {
            Some(Value::Integer(number)) => number,
            _ => 0,
        })
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
                authorizer.reset_to_level();
                self.prepare_raw(&format!("PRAGMA {name}"))?
            }
            (prepared, _) => prepared?,
        };
        let raw = NonNull::new(raw).ok_or(Error::Empty)?;
        // SAFETY: the statement was just prepared, and no other code has the pointer.
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
            _ => Err(self.handle.error(sql)),
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
        self.handle.raw()
    }
}

/// Whether a text ends with a semicolon that ends a statement, and is none of a trigger, a comment or a literal.
fn is_complete(sql: &str) -> bool {
    // SAFETY: it reads a text that ends with NUL, and only that.
    CString::new(sql).is_ok_and(|sql| unsafe { ffi::sqlite3_complete(sql.as_ptr()) } == 1)
}
