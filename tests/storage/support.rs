//! Short ways to open a database and to run a statement.

use kafka_host::storage::{Database, Options, QueryResult, Session, Value};
use std::{sync::Arc, thread};
use tempfile::TempDir;
use tokio::{runtime, task::JoinSet};

pub async fn open(folder: &TempDir) -> Arc<Database> {
    open_with(folder, Options::default()).await
}

pub async fn open_with(folder: &TempDir, options: Options) -> Arc<Database> {
    Database::open(&folder.path().join("test.db"), options)
        .await
        .unwrap()
}

pub async fn run(session: &mut Session, sql: &str) -> QueryResult {
    session
        .execute(sql, vec![])
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

pub async fn fail(session: &mut Session, sql: &str) -> String {
    match session.execute(sql, vec![]).await {
        Ok(result) => panic!("{sql}: {result:?}"),
        Err(error) => error.to_string(),
    }
}

pub async fn number(session: &mut Session, sql: &str) -> i64 {
    match run(session, sql).await.rows[0][0] {
        Value::Integer(number) => number,
        ref other => panic!("{sql}: {other:?}"),
    }
}

pub fn text(text: &str) -> Value {
    Value::Text(text.into())
}

/// Starts `count` tasks on each of two runtimes, as the server does, and waits for all of them.
pub fn on_two_threads<F: Future<Output = ()> + Send + 'static>(
    count: usize,
    task: impl Fn(usize) -> F + Sync,
) {
    thread::scope(|scope| {
        for half in 0..2 {
            let task = &task;
            scope.spawn(move || {
                let runtime = runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()
                    .unwrap();
                runtime.block_on(async {
                    let mut tasks = JoinSet::new();
                    for number in 0..count {
                        tasks.spawn(task(half * count + number));
                    }
                    while let Some(result) = tasks.join_next().await {
                        result.unwrap();
                    }
                });
            });
        }
    });
}

pub fn on_one_thread<F: Future>(task: F) -> F::Output {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(task)
}
