//! Copies of databases, their examination, and the removal of rows from them. None uses [`super::Database`]: another
//! process may have the file that is copied open, but no process the others.

use super::{Error, Value, mark, sqlite::Connection};
use std::path::Path;

/// Copies the database in the file `from` into a new file `to`, as it is at one moment, while others write to it: they
/// wait for nothing, but their log grows until the copy is complete.
///
/// The connection can't write. So it neither moves the log into the file nor deletes it, not even when it is the last
/// one; both are the host's business, which counts on its log. The copy is not synced.
///
/// # Errors
/// When `from` is no database or can't be read, or `to` can't be written.
pub fn copy(from: &Path, to: &Path) -> Result<(), Error> {
    mark::check(from)?;
    // It may have to wait while another process recovers the log.
    let source = Connection::open_read_only(from, &["PRAGMA busy_timeout = 5000"])?;
    let settings = ["PRAGMA journal_mode = MEMORY", "PRAGMA synchronous = OFF"];
    source.copy_to(&Connection::open(to, &settings)?)
}

/// The properties of a database that no process uses.
#[derive(Debug)]
pub struct Inspected {
    /// The first thing that is wrong with it.
    pub problem: Option<String>,
    /// The number of its newest migration, if it knows of any.
    pub schema: Option<i64>,
}

/// Looks whether a database is sound: its pages, its indices, its foreign keys.
///
/// # Errors
/// When it can't be read, or is no database.
pub fn inspect(file: &Path) -> Result<Inspected, Error> {
    let mut database = Connection::open_existing(file, &[])?;
    let problem = match database.first("PRAGMA integrity_check(1)")? {
        Some(Value::Text(sound)) if sound == "ok" => {
            database.first("PRAGMA foreign_key_check")?.map(|table| {
                let table = as_text(table);
                format!("a row of {table} refers to one that is missing")
            })
        }
        problem => Some(problem.map_or_else(String::new, as_text)),
    };
    let migrations = "SELECT 1 FROM sqlite_schema WHERE name = 'schema_migration'";
    let schema = match database.first(migrations)? {
        Some(_) => match database.first("SELECT max(version) FROM schema_migration")? {
            Some(Value::Integer(version)) => Some(version),
            _ => None,
        },
        None => None,
    };
    Ok(Inspected { problem, schema })
}

/// Deletes all rows of those `tables` that the database has, and what refers to them.
///
/// # Errors
/// When it can't be written, or is no database.
pub fn empty(file: &Path, tables: &[&str]) -> Result<(), Error> {
    let settings = ["PRAGMA journal_mode = DELETE", "PRAGMA foreign_keys = ON"];
    let mut database = Connection::open_existing(file, &settings)?;
    for table in tables {
        let there =
            format!("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = '{table}'");
        if database.first(&there)?.is_some() {
            database.first(&format!("DELETE FROM {table}"))?;
        }
    }
    Ok(())
}

fn as_text(value: Value) -> String {
    match value {
        Value::Text(text) => text,
        other => format!("{other:?}"),
    }
}
