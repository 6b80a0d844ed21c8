//! Short ways to open a database and to run a statement.

use kafka_host::storage::{Database, Options, QueryResult, Session, Value};
use std::{sync::Arc, thread};
use tempfile::TempDir;
use tokio::{runtime, task::JoinSet};

/// A database in `folder`, as the host opens it.
pub async fn open(folder: &TempDir) -> Arc<Database> {
    open_with(folder, Options::default()).await
}

/// A database in `folder` with other options.
pub async fn open_with(folder: &TempDir, options: Options) -> Arc<Database> {
    Database::open(&folder.path().join("test.db"), options)
        .await
        .unwrap()
}

/// Runs a statement that has to succeed.
pub async fn run(session: &mut Session, sql: &str) -> QueryResult {
    session
        .execute(sql, vec![])
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"))
}

/// Runs a statement that has to fail, and returns its error.
pub async fn fail(session: &mut Session, sql: &str) -> String {
    match session.execute(sql, vec![]).await {
        Ok(result) => panic!("{sql}: {result:?}"),
        Err(error) => error.to_string(),
    }
}

/// The number that a statement returns.
pub async fn number(session: &mut Session, sql: &str) -> i64 {
    match run(session, sql).await.rows[0][0] {
        Value::Integer(number) => number,
        ref other => panic!("{sql}: {other:?}"),
    }
}

/// A text value.
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

/// Runs a task on a runtime like those of the server.
pub fn on_one_thread<F: Future>(task: F) -> F::Output {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(task)
}
