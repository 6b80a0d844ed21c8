//! Transactions that end otherwise than by `COMMIT`, and statements that do not end.

use crate::support::{fail, number, open, open_with, run};
use kafka_host::storage::{Error, Options};
use std::time::Duration;
use tokio::time::timeout;

#[tokio::test]
async fn a_dropped_session_rolls_back() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder).await;
    let mut session = database.session();
    run(&mut session, "CREATE TABLE t (x)").await;
    for begin in ["BEGIN", "BEGIN IMMEDIATE", "BEGIN EXCLUSIVE", "SAVEPOINT s"] {
        let mut dropped = database.session();
        run(&mut dropped, begin).await;
        run(&mut dropped, "INSERT INTO t VALUES (1)").await;
        assert_eq!(number(&mut dropped, "SELECT count(*) FROM t").await, 1);
        drop(dropped);
        assert_eq!(
            number(&mut session, "SELECT count(*) FROM t").await,
            0,
            "{begin}"
        );
    }
    run(&mut session, "INSERT INTO t VALUES (1)").await;
}

#[tokio::test]
async fn savepoints_nest() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder).await.session();
    run(&mut session, "CREATE TABLE t (x)").await;
    for sql in [
        "SAVEPOINT a",
        "INSERT INTO t VALUES (1)",
        "SAVEPOINT b",
        "INSERT INTO t VALUES (2)",
        "ROLLBACK TO b",
        "RELEASE a",
    ] {
        run(&mut session, sql).await;
    }
    assert_eq!(number(&mut session, "SELECT sum(x) FROM t").await, 1);
}

#[tokio::test]
async fn a_forgotten_transaction_does_not_stop_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let limit = Duration::from_millis(300);
    let options = Options {
        transaction_limit: limit,
        ..Options::default()
    };
    let database = open_with(&folder, options).await;
    let mut session = database.session();
    run(&mut session, "CREATE TABLE t (x)").await;
    run(&mut session, "BEGIN").await;
    run(&mut session, "INSERT INTO t VALUES (1)").await;
    let mut other = database.session();
    let insert = other.execute("INSERT INTO t VALUES (2)", vec![]);
    timeout(Duration::from_secs(60), insert)
        .await
        .unwrap()
        .unwrap();
    let error = session
        .execute("INSERT INTO t VALUES (3)", vec![])
        .await
        .unwrap_err();
    assert!(matches!(error, Error::TransactionExpired(_)), "{error}");
    // The error was returned, and it is an ordinary session again.
    assert_eq!(number(&mut session, "SELECT sum(x) FROM t").await, 2);
    assert_eq!(
        fail(&mut session, "COMMIT").await,
        "cannot commit - no transaction is active"
    );
}

#[tokio::test]
async fn an_endless_statement_is_interrupted() {
    let folder = tempfile::tempdir().unwrap();
    let statement_limit = Duration::from_millis(200);
    let database = open_with(
        &folder,
        Options {
            statement_limit,
            ..Options::default()
        },
    )
    .await;
    let mut session = database.session();
    let endless =
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";
    assert_eq!(fail(&mut session, endless).await, "interrupted");
    assert_eq!(number(&mut session, "SELECT 1").await, 1);
}
