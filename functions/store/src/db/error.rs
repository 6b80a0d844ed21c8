//! What can go wrong with a statement, as far as callers tell it apart.

use std::fmt;

use serde::de::{self, Expected, Unexpected};
use spin_sdk::sqlite;

/// How much of a statement the log shows where its answer was not as expected.
const SHOWN_CHARS: usize = 200;

/// What SQLite and libSQL's server say where a statement had to give way to others. SQLite: `SQLITE_BUSY`,
/// `SQLITE_INTERRUPT`; the server: a transaction that took too long, and was undone, so that none is there to commit.
const BUSY: &[&str] = &[
    "database is locked",
    "database table is locked",
    "interrupted",
    "SQLITE_BUSY",
    "SQLITE_INTERRUPT",
    "TRANSACTION_TIMEOUT",
    "TRANSACTION_BUSY",
    "no transaction is active",
];

/// What libSQL's server says about a connection that was idle for ten seconds, or that another process of it had.
const FORGOTTEN: &[&str] = &["STREAM_EXPIRED", "stream not found", "BATON"];

/// What the client of libSQL says where its server can't be reached, breaks off, or is itself in trouble.
const UNREACHABLE: &[&str] = &[
    "http error: `",
    "api error: `status=5",
    "api error: `status=429",
    "unexpected response: `",
    "stream closed: `",
    "Failed to connect to database",
];

/// Why a statement failed.
#[derive(Debug)]
pub enum Error {
    /// A unique index or primary key has this value already. The text names its columns.
    Unique(String),
    /// A foreign key refers to nothing.
    ForeignKey(String),
    /// What the statement was to change is not what its sender has looked at (`migrations/0023_beginning.sql`).
    Overtaken(String),
    /// Another writer held the database for too long, or the server of the database had no time. Nothing is done.
    Busy(String),
    /// The server of the database doesn't know the connection any more, and has done nothing.
    Forgotten(String),
    /// The server of the database does not answer. Whether anything is done is not known.
    Unreachable(String),
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

    /// Whether the statement was refused by a constraint or a trigger, which undoes that statement alone and leaves the
    /// connection as it was.
    pub fn is_constraint(&self) -> bool {
        matches!(
            self,
            Self::Unique(_) | Self::ForeignKey(_) | Self::Overtaken(_)
        )
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
        } else if says("overtaken: ") {
            Self::Overtaken(message)
        } else if BUSY.iter().any(|text| says(text)) {
            Self::Busy(message)
        } else if FORGOTTEN.iter().any(|text| says(text)) {
            Self::Forgotten(message)
        } else if UNREACHABLE.iter().any(|text| says(text)) {
            Self::Unreachable(message)
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
            | Self::Overtaken(message)
            | Self::Busy(message)
            | Self::Forgotten(message)
            | Self::Unreachable(message)
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
        let overtaken = kind("overtaken: the chat has changed");
        assert!(matches!(overtaken, Error::Overtaken(_)) && overtaken.is_constraint());
        for busy in [
            "database is locked",
            "SQLite failure: `interrupted`",
            "Hrana: `stream error: `Error { message: \"SQLite error: database is locked\", code: \"SQLITE_BUSY\" }``",
        ] {
            assert!(matches!(kind(busy), Error::Busy(_)), "{busy}");
        }
        let expired = "Hrana: `stream error: `Error { message: \"The stream has expired due to inactivity\", code: \"STREAM_EXPIRED\" }``";
        assert!(matches!(kind(expired), Error::Forgotten(_)));
        for gone in [
            "Hrana: `http error: `error trying to connect: tcp connect error``",
            "Hrana: `api error: `status=503 Service Unavailable, body=``",
        ] {
            assert!(matches!(kind(gone), Error::Unreachable(_)), "{gone}");
        }
        assert!(matches!(
            kind("Hrana: `api error: `status=401 Unauthorized, body=``"),
            Error::Other(_)
        ));
        assert!(matches!(kind("database or disk is full"), Error::Full(_)));
        assert!(matches!(
            kind("attempt to write a readonly database"),
            Error::ReadOnly(_)
        ));
        assert!(kind("no such table: schema_migration").is_missing_table());
        assert!(!kind("disk I/O error").is_constraint());
    }
}
