//! Wrong ways to use a transaction, and two right ones to see what they did to others.

use std::time::Duration;

use spin_sdk::http::{BoxBody, Response};
use spin_sdk::sqlite::{Connection, Error, Value};
use spin_sdk::time;

use crate::{failed, text};

/// Inserts one row, in a transaction of its own.
pub async fn write() -> Response<BoxBody> {
    answer(async {
        let connection = open().await?;
        insert(&connection).await?;
        Ok("written".to_owned())
    })
    .await
}

/// Answers how many rows were committed; writes nothing, so there must have been a `write` before.
pub async fn count() -> Response<BoxBody> {
    answer(async {
        let connection = Connection::open_default().await?;
        let rows = connection
            .execute("SELECT count(*) FROM trouble", [])
            .await?
            .collect()
            .await?;
        let count: i64 = rows.first().and_then(|row| row.get(0)).unwrap_or(-1);
        Ok(count.to_string())
    })
    .await
}

/// Begins a transaction, writes, waits `ms` milliseconds and goes without ending it.
pub async fn hold(ms: u64) -> Response<BoxBody> {
    answer(async {
        let connection = open().await?;
        run(&connection, "BEGIN IMMEDIATE").await?;
        insert(&connection).await?;
        time::sleep(Duration::from_millis(ms)).await;
        Ok("held".to_owned())
    })
    .await
}

/// As `hold`, but the connection itself stays open for as long as this instance lives.
pub async fn leak() -> Response<BoxBody> {
    answer(async {
        let connection = open().await?;
        run(&connection, "BEGIN IMMEDIATE").await?;
        insert(&connection).await?;
        std::mem::forget(connection);
        Ok("leaked".to_owned())
    })
    .await
}

/// Panics after writing inside a transaction.
pub async fn panic_inside_transaction() -> Response<BoxBody> {
    answer(async {
        let connection = open().await?;
        run(&connection, "BEGIN IMMEDIATE").await?;
        insert(&connection).await?;
        crate::misdeeds::panic()
    })
    .await
}

async fn answer(work: impl Future<Output = Result<String, Error>>) -> Response<BoxBody> {
    match work.await {
        Ok(body) => text(body),
        Err(error) => failed(error),
    }
}

async fn open() -> Result<Connection, Error> {
    let connection = Connection::open_default().await?;
    run(
        &connection,
        "CREATE TABLE IF NOT EXISTS trouble (id INTEGER PRIMARY KEY, note TEXT)",
    )
    .await?;
    Ok(connection)
}

async fn insert(connection: &Connection) -> Result<(), Error> {
    connection
        .execute(
            "INSERT INTO trouble (note) VALUES (?)",
            [Value::Text("written".to_owned())],
        )
        .await?
        .result()
        .await
}

async fn run(connection: &Connection, statement: &str) -> Result<(), Error> {
    connection.execute(statement, []).await?.result().await
}
