//! A component can neither leave its file nor change what others rely on.

use crate::support::{fail, number, open, run, text};
use kafka_host::storage::{QueryResult, Value};

#[tokio::test]
async fn foreign_keys_hold_and_cascade() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder).await.session();
    run(&mut session, "CREATE TABLE a (id INTEGER PRIMARY KEY)").await;
    run(
        &mut session,
        "CREATE TABLE b (a REFERENCES a ON DELETE CASCADE)",
    )
    .await;
    let error = fail(&mut session, "INSERT INTO b VALUES (1)").await;
    assert_eq!(error, "FOREIGN KEY constraint failed");
    run(&mut session, "PRAGMA foreign_keys = OFF").await;
    fail(&mut session, "INSERT INTO b VALUES (1)").await;
    run(&mut session, "INSERT INTO a VALUES (1)").await;
    run(&mut session, "INSERT INTO b VALUES (1)").await;
    run(&mut session, "DELETE FROM a").await;
    assert_eq!(number(&mut session, "SELECT count(*) FROM b").await, 0);
}

#[tokio::test]
async fn settings_of_the_host_can_be_asked_for_but_not_changed() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder).await.session();
    for (set, answer) in [
        ("PRAGMA journal_mode = DELETE", text("wal")),
        ("PRAGMA journal_mode=WAL", text("wal")),
        ("/* a comment */ pragma main.Journal_Mode(off)", text("wal")),
        ("PRAGMA synchronous = OFF", Value::Integer(2)),
        ("PRAGMA wal_autocheckpoint = 1", Value::Integer(0)),
        ("PRAGMA locking_mode = EXCLUSIVE", text("normal")),
        ("PRAGMA foreign_keys = 0", Value::Integer(1)),
        ("PRAGMA busy_timeout = 600000", Value::Integer(5000)),
    ] {
        assert_eq!(run(&mut session, set).await.rows, [[answer]], "{set}");
    }
    run(&mut session, "BEGIN").await;
    assert_eq!(
        run(&mut session, "PRAGMA journal_mode = DELETE").await.rows,
        [[text("wal")]]
    );
    run(&mut session, "ROLLBACK").await;
}

#[tokio::test]
async fn a_session_chooses_whether_its_commits_are_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder).await;
    let mut session = database.session();
    run(&mut session, "CREATE TABLE t (x)").await;
    let read = "PRAGMA synchronous";
    for (set, level) in [
        ("pragma main.Synchronous = normal", 1),
        ("PRAGMA synchronous = OFF", 1),
        ("PRAGMA synchronous(FULL)", 2),
        ("PRAGMA synchronous = 1", 1),
    ] {
        run(&mut session, set).await;
        assert_eq!(number(&mut session, read).await, level, "{set}");
        // It is not the connection's, which the next session has.
        assert_eq!(number(&mut database.session(), read).await, 2, "{set}");
    }
    let set = "PRAGMA synchronous = NORMAL";
    assert_eq!(run(&mut session, set).await, QueryResult::default());
    run(&mut session, "BEGIN").await;
    let error = fail(&mut session, "PRAGMA synchronous = FULL").await;
    assert_eq!(
        error,
        "Safety level may not be changed inside a transaction"
    );
    run(&mut session, "INSERT INTO t VALUES (1)").await;
    run(&mut session, "COMMIT").await;
    assert_eq!(number(&mut session, "SELECT count(*) FROM t").await, 1);
    assert_eq!(number(&mut session, read).await, 1);
}

#[tokio::test]
async fn a_component_stays_in_its_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder).await.session();
    run(&mut session, "CREATE TABLE t (x)").await;
    let other = folder.path().join("other.db");
    let other = other.display();
    for sql in [
        format!("ATTACH '{other}' AS other"),
        format!("ATTACH 'file:{other}' AS other"),
        format!("VACUUM INTO '{other}'"),
        "SELECT load_extension('x')".into(),
        "PRAGMA writable_schema = ON".into(),
        "PRAGMA temp_store_directory = '/'".into(),
        "PRAGMA wal_checkpoint(TRUNCATE)".into(),
        "PRAGMA hard_heap_limit = 1".into(),
    ] {
        let error = fail(&mut session, &sql).await;
        assert!(error.contains("authoriz"), "{sql}: {error}");
    }
    let error = session
        .execute("ATTACH ?1 AS other", vec![text(&other.to_string())])
        .await;
    assert!(error.unwrap_err().to_string().contains("not authorized"));
    assert!(!folder.path().join("other.db").exists());
    run(&mut session, "VACUUM").await;
    run(&mut session, "PRAGMA user_version = 7").await;
    assert_eq!(number(&mut session, "PRAGMA user_version").await, 7);
    assert_eq!(
        run(&mut session, "PRAGMA table_info(t)").await.rows.len(),
        1
    );
    assert_eq!(
        run(&mut session, "PRAGMA integrity_check").await.rows,
        [[text("ok")]]
    );
}

#[tokio::test]
async fn settings_of_a_session_do_not_leak_to_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder).await;
    let mut session = database.session();
    run(&mut session, "CREATE TEMP TABLE mine (x)").await;
    run(&mut session, "INSERT INTO mine VALUES (1)").await;
    run(&mut session, "PRAGMA case_sensitive_like = ON").await;
    assert_eq!(number(&mut session, "SELECT count(*) FROM mine").await, 1);
    fail(&mut database.session(), "SELECT * FROM mine").await;
    drop(session);
    let mut next = database.session();
    fail(&mut next, "SELECT * FROM mine").await;
    assert_eq!(number(&mut next, "SELECT 'a' LIKE 'A'").await, 1);
}
