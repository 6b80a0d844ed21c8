//! What can go wrong with a statement, as far as callers tell it apart.

use std::fmt;

use serde::de::{self, Expected, Unexpected};
use spin_sdk::sqlite;

/// How much of a statement the log shows where its answer was not as expected.
const SHOWN_CHARS: usize = 200;

/// Why a statement failed.
#[derive(Debug)]
pub enum Error {
    /// A unique index or primary key has this value already. The text names its columns.
    Unique(String),
    /// A foreign key refers to nothing.
    ForeignKey(String),
    /// Another writer held the database for too long.
    Busy(String),
    /// There is no room for what was to be written: on the server's disk, or in the database. Nothing of it is stored.
    Full(String),
    /// The database can only be read.
    ReadOnly(String),
    /// The database has migrations that this program does not know.
    TooNew {
        /// The newest migration in the database.
        found: i64,
        /// The newest one this program has.
        known: i64,
    },
    /// A row is not what its reader expects.
    Mismatch(String),
    /// Anything else.
    Other(String),
}

impl Error {
    /// A statement in a transaction whose connection was lost by an earlier one.
    pub(super) fn abandoned() -> Self {
        Self::Other("the transaction was abandoned by an earlier failure".to_owned())
    }

    /// Adds the beginning of the statement to a mismatch.
    pub fn in_statement(self, sql: &str) -> Self {
        match self {
            Self::Mismatch(message) => {
                let begin: String = sql.chars().take(SHOWN_CHARS).collect();
                Self::Mismatch(format!("{message} in the answer to {begin:?}"))
            }
            other => other,
        }
    }

    /// Whether the statement was refused by a constraint, which undoes that statement alone and leaves the connection
    /// as it was.
    pub fn is_constraint(&self) -> bool {
        matches!(self, Self::Unique(_) | Self::ForeignKey(_))
    }

    /// Whether a table does not exist.
    pub(super) fn is_missing_table(&self) -> bool {
        matches!(self, Self::Other(message) if message.contains("no such table"))
    }
}

impl From<sqlite::Error> for Error {
    /// The interface has one kind of failure for all that SQLite says; its text is the only way to tell.
    fn from(error: sqlite::Error) -> Self {
        let message = match error {
            sqlite::Error::Io(message) => message,
            sqlite::Error::DatabaseFull => return Self::Full("the database is full".to_owned()),
            sqlite::Error::NoSuchDatabase => "no such database".to_owned(),
            sqlite::Error::AccessDenied => {
                "spin.toml does not give this component the database".to_owned()
            }
            sqlite::Error::InvalidConnection => "the connection is not valid".to_owned(),
        };
        let says = |text: &str| message.contains(text);
        if says("UNIQUE constraint failed") {
            Self::Unique(message)
        } else if says("FOREIGN KEY constraint failed") {
            Self::ForeignKey(message)
        } else if says("database is locked") {
            Self::Busy(message)
        } else if says("database or disk is full") {
            Self::Full(message)
        } else if says("readonly database") {
            Self::ReadOnly(message)
        } else {
            Self::Other(message)
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unique(message)
            | Self::ForeignKey(message)
            | Self::Busy(message)
            | Self::Full(message)
            | Self::ReadOnly(message)
            | Self::Mismatch(message)
            | Self::Other(message) => f.write_str(message),
            Self::TooNew { found, known } => write!(
                f,
                "the database has migration {found}, this program knows none after {known}"
            ),
        }
    }
}

impl std::error::Error for Error {}

/// What was found in a row is not shown: it may be a secret, or long.
impl de::Error for Error {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Mismatch(message.to_string())
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        let found = match found {
            Unexpected::Unit | Unexpected::Option => "NULL",
            Unexpected::Signed(_) => "an integer",
            Unexpected::Float(_) => "a real number",
            Unexpected::Str(_) => "a text",
            Unexpected::Bytes(_) => "bytes",
            _ => "another value",
        };
        Self::Mismatch(format!("found {found}, expected {expected}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Self::invalid_type(found, expected)
    }

    fn unknown_variant(_: &str, expected: &'static [&'static str]) -> Self {
        Self::Mismatch(format!("found another text than {}", expected.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::Error;
    use spin_sdk::sqlite;

    fn kind(message: &str) -> Error {
        sqlite::Error::Io(message.to_owned()).into()
    }

    #[test]
    fn failures_are_told_apart_by_their_text() {
        assert!(matches!(
            kind("SQLite failure: `UNIQUE constraint failed: user.email`"),
            Error::Unique(_)
        ));
        assert!(matches!(
            kind("FOREIGN KEY constraint failed"),
            Error::ForeignKey(_)
        ));
        assert!(matches!(kind("database is locked"), Error::Busy(_)));
        assert!(matches!(kind("database or disk is full"), Error::Full(_)));
        assert!(matches!(
            kind("attempt to write a readonly database"),
            Error::ReadOnly(_)
        ));
        assert!(kind("no such table: schema_migration").is_missing_table());
        assert!(!kind("disk I/O error").is_constraint());
    }
}
