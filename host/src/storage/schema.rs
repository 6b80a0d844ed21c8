//! Schemas of databases: what a file has, and what migrations make.

use super::{Error, Value, key_value, sqlite::Connection};
use std::{collections::BTreeSet, path::Path};

/// The migrations of the application, oldest first, with their numbers.
const MIGRATIONS: &[(i64, &str)] = &include!(concat!(env!("OUT_DIR"), "/migrations.rs"));

/// Where a database notes its migrations, as `functions/store` makes it before it applies any.
const NOTES: &str = "CREATE TABLE schema_migration (
    version INTEGER NOT NULL PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL
);";

/// The objects that SQLite itself makes in a schema.
const BY_ITSELF: [&str; 3] = [
    "CREATE TABLE sqlite_stat1(tbl,idx,stat)",
    "CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample)",
    "CREATE TABLE sqlite_sequence(name,seq)",
];

/// All tables, indexes, triggers and views of a database, with the SQL that makes them.
#[derive(Debug, PartialEq, Eq)]
pub struct Schema(BTreeSet<Entry>);

/// Type, name, table and SQL.
type Entry = [String; 4];

impl Schema {
    /// That of the database in a file.
    ///
    /// # Errors
    /// When it can't be read, or is no database.
    pub fn of(file: &Path) -> Result<Self, Error> {
        Self::read(&mut Connection::open_existing(file, &[])?)
    }

    /// The schema after the migrations up to this number; empty without any.
    pub fn migrated(version: Option<i64>) -> Result<Self, Error> {
        let mut database = Connection::open(Path::new(":memory:"), &[])?;
        if let Some(version) = version {
            database.run_all(NOTES)?;
            for (_, sql) in MIGRATIONS.iter().filter(|(number, _)| *number <= version) {
                database.run_all(sql)?;
            }
        }
        Self::read(&mut database)
    }

    /// That of the key-value stores.
    pub fn of_key_values() -> Result<Self, Error> {
        let mut database = Connection::open(Path::new(":memory:"), &[])?;
        database.run(key_value::CREATE)?;
        Self::read(&mut database)
    }

    /// Something that only one of the two has, or that is made in another way: a trigger `x`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Option<String> {
        let [kind, name, ..] = self.0.symmetric_difference(&other.0).next()?;
        Some(format!("the {kind} {name:?}"))
    }

    /// Something that does more than to keep rows.
    #[must_use]
    pub fn acting(&self) -> Option<String> {
        let acts = |[kind, _, _, sql]: &&Entry| {
            !matches!(kind.as_str(), "table" | "index") || sql.starts_with("CREATE VIRTUAL")
        };
        let [kind, name, ..] = self.0.iter().find(acts)?;
        Some(format!("the {kind} {name:?}"))
    }

    fn read(database: &mut Connection) -> Result<Self, Error> {
        let rows = database.rows("SELECT type, name, tbl_name, sql FROM sqlite_schema")?;
        let entries = rows.into_iter().map(|row| {
            let mut columns = row.into_iter().map(|value| match value {
                Value::Text(text) => text,
                _ => String::new(),
            });
            let mut entry: Entry = std::array::from_fn(|_| columns.next().unwrap_or_default());
            entry[3] = plain(&entry[3]);
            entry
        });
        Ok(Self(
            entries
                .filter(|entry| !BY_ITSELF.contains(&entry[3].as_str()))
                .collect(),
        ))
    }
}

/// SQL without comments, and with one space for all white space: programs differ in how much of that they pass on.
fn plain(sql: &str) -> String {
    let mut plain = String::with_capacity(sql.len());
    let mut quote = None;
    let mut rest = sql;
    while let Some(next) = rest.chars().next() {
        if quote.is_none() && rest.starts_with("--") {
            rest = &rest[rest.find('\n').unwrap_or(rest.len())..];
            continue;
        }
        rest = &rest[next.len_utf8()..];
        match quote {
            // A quote that is doubled, and so none, begins the next text at once.
            Some(open) if open == next => quote = None,
            None if matches!(next, '\'' | '"') => quote = Some(next),
            None if next.is_whitespace() => {
                if !plain.ends_with(' ') {
                    plain.push(' ');
                }
                continue;
            }
            _ => {}
        }
        plain.push(next);
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn only_comments_and_spaces_are_left_out() {
        let sql = "CREATE TABLE a (\n    -- It's \"b\".\n    b TEXT DEFAULT '--  ''x'\n, c)";
        assert_eq!(plain(sql), "CREATE TABLE a ( b TEXT DEFAULT '--  ''x' , c)");
        assert_ne!(plain("SELECT '-- \n'"), plain("SELECT ' \n'"));
    }
}
