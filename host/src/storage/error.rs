//! The errors of statements.

use libsql::ffi;
use std::{io, path::Path, time::Duration};

/// Why a statement, or opening a database, failed. `Display` is the text a component gets to see; where Spin has
/// a text for the same case, it is Spin's.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// SQLite refused or failed, for instance `UNIQUE constraint failed: user.email`.
    #[error("{message}")]
    Sqlite {
        /// SQLite's extended result code.
        code: i32,
        /// SQLite's message.
        message: String,
    },
    /// The number of parameters is not the number of placeholders.
    #[error("Wrong number of parameters passed to query. Got {got}, needed {needed}")]
    Parameters {
        /// How many were given.
        got: usize,
        /// How many placeholders the statement has.
        needed: usize,
    },
    /// The statement has no SQL in it: it is empty, or only a comment.
    #[error("the statement is empty")]
    Empty,
    /// The rows would take more memory than a result may.
    #[error("query result exceeds limit of {0} bytes")]
    ResultTooLarge(usize),
    /// A text in the database is not UTF-8 and can't be given to a component as text.
    #[error("the text in column {0} is not valid UTF-8")]
    NotUtf8(usize),
    /// The transaction stayed open too long and was rolled back, so that others can write.
    #[error("the transaction was open for more than {0:?} and was rolled back")]
    TransactionExpired(Duration),
    /// As SQLite has it: it would be unclear what the transaction's commit waits for.
    #[error("Safety level may not be changed inside a transaction")]
    LevelInTransaction,
    /// A file of the database can't be used.
    #[error("can't use {path}: {source}")]
    File {
        /// The file.
        path: String,
        /// The error of the system.
        source: io::Error,
    },
    /// The database can't have a write-ahead log, for instance because its file system can't share memory.
    #[error("the database can't be switched to a write-ahead log (its journal mode is {0})")]
    NoLog(String),
    /// Something of the database is missing or damaged, and it is not used without.
    #[error("can't use {path}: {what}")]
    Incomplete {
        /// The database.
        path: String,
        /// The missing part, and a remedy.
        what: String,
    },
    /// The process is ending; whether the commit is durable is not known.
    #[error("the database is being closed")]
    Stopped,
}

impl Error {
    /// Whether there is no room for what was to be written.
    #[must_use]
    pub fn is_full(&self) -> bool {
        match self {
            Self::Sqlite { code, .. } => code & 0xff == ffi::SQLITE_FULL,
            Self::File { source, .. } => is_full(source),
            _ => false,
        }
    }
}

/// Whether a file could not be written because there is no room for it: on the disk, or in what its owner may use.
pub(super) fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

/// An error of the system, with the file that it is about.
pub(super) fn at(path: &Path) -> impl FnOnce(io::Error) -> Error {
    let path = path.display().to_string();
    move |source| Error::File { path, source }
}
