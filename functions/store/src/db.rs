//! All SQL goes through here: statements, transactions, connections, and the migrations before the first of them.
//!
//! What it guarantees (docs/decisions.md#write-transactions):
//!
//! * a connection does one thing at a time: its rows are drained before the next statement, and a transaction has it
//!   alone;
//! * only an idle connection is used again. One whose request was dropped in the middle of a statement or a
//!   transaction is closed, which rolls back;
//! * a transaction begins with `BEGIN IMMEDIATE`, so that it never fails half-way for want of the write lock;
//! * a statement outside of a transaction that finds the database busy is tried again for a while, and so is a `BEGIN`
//!   (docs/decisions.md#a-busy-database-is-asked-again);
//! * the schema is current before the first statement of an instance;
//! * what is committed is on the disk before the answer, except through a connection that was asked for without that
//!   (docs/decisions.md#pieces-of-a-reply-are-not-waited-for).
//!
//! It offers neither `changes()` nor `last_insert_rowid()`, which are always 0 over libSQL: write `RETURNING`. One
//! statement per call: a host runs the first of several and drops the rest without a word.

mod error;
mod idle;
mod migrate;
mod param;
mod read;
mod retry;
mod row;

use std::sync::Arc;

use serde::de::DeserializeOwned;
pub use spin_sdk::sqlite::Value;
use spin_sdk::sqlite::{self, Connection, QueryResult};
use spin_sdk::time::sleep;

pub use self::error::Error;
use self::idle::{Idle, Open};
pub use self::param::Param;
pub use self::row::Row;

/// What a database operation returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// The parameters of a statement, in order: `params![name, size, None::<i64>]`.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::db::Param::into_value($value)),*]
    };
}

/// What [`Db`] and [`Transaction`] both offer on top of `query`.
macro_rules! on_top_of_query {
    () => {
        /// Like [`Self::query`], for a statement of at most one row.
        pub async fn query_one(
            &mut self,
            sql: &str,
            parameters: Vec<Value>,
        ) -> Result<Option<Row>> {
            Ok(self.query(sql, parameters).await?.into_iter().next())
        }

        /// Runs a statement and reads its rows into structs, whose fields have the names of columns.
        pub async fn query_as<T: DeserializeOwned>(
            &mut self,
            sql: &str,
            parameters: Vec<Value>,
        ) -> Result<Vec<T>> {
            let rows = self.query(sql, parameters).await?;
            let read = rows.into_iter().map(|mut row| row.read());
            read.collect::<Result<_>>()
                .map_err(|error| error.in_statement(sql))
        }

        /// Like [`Self::query_as`], for a statement of at most one row.
        pub async fn query_one_as<T: DeserializeOwned>(
            &mut self,
            sql: &str,
            parameters: Vec<Value>,
        ) -> Result<Option<T>> {
            Ok(self.query_as(sql, parameters).await?.into_iter().next())
        }

        /// Like [`Self::query`], for a statement without rows.
        pub async fn execute(&mut self, sql: &str, parameters: Vec<Value>) -> Result<()> {
            self.query(sql, parameters).await.map(drop)
        }
    };
}

/// The database, for one unit of work at a time. Cheap to open: it takes an idle connection of this instance if there
/// is one, and gives it back when dropped.
pub struct Db {
    /// `None` while a statement or a transaction has it, or after one of them was abandoned.
    connection: Option<Connection>,
    /// Whether its commits are on the disk when they are answered.
    is_flushed: bool,
    /// Where it is from, and goes back to.
    idle: &'static Idle,
}

impl Db {
    /// Opens the database, whose schema is current afterwards.
    pub async fn open() -> Result<Self> {
        Self::open_from(&idle::FLUSHED).await
    }

    /// The same for what a power cut may take: no flush is waited for, where the host allows that. What is committed so
    /// is on the disk with the next commit of another connection.
    pub async fn open_unflushed() -> Result<Self> {
        Self::open_from(&idle::UNFLUSHED).await
    }

    /// Whether a commit through this is on the disk when it is answered.
    pub fn is_flushed(&self) -> bool {
        self.is_flushed
    }

    async fn open_from(idle: &'static Idle) -> Result<Self> {
        let Open {
            connection,
            is_flushed,
        } = idle.connect().await?;
        let mut db = Self {
            connection: Some(connection),
            is_flushed,
            idle,
        };
        migrate::ensure_current(&mut db).await?;
        Ok(db)
    }

    /// Runs a statement that is a read or a transaction of its own, and returns its rows.
    pub async fn query(&mut self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>> {
        let mut pauses = retry::Pauses::begin();
        loop {
            let connection = match self.connection.take() {
                Some(connection) => connection,
                None => {
                    let open = self.idle.connect().await?;
                    self.is_flushed = open.is_flushed;
                    open.connection
                }
            };
            let slot = &mut self.connection;
            let error = match run(slot, connection, sql, parameters.clone()).await {
                Ok(rows) => return Ok(rows),
                Err(error) => error,
            };
            // Neither has done anything: the one has waited in vain, the other is unknown to the server.
            let is_undone = matches!(error, Error::Busy(_) | Error::Forgotten(_));
            let Some(pause) = is_undone.then(|| pauses.next()).flatten() else {
                return Err(error);
            };
            tracing::info!("a statement is tried again: {error}");
            sleep(pause).await;
        }
    }

    on_top_of_query!();

    /// Begins a transaction. It has the write lock until it ends, so it must not wait for a client or an upstream.
    pub async fn begin(&mut self) -> Result<Transaction<'_>> {
        self.execute("BEGIN IMMEDIATE", Vec::new()).await?;
        let connection = self.connection.take();
        Ok(Transaction {
            db: self,
            connection,
        })
    }
}

impl Drop for Db {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let is_flushed = self.is_flushed;
            self.idle.put(Open {
                connection,
                is_flushed,
            });
        }
    }
}

/// A transaction. Dropped without [`Self::commit`] it closes its connection, which undoes it and lets the next writer
/// in at once.
pub struct Transaction<'db> {
    db: &'db mut Db,
    connection: Option<Connection>,
}

impl<'db> Transaction<'db> {
    /// Undoes everything since [`Db::begin`], lets the next writer in, and returns the database.
    pub fn abandon(self) -> &'db mut Db {
        self.db
    }

    /// Runs a statement and returns its rows.
    pub async fn query(&mut self, sql: &str, parameters: Vec<Value>) -> Result<Vec<Row>> {
        // Never a new connection: the statement would run outside the transaction.
        let connection = self.connection.take().ok_or_else(Error::abandoned)?;
        run(&mut self.connection, connection, sql, parameters).await
    }

    on_top_of_query!();

    /// Makes everything since [`Db::begin`] permanent.
    pub async fn commit(mut self) -> Result<()> {
        self.execute("COMMIT", Vec::new()).await?;
        self.db.connection = self.connection.take();
        Ok(())
    }
}

/// This instance need not look whether the schema is current: one of the same program has, just before it called this one.
pub fn schema_is_current() {
    migrate::is_current();
}

/// The newest migration that this program has; a current database has it, too.
pub fn newest_migration() -> i64 {
    migrate::newest()
}

/// Runs one statement to its last row, then puts `connection` into `slot`, where the next statement finds it. A future
/// that is dropped half-way takes the connection along, and so does an error that leaves its state unclear.
async fn run(
    slot: &mut Option<Connection>,
    connection: Connection,
    sql: &str,
    parameters: Vec<Value>,
) -> Result<Vec<Row>> {
    let result = match connection.execute(sql, parameters).await {
        Ok(answer) => drain(answer).await,
        Err(error) => Err(error),
    };
    match result {
        Ok(rows) => {
            *slot = Some(connection);
            Ok(rows)
        }
        Err(error) => {
            let error = Error::from(error);
            if error.is_constraint() {
                *slot = Some(connection);
            }
            Err(error)
        }
    }
}

/// All rows of an answer, or why there are not all.
async fn drain(answer: QueryResult) -> Result<Vec<Row>, sqlite::Error> {
    let (columns, rows, result) = answer.into_inner();
    // Without columns there are no rows, and asking for them is as dear as the statement.
    let drained = if columns.is_empty() {
        Vec::new()
    } else {
        rows.collect().await
    };
    result.await?;
    let columns: Arc<[String]> = columns.into();
    let row = |values| Row {
        columns: Arc::clone(&columns),
        values,
        next: 0,
    };
    Ok(drained.into_iter().map(|found| row(found.values)).collect())
}

/// The rows of a `VALUES` clause: `rows_of(2, 3)` is `(?,?,?),(?,?,?)`. For inserting a few things of one request in
/// one statement; SQLite allows 32,766 parameters.
pub fn rows_of(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(","));
    vec![row; rows].join(",")
}
