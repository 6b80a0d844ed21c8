//! The schema makes itself (docs/decisions.md#migrations-run-themselves): each instance applies what
//! the database lacks before its first statement.
//!
//! A database that has migrations this program doesn't know is refused: an old program can't know what the
//! newer one relies on. Instances that began before the newer one migrated go on, since a migration only ever expands
//! what they see.

mod split;

use std::sync::atomic::{AtomicBool, Ordering};

use super::{Db, Error, Result};
use crate::{clock, params};

struct Migration {
    version: i64,
    name: &'static str,
    sql: &'static str,
}

macro_rules! migrations {
    ($($version:literal $name:literal),* $(,)?) => {
        &[$(Migration {
            version: $version,
            name: $name,
            sql: include_str!(concat!("../../../../migrations/", $name, ".sql")),
        }),*]
    };
}

/// All migrations, oldest first. A test holds the list against the folder.
const MIGRATIONS: &[Migration] = migrations![
    1 "0001_initial",
    2 "0002_streaming",
    3 "0003_access",
    4 "0004_branches",
    5 "0005_limits",
    6 "0006_long_work",
    7 "0007_bounds",
    8 "0008_logins",
    9 "0009_models",
    10 "0010_one_person",
    11 "0011_file_text",
    12 "0012_audit",
    13 "0013_chat_lists",
    14 "0014_settings",
    15 "0015_usage",
    16 "0016_search",
    17 "0017_care",
    18 "0018_feed",
    19 "0019_images",
    20 "0020_import",
    21 "0021_import_links",
    22 "0022_begin",
    23 "0023_beginning",
];

/// Whether this instance has seen a current schema. Only a cache: the truth is `schema_migration`.
static CURRENT: AtomicBool = AtomicBool::new(false);

/// Makes the schema current, once per instance. Requests and instances may race here: the one that gets the write
/// lock applies what comes next, the others find less left to do.
pub(super) async fn ensure_current(db: &mut Db) -> Result<()> {
    if CURRENT.load(Ordering::Relaxed) {
        return Ok(());
    }
    if applied(db).await? < newest() {
        // Not possible inside a transaction. A host that decides this by itself may refuse, so a failure is none. The
        // first has an effect only on a database without a page: what is deleted can make its file shorter.
        for pragma in ["auto_vacuum = INCREMENTAL", "journal_mode = WAL"] {
            let _ = db.execute(&format!("PRAGMA {pragma}"), Vec::new()).await;
        }
        while !apply_next(db).await? {}
    }
    CURRENT.store(true, Ordering::Relaxed);
    Ok(())
}

/// A current schema was seen elsewhere.
pub(super) fn is_current() {
    CURRENT.store(true, Ordering::Relaxed);
}

/// The newest migration that this program has.
pub(super) fn newest() -> i64 {
    MIGRATIONS.last().map_or(0, |migration| migration.version)
}

const APPLIED: &str = "SELECT coalesce(max(version), 0) FROM schema_migration";

/// The newest migration the database has; 0 if it is empty.
async fn applied(db: &mut Db) -> Result<i64> {
    match db.query_one_as(APPLIED, Vec::new()).await {
        Ok(version) => known(version.unwrap_or(0)),
        Err(error) if error.is_missing_table() => Ok(0),
        Err(error) => Err(error),
    }
}

fn known(found: i64) -> Result<i64> {
    let known = newest();
    if found > known {
        return Err(Error::TooNew { found, known });
    }
    Ok(found)
}

/// Applies the oldest migration that is missing, in a transaction of its own: a libSQL server ends one after five
/// seconds, and each statement is a round trip to it. Whether all are applied then.
async fn apply_next(db: &mut Db) -> Result<bool> {
    let mut tx = db.begin().await?;
    let make_table = include_str!("schema_migration.sql");
    tx.execute(make_table, Vec::new()).await?;
    // Asked again: another instance may have been faster to the write lock.
    let applied = tx.query_one_as(APPLIED, Vec::new()).await?;
    let applied = known(applied.unwrap_or(0))?;
    let mut missing = MIGRATIONS
        .iter()
        .filter(|migration| migration.version > applied);
    if let Some(migration) = missing.next() {
        for statement in split::statements(migration.sql) {
            tx.execute(statement, Vec::new()).await?;
        }
        tx.execute(
            "INSERT INTO schema_migration (version, name, applied_at) VALUES (?1, ?2, ?3)",
            params![migration.version, migration.name, clock::now()],
        )
        .await?;
    }
    tx.commit().await?;
    Ok(missing.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::MIGRATIONS;
    use super::split::{is_comment, is_trigger, statements};

    #[test]
    fn the_list_is_the_folder() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../migrations");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .expect("the folder of migrations is there")
            .map(|entry| entry.expect("it can be listed").file_name())
            .filter_map(|name| name.to_str()?.strip_suffix(".sql").map(str::to_owned))
            .collect();
        files.sort();
        let names: Vec<&str> = MIGRATIONS.iter().map(|migration| migration.name).collect();
        assert_eq!(names, files);
    }

    #[test]
    fn versions_count_up_and_begin_the_names() {
        for (index, migration) in MIGRATIONS.iter().enumerate() {
            let version = i64::try_from(index).expect("few migrations") + 1;
            assert_eq!(migration.version, version);
            assert!(migration.name.starts_with(&format!("{version:04}_")));
        }
    }

    #[test]
    fn lines_end_all_statements() {
        for migration in MIGRATIONS {
            let statements = statements(migration.sql);
            let mut code = migration.sql.lines().filter(|line| !is_comment(line));
            let last = code.rfind(|line| !line.is_empty());
            assert!(
                last.is_some_and(|line| line.ends_with(';')),
                "{}",
                migration.name
            );
            for statement in statements.iter().filter(|it| !is_trigger(it)) {
                let mut code = statement.lines().filter(|line| !is_comment(line));
                assert!(!code.any(|line| line.contains(';')), "{statement}");
            }
        }
    }
}
