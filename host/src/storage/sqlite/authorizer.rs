//! SQLite asks here, while it prepares a statement, whether each thing the statement does is allowed. The answers
//! keep a component inside its database file; the questions show what kind of statement it is.

use super::pragma::{self, HELD, Synchronous, Verdict};
use libsql::ffi;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::Relaxed};

/// It inserts, updates or deletes rows, which `total_changes` counts.
const ROWS: u32 = 1;
/// It writes what `total_changes` does not count.
const SCHEMA: u32 = 1 << 1;
/// It begins a transaction or a savepoint.
const BEGIN: u32 = 1 << 2;
/// It rolls back.
const ROLLBACK: u32 = 1 << 3;
/// It leaves something behind in the connection that the next user must not see.
const PRIVATE: u32 = 1 << 4;
/// It asks for the session's `synchronous`.
const LEVEL: u32 = 1 << 5;
/// It sets that to `NORMAL`.
const NORMAL: u32 = 1 << 6;
/// It sets that to `FULL`.
const FULL: u32 = 1 << 7;
/// It sets a pragma that the host holds; its number in [`HELD`] is in the bits from here on.
const HELD_SHIFT: u32 = 8;

/// The kind of a statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) struct Class {
    flags: u32,
    readonly: bool,
}

impl Class {
    /// Whether it needs the write lock: it may write, or opens a transaction that may.
    pub(in crate::storage) fn needs_lock(self) -> bool {
        !self.readonly || self.flags & (BEGIN | SCHEMA) != 0
    }

    /// Whether it opens a transaction.
    pub(in crate::storage) fn begins(self) -> bool {
        self.flags & BEGIN != 0
    }

    /// Whether, having changed `rows` rows (more or less, but at least one if any), it wrote to the database.
    pub(in crate::storage) fn wrote(self, rows: bool) -> bool {
        let only_rows = self.flags & (ROWS | SCHEMA) == ROWS;
        let only_control = self.flags & (BEGIN | ROLLBACK) != 0;
        let writes = !self.readonly || self.flags & SCHEMA != 0;
        rows || (writes && !only_rows && !only_control)
    }

    /// Whether it is a `ROLLBACK`.
    pub(in crate::storage) fn rolls_back(self) -> bool {
        self.flags & ROLLBACK != 0
    }

    /// What it wants with the session's `synchronous`, and nothing else then. The session has the answer, SQLite has
    /// not.
    pub(in crate::storage) fn level(self) -> Option<Level> {
        let is = |flag| self.flags & flag != 0;
        match self.flags {
            _ if is(NORMAL) => Some(Level::Set(Synchronous::Normal)),
            _ if is(FULL) => Some(Level::Set(Synchronous::Full)),
            _ if is(LEVEL) => Some(Level::Read),
            _ => None,
        }
    }

    /// Whether its connection can't be used by others afterwards.
    pub(in crate::storage) fn is_private(self) -> bool {
        self.flags & PRIVATE != 0
    }
}

/// What a statement wants with the session's `synchronous`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::storage) enum Level {
    /// To know it.
    Read,
    /// To change it.
    Set(Synchronous),
}

/// Collects what the statement that is being prepared does.
#[derive(Debug, Default)]
pub(super) struct Authorizer {
    flags: AtomicU32,
    /// Whether the statement is the host's own.
    trusts: AtomicBool,
}

impl Authorizer {
    /// Whether the statements that follow are the host's own, which may do anything.
    pub(super) fn trust(&self, trusts: bool) {
        self.trusts.store(trusts, Relaxed);
    }

    /// Forgets the last statement.
    pub(super) fn reset(&self) {
        self.flags.store(0, Relaxed);
    }

    /// Forgets the last statement, which is prepared in another form, but for the level that it sets.
    pub(super) fn reset_to_level(&self) {
        self.flags.fetch_and(NORMAL | FULL, Relaxed);
    }

    /// The kind of the statement just prepared; `readonly` is SQLite's own opinion.
    pub(super) fn class(&self, readonly: bool) -> Class {
        Class {
            flags: self.flags.load(Relaxed),
            readonly,
        }
    }

    /// The pragma whose setting was refused because the host holds it.
    pub(super) fn held(&self) -> Option<&'static str> {
        let number = (self.flags.load(Relaxed) >> HELD_SHIFT) as usize;
        number
            .checked_sub(1)
            .and_then(|index| HELD.get(index).copied())
    }

    /// Answers one question: `SQLITE_OK` or `SQLITE_DENY`. `first` and `second` mean what SQLite's documentation of
    /// the action of `code`.
    pub(super) fn decide(&self, code: i32, first: Option<&str>, second: Option<&str>) -> i32 {
        if self.trusts.load(Relaxed) {
            return ffi::SQLITE_OK;
        }
        let flags = match code {
            ffi::SQLITE_SELECT | ffi::SQLITE_READ | ffi::SQLITE_RECURSIVE => 0,
            ffi::SQLITE_INSERT | ffi::SQLITE_UPDATE | ffi::SQLITE_DELETE => ROWS,
            ffi::SQLITE_TRANSACTION | ffi::SQLITE_SAVEPOINT => match first {
                Some("BEGIN") => BEGIN,
                // A savepoint's rollback leaves the transaction open, and what it wrote before.
                Some("ROLLBACK") if code == ffi::SQLITE_TRANSACTION => ROLLBACK,
                _ => 0,
            },
            ffi::SQLITE_FUNCTION => match second {
                Some(name) if name.eq_ignore_ascii_case("load_extension") => {
                    return ffi::SQLITE_DENY;
                }
                _ => 0,
            },
            ffi::SQLITE_PRAGMA => match pragma::verdict(first.unwrap_or_default(), second) {
                Verdict::Allow => 0,
                Verdict::Private => PRIVATE,
                Verdict::Write => SCHEMA,
                Verdict::Held(index) => return self.hold(index, 0),
                Verdict::Level => LEVEL,
                Verdict::SetLevel(Synchronous::Normal, index) => return self.hold(index, NORMAL),
                Verdict::SetLevel(Synchronous::Full, index) => return self.hold(index, FULL),
                Verdict::Deny => return ffi::SQLITE_DENY,
            },
            // VACUUM attaches a nameless temporary database while it runs; any other is another file.
            ffi::SQLITE_ATTACH if first == Some("") => PRIVATE,
            ffi::SQLITE_ATTACH => return ffi::SQLITE_DENY,
            ffi::SQLITE_DETACH => 0,
            ffi::SQLITE_CREATE_TEMP_INDEX
            | ffi::SQLITE_CREATE_TEMP_TABLE
            | ffi::SQLITE_CREATE_TEMP_TRIGGER
            | ffi::SQLITE_CREATE_TEMP_VIEW => PRIVATE | SCHEMA,
            ffi::SQLITE_CREATE_INDEX
            | ffi::SQLITE_CREATE_TABLE
            | ffi::SQLITE_CREATE_TRIGGER
            | ffi::SQLITE_CREATE_VIEW
            | ffi::SQLITE_CREATE_VTABLE
            | ffi::SQLITE_DROP_INDEX
            | ffi::SQLITE_DROP_TABLE
            | ffi::SQLITE_DROP_TRIGGER
            | ffi::SQLITE_DROP_VIEW
            | ffi::SQLITE_DROP_VTABLE
            | ffi::SQLITE_DROP_TEMP_INDEX
            | ffi::SQLITE_DROP_TEMP_TABLE
            | ffi::SQLITE_DROP_TEMP_TRIGGER
            | ffi::SQLITE_DROP_TEMP_VIEW
            | ffi::SQLITE_ALTER_TABLE
            | ffi::SQLITE_REINDEX
            | ffi::SQLITE_ANALYZE => SCHEMA,
            _ => return ffi::SQLITE_DENY,
        };
        self.flags.fetch_or(flags, Relaxed);
        ffi::SQLITE_OK
    }

    /// Refuses to set the pragma of this number.
    fn hold(&self, index: usize, flags: u32) -> i32 {
        let held = (index as u32 + 1) << HELD_SHIFT;
        self.flags.store(held | flags, Relaxed);
        ffi::SQLITE_DENY
    }
}
