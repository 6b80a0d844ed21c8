//! A statement means the same on a server as on a file.

use std::sync::Arc;

use http::{HeaderValue, Uri};
use kafka_host::outbound::dial::Dialer;
use kafka_host::remote::{Address, Remote};
use kafka_host::storage::{Database, Options, Value};
use kafka_host::stores::{Session, Source};

use crate::support::{Fault, Hrana};

/// What the server asks for.
fn address_of(server: &Hrana) -> Address {
    let url: Uri = server.url().parse().expect("a URL");
    let token = HeaderValue::try_from(format!("Bearer {}", Hrana::TOKEN)).expect("a header");
    Address { url, token }
}

fn remote(server: &Hrana) -> Source {
    let dialer = Dialer::new(None).expect("the usual authorities");
    Source::Server(Remote::new(address_of(server), Arc::new(dialer)))
}

async fn text_of(session: &mut Session, sql: &str, parameters: Vec<Value>) -> String {
    match session.execute(sql, parameters).await {
        Ok(result) => format!("{result:?}"),
        Err(error) => error,
    }
}

#[tokio::test]
async fn rows_and_refusals_are_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Hrana::start(&folder.path().join("server.db"));
    let path = folder.path().join("file.db");
    let file = Database::open(&path, Options::default());
    let file = Source::File(file.await.expect("it opens"));
    let (mut here, mut there) = (file.session(), remote(&server).session());
    let text = |text: &str| Value::Text(text.to_owned());
    let statements = [
        ("CREATE TABLE t (a PRIMARY KEY, b)", vec![]),
        (
            "INSERT INTO t VALUES (?1, ?2), (?3, ?4), (?5, ?6) RETURNING *",
            vec![
                Value::Integer(i64::MIN),
                Value::Real(0.1 + 0.2),
                text("a \"quoted\" text, ü and 🦀\n"),
                Value::Blob((0..=255).collect()),
                Value::Integer(i64::MAX),
                Value::Null,
            ],
        ),
        (
            "SELECT a, b AS other, typeof(b), 'x' FROM t ORDER BY rowid",
            vec![],
        ),
        ("SELECT 1.0, 1e300, 5e-324, -0.0, ''", vec![]),
        ("SELECT x'' AS empty, 1 AS empty", vec![]),
        ("SELECT a FROM t WHERE a = ?1", vec![text("none")]),
        (
            "UPDATE t SET b = ?1",
            vec![Value::Real(-123.456_789_012_345_67)],
        ),
        ("SELECT b FROM t", vec![]),
    ];
    for (sql, parameters) in statements {
        let local = text_of(&mut here, sql, parameters.clone()).await;
        assert_eq!(text_of(&mut there, sql, parameters).await, local, "{sql}");
        if !sql.starts_with("SELECT") {
            assert_eq!(there.changes(), here.changes(), "{sql}");
        }
        assert_eq!(there.last_insert_rowid(), here.last_insert_rowid());
    }
    // What components read of a refusal is in both.
    for (sql, part) in [
        (
            "INSERT INTO t (a) VALUES (?1)",
            "UNIQUE constraint failed: t.a",
        ),
        (
            "SELECT * FROM missing WHERE a = ?1",
            "no such table: missing",
        ),
    ] {
        for session in [&mut here, &mut there] {
            let error = text_of(session, sql, vec![Value::Integer(i64::MAX)]).await;
            assert!(error.contains(part), "{error}");
        }
    }
}

#[tokio::test]
async fn each_statement_is_one_request_and_a_dropped_session_rolls_back() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Hrana::start(&folder.path().join("server.db"));
    let database = remote(&server);
    let mut session = database.session();
    for sql in [
        "CREATE TABLE t (a)",
        "BEGIN IMMEDIATE",
        "INSERT INTO t VALUES (1)",
        "SELECT * FROM t",
    ] {
        text_of(&mut session, sql, vec![]).await;
    }
    assert_eq!(server.asked(), (4, 4));
    assert_eq!(server.open_streams(), 1);
    drop(session);
    // It waits for the lock that the other had, not for the end of its time.
    let mut session = database.session();
    let begun = std::time::Instant::now();
    let inserted = text_of(&mut session, "INSERT INTO t VALUES (2) RETURNING a", vec![]).await;
    assert!(inserted.contains("Integer(2)"), "{inserted}");
    assert!(begun.elapsed() < std::time::Duration::from_secs(4));
    let rows = text_of(&mut session, "SELECT a FROM t", vec![]).await;
    assert!(!rows.contains("Integer(1)"), "{rows}");
}

#[tokio::test]
async fn a_session_whose_transaction_is_lost_does_nothing_outside_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let server = Hrana::start(&folder.path().join("server.db"));
    let database = remote(&server);
    server.hurry();
    for fault in [
        Fault::Cut,
        Fault::CutAfter,
        Fault::CutInside,
        Fault::Status(500),
        Fault::Forgotten,
    ] {
        let mut session = database.session();
        text_of(&mut session, "CREATE TABLE IF NOT EXISTS t (a)", vec![]).await;
        text_of(&mut session, "BEGIN IMMEDIATE", vec![]).await;
        server.fail("VALUES (1)", fault);
        for sql in [
            "INSERT INTO t VALUES (1)",
            "INSERT INTO t VALUES (2)",
            "COMMIT",
        ] {
            let result = session.execute(sql, vec![]).await;
            assert!(result.is_err(), "{fault:?}: {sql} gives {result:?}");
        }
        drop(session);
        let mut session = database.session();
        let count = text_of(&mut session, "SELECT count(*) FROM t", vec![]).await;
        assert!(count.contains("Integer(0)"), "{fault:?}: {count}");
        // Outside of a transaction a session goes on.
        server.fail("SELECT 3", fault);
        assert!(session.execute("SELECT 3", vec![]).await.is_err());
        let again = text_of(&mut session, "SELECT 3", vec![]).await;
        assert!(again.contains("Integer(3)"), "{fault:?}: {again}");
    }
}
