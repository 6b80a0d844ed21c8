//! Values, errors, parameters, prepared statements.

use crate::support::{fail, number, open, open_with, run, text};
use kafka_host::storage::{Error, Options, Value};

#[tokio::test]
async fn values_come_back_as_they_went_in() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder).await.session();
    run(
        &mut session,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, value)",
    )
    .await;
    let values = [
        Value::Null,
        Value::Integer(i64::MIN),
        Value::Real(0.1),
        text(""),
        text("a\0b – \u{1f980}"),
        Value::Blob(vec![]),
        Value::Blob((0..=255).collect()),
    ];
    for value in values {
        let insert = "INSERT INTO t (value) VALUES (?1) RETURNING value AS echo";
        let result = session.execute(insert, vec![value.clone()]).await.unwrap();
        assert_eq!(result.columns, ["echo"]);
        assert_eq!(result.rows, [[value.clone()]]);
        let id = Value::Integer(session.last_insert_rowid());
        let stored = session
            .execute("SELECT value FROM t WHERE id = ?1", vec![id])
            .await
            .unwrap();
        assert_eq!(stored.rows, [[value]]);
        assert_eq!(session.changes(), 1);
    }
    let error = fail(&mut session, "SELECT CAST(x'ff' AS TEXT)").await;
    assert_eq!(error, "the text in column 0 is not valid UTF-8");
}

/// Else a statement is prepared again for each new value, which may take longer than it does.
#[tokio::test]
async fn a_plan_does_not_depend_on_parameters() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder).await.session();
    run(&mut session, "CREATE TABLE t (a, b)").await;
    run(&mut session, "CREATE INDEX part ON t (a) WHERE b = 1").await;
    for value in [1, 2] {
        let sql = "EXPLAIN QUERY PLAN SELECT a FROM t WHERE a = 5 AND b = ?1";
        let plan = session.execute(sql, vec![Value::Integer(value)]).await;
        assert_eq!(plan.unwrap().rows[0][3], text("SCAN t"), "{value}");
    }
}

#[tokio::test]
async fn errors_are_worded_as_in_spin() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder).await.session();
    run(
        &mut session,
        "CREATE TABLE user (id INTEGER PRIMARY KEY, email TEXT UNIQUE)",
    )
    .await;
    run(&mut session, "INSERT INTO user VALUES (1, 'a')").await;
    for (sql, message) in [
        (
            "INSERT INTO user VALUES (2, 'a')",
            "UNIQUE constraint failed: user.email",
        ),
        (
            "SELEC 1",
            "near \"SELEC\": syntax error in SELEC 1 at offset 0",
        ),
        ("SELECT * FROM missing", "no such table: missing"),
        ("SELECT x", "no such column: x in SELECT x at offset 7"),
        (
            "SELECT ?1",
            "Wrong number of parameters passed to query. Got 0, needed 1",
        ),
        ("", "the statement is empty"),
        ("-- nothing", "the statement is empty"),
    ] {
        assert_eq!(fail(&mut session, sql).await, message);
    }
}

#[tokio::test]
async fn parameters_are_counted_and_never_reused() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder).await.session();
    run(&mut session, "CREATE TABLE t (a UNIQUE, b)").await;
    let insert = "INSERT INTO t VALUES (?1, ?2)";
    let both = || vec![text("a"), text("b")];
    session.execute(insert, both()).await.unwrap();
    for parameters in [vec![], vec![text("x")], vec![text("x"); 3]] {
        let error = session.execute(insert, parameters).await.unwrap_err();
        assert!(
            matches!(error, Error::Parameters { needed: 2, .. }),
            "{error}"
        );
    }
    // The same prepared statement after a failure, and with other values.
    session.execute(insert, both()).await.unwrap_err();
    session
        .execute(insert, vec![text("c"), Value::Null])
        .await
        .unwrap();
    let rows = run(&mut session, "SELECT a, b FROM t ORDER BY a")
        .await
        .rows;
    assert_eq!(rows, [both(), vec![text("c"), Value::Null]]);
}

#[tokio::test]
async fn only_the_first_of_several_statements_runs() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder).await.session();
    run(&mut session, "CREATE TABLE a (x); CREATE TABLE b (x)").await;
    assert_eq!(
        number(&mut session, "SELECT count(*) FROM sqlite_schema").await,
        1
    );
}

#[tokio::test]
async fn more_statements_than_the_cache_holds() {
    let folder = tempfile::tempdir().unwrap();
    let mut session = open(&folder).await.session();
    for round in 0..2 {
        for number_ in 0..300 {
            let sql = format!("SELECT {number_}");
            assert_eq!(number(&mut session, &sql).await, number_, "round {round}");
        }
    }
}

#[tokio::test]
async fn cached_statements_survive_a_changed_schema() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder).await;
    let mut reader = database.session();
    run(&mut reader, "CREATE TABLE t (a)").await;
    run(&mut reader, "INSERT INTO t VALUES (1)").await;
    assert_eq!(run(&mut reader, "SELECT * FROM t").await.columns, ["a"]);
    // Keeps the reader's connection busy, so that the schema is changed through another one.
    let mut other = database.session();
    run(&mut other, "BEGIN IMMEDIATE").await;
    run(&mut reader, "SELECT * FROM t").await;
    run(&mut other, "ALTER TABLE t ADD COLUMN b DEFAULT 2").await;
    assert_eq!(run(&mut reader, "SELECT * FROM t").await.columns, ["a"]);
    run(&mut other, "COMMIT").await;
    let result = run(&mut reader, "SELECT * FROM t").await;
    assert_eq!(result.columns, ["a", "b"]);
    assert_eq!(result.rows, [[Value::Integer(1), Value::Integer(2)]]);
}

#[tokio::test]
async fn results_are_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let result_limit = 1024 * 1024;
    let mut session = open_with(
        &folder,
        Options {
            result_limit,
            ..Options::default()
        },
    )
    .await
    .session();
    let rows = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000) SELECT * FROM n";
    assert_eq!(
        fail(&mut session, rows).await,
        "query result exceeds limit of 1048576 bytes"
    );
    assert_eq!(
        fail(&mut session, "SELECT zeroblob(1000000000)").await,
        "string or blob too big"
    );
    assert_eq!(number(&mut session, "SELECT 1").await, 1);
}
