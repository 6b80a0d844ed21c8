//! `kafka restore` accepts only backups that this program has made.

use std::fs;
use std::path::Path;

use tempfile::TempDir;

use super::backup::{Scene, backup, is_refused, restore, succeeds};
use crate::support::Database;

/// Something that this program never makes, in the database of a server that was stopped.
async fn refuses(state: &Path, sql: &str, undo: &str, words: &str) {
    Database::change(state, sql).await;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("backup.tar");
    succeeds(&backup(&file, state, &[]));
    let other = folder.path().join("state");
    let outcome = restore(&file, &other, &[]);
    is_refused(&outcome, words);
    assert!(outcome.output.contains("none that this program makes"));
    assert!(!other.join("default.db").exists());
    Database::change(state, undo).await;
}

#[tokio::test]
async fn schemas_that_no_migration_makes_are_refused() {
    let scene = Scene::new().await;
    let state = scene.server.kill();
    for (sql, undo, words) in [
        (
            "CREATE TRIGGER spy AFTER INSERT ON model BEGIN UPDATE model SET base_url = 'http://x'; END",
            "DROP TRIGGER spy",
            "\"spy\"",
        ),
        (
            "CREATE VIEW spy AS SELECT * FROM model",
            "DROP VIEW spy",
            "\"spy\"",
        ),
        ("CREATE TABLE spy (x)", "DROP TABLE spy", "\"spy\""),
        (
            "CREATE VIRTUAL TABLE spy USING fts5(x)",
            "DROP TABLE spy",
            "\"spy",
        ),
        (
            "CREATE INDEX spy ON model (name)",
            "DROP INDEX spy",
            "\"spy\"",
        ),
        (
            "ALTER TABLE model ADD COLUMN spy TEXT",
            "ALTER TABLE model DROP COLUMN spy",
            "\"model\"",
        ),
        // A database whose version is lower than its schema.
        (
            "DELETE FROM schema_migration WHERE version > 2",
            "INSERT INTO schema_migration VALUES (9, 'again', '')",
            "the ",
        ),
    ] {
        refuses(state.path(), sql, undo, words).await;
    }
}

#[tokio::test]
async fn a_backup_without_the_users_database_is_refused() {
    let scene = Scene::new().await;
    let folder = scene.folder.path();
    let manifest = folder.join("spin.toml");
    let keys_only = r#"
        spin_manifest_version = 2
        [application]
        name = "keys"
        [[trigger.http]]
        route = "/..."
        component = "keys"
        [component.keys]
        source = "keys.wasm"
        key_value_stores = ["default"]
    "#;
    fs::write(&manifest, keys_only).expect("a manifest");
    let file = folder.join("keys.tar");
    let manifest = manifest.to_str().expect("a path of text");
    let from = ["--from", manifest];
    succeeds(&backup(&file, scene.server.state(), &from));
    let other = folder.join("state");
    is_refused(&restore(&file, &other, &[]), "has no database \"default\"");
    assert!(!other.join("key_value.db").exists());
}

/// A state folder as an older program has left it: with the first `count` migrations.
async fn old_state(of: &Path, count: usize) -> TempDir {
    let state = tempfile::tempdir().expect("a temporary folder");
    for name in ["key_value.db", "key_value.db-wal"] {
        fs::copy(of.join(name), state.path().join(name)).expect("a copy");
    }
    Database::of_version(state.path(), count).await;
    state
}

#[tokio::test]
async fn the_schemas_of_all_versions_are_taken() {
    let scene = Scene::new().await;
    let state = scene.server.kill();
    let migrations = concat!(env!("CARGO_MANIFEST_DIR"), "/../migrations");
    let count = fs::read_dir(migrations)
        .expect("the migrations are there")
        .count();
    for count in 1..=count {
        let old = old_state(state.path(), count).await;
        let file = old.path().join("backup.tar");
        succeeds(&backup(&file, old.path(), &[]));
        succeeds(&restore(&file, &old.path().join("new"), &[]));
    }
}
