//! Many writers at once: none fails, none starves, no write is lost.

use crate::support::{number, on_one_thread, on_two_threads, open, run};
use futures::FutureExt;
use kafka_host::storage::Value;
use std::{fs, pin::pin, time::Duration};
use tokio::{
    task::{JoinSet, yield_now},
    time::timeout,
};

#[test]
fn fifty_writers_never_fail() {
    const WRITES: i64 = 1000;
    let folder = tempfile::tempdir().unwrap();
    let database = on_one_thread(async {
        let database = open(&folder).await;
        run(
            &mut database.session(),
            "CREATE TABLE t (writer, number, PRIMARY KEY (writer, number))",
        )
        .await;
        database
    });
    on_two_threads(25, |writer| {
        let database = database.clone();
        async move {
            for number_ in 0..WRITES {
                let values = vec![Value::Integer(writer as i64), Value::Integer(number_)];
                let mut session = database.session();
                session
                    .execute("INSERT INTO t VALUES (?1, ?2)", values.clone())
                    .await
                    .unwrap();
                if number_ % 100 == 0 {
                    let read = "SELECT count(*) FROM t WHERE writer = ?1 AND number <= ?2";
                    let rows = session.execute(read, values).await.unwrap().rows;
                    assert_eq!(
                        rows,
                        [[Value::Integer(number_ + 1)]],
                        "one reads what one wrote"
                    );
                }
            }
        }
    });
    let count =
        on_one_thread(async { number(&mut database.session(), "SELECT count(*) FROM t").await });
    assert_eq!(count, 50 * WRITES);
    let log = fs::metadata(folder.path().join("test.db-wal")).unwrap();
    assert!(
        log.len() < 128 << 20,
        "the log begins again though writers don't pause: {} bytes",
        log.len()
    );
}

#[test]
fn interleaved_transactions_lose_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let database = on_one_thread(async {
        let database = open(&folder).await;
        let mut session = database.session();
        run(&mut session, "CREATE TABLE counter (value)").await;
        run(&mut session, "INSERT INTO counter VALUES (0)").await;
        database
    });
    on_two_threads(8, |writer| {
        let database = database.clone();
        async move {
            let begin = ["BEGIN", "BEGIN IMMEDIATE"][writer % 2];
            for round in 0..50 {
                let mut session = database.session();
                run(&mut session, begin).await;
                let value = number(&mut session, "SELECT value FROM counter").await;
                yield_now().await;
                let update = "UPDATE counter SET value = ?1";
                session
                    .execute(update, vec![Value::Integer(value + 1)])
                    .await
                    .unwrap();
                run(
                    &mut session,
                    if round % 5 == 4 { "ROLLBACK" } else { "COMMIT" },
                )
                .await;
            }
        }
    });
    let count =
        on_one_thread(async { number(&mut database.session(), "SELECT value FROM counter").await });
    assert_eq!(count, 16 * 40);
}

#[tokio::test]
async fn writers_get_their_turn_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder).await;
    let mut session = database.session();
    run(
        &mut session,
        "CREATE TABLE t (id INTEGER PRIMARY KEY, writer)",
    )
    .await;
    run(&mut session, "BEGIN IMMEDIATE").await;
    let mut writers = JoinSet::new();
    for writer in 0..20 {
        let mut waiting = database.session();
        writers.spawn(async move {
            waiting
                .execute(
                    "INSERT INTO t (writer) VALUES (?1)",
                    vec![Value::Integer(writer)],
                )
                .await
                .unwrap();
        });
        yield_now().await;
    }
    // Readers don't queue.
    assert_eq!(
        number(&mut database.session(), "SELECT count(*) FROM t").await,
        0
    );
    run(&mut session, "COMMIT").await;
    while let Some(result) = writers.join_next().await {
        result.unwrap();
    }
    let order = run(&mut session, "SELECT writer FROM t ORDER BY id")
        .await
        .rows;
    let expected: Vec<Vec<Value>> = (0..20).map(|writer| vec![Value::Integer(writer)]).collect();
    assert_eq!(order, expected);
}

/// The task of a writer may have to wait long for its thread. Were the lock handed to it meanwhile, a thousand writers
/// would wait a thousand times as long.
#[tokio::test]
async fn a_writer_whose_thread_is_busy_keeps_no_other_waiting() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder).await;
    let (mut transaction, mut busy) = (database.session(), database.session());
    run(&mut transaction, "CREATE TABLE t (value)").await;
    run(&mut transaction, "BEGIN IMMEDIATE").await;
    let mut waits_first = pin!(run(&mut busy, "INSERT INTO t VALUES (1)"));
    assert!((&mut waits_first).now_or_never().is_none());
    let other = database.clone();
    let waits_second = tokio::spawn(async move {
        run(&mut other.session(), "INSERT INTO t VALUES (2)").await;
    });
    yield_now().await;
    run(&mut transaction, "COMMIT").await;
    timeout(Duration::from_secs(30), waits_second)
        .await
        .expect("it waits for the transaction only")
        .unwrap();
    waits_first.await;
    assert_eq!(number(&mut transaction, "SELECT count(*) FROM t").await, 2);
}
