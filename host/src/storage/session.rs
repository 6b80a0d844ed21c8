//! One component's connection.
//!
//! A session has no SQLite connection of its own while it does nothing: it borrows one for each statement. It keeps one
//! while a transaction is open, or after a statement that leaves something behind in the connection (a temporary
//! table, a setting).
//!
//! Transactions wait in a queue, first come, first served: the lock is taken before any `BEGIN` and given back when no
//! transaction is open any more. A writing statement outside a transaction waits for the transactions before it; among
//! themselves such statements take turns without a queue. So SQLite never sees two writers at a time: no statement gets
//! `database is locked`, and statements can run on the thread that asked for them without blocking it in SQLite's own
//! wait.
//!
//! What a commit waits for is the session's own choice (`PRAGMA synchronous`, SQLite's words for it): for a flush, or,
//! at `NORMAL`, for nothing. The connections, which sessions share, have no part in that.

use super::{
    Database, Error, QueryResult, Value,
    pool::{Pool, Pooled, Ran},
    sqlite::{Level, Prepared, Synchronous},
};
use crate::metrics::OfOneDatabase;
use parking_lot::{ArcMutexGuard, Mutex, RawMutex};
use std::{
    mem,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

/// The right to write; given back when dropped.
pub(super) enum WriteLock {
    /// No other session writes.
    Alone(#[expect(dead_code, reason = "held, not read")] OwnedRwLockWriteGuard<()>),
    /// No other session writes, and no transaction is open. Only for as long as one statement runs.
    Turn(
        #[expect(dead_code, reason = "held, not read")] ArcMutexGuard<RawMutex, ()>,
        #[expect(dead_code, reason = "held, not read")] OwnedRwLockReadGuard<()>,
    ),
}

/// A connection as a component sees it. Dropping it rolls an open transaction back.
pub struct Session {
    database: Arc<Database>,
    slot: Arc<Slot>,
    synchronous: Synchronous,
    changes: u64,
    last_insert_rowid: i64,
}

/// The state of a session between statements, which the watchdog sees too.
#[derive(Default)]
pub(super) struct Slot(Mutex<Kept>);

#[derive(Default)]
enum Kept {
    #[default]
    Nothing,
    /// A connection that can't be used by others any more.
    Private(Pooled),
    Transaction(Transaction),
    /// The watchdog rolled the transaction back; the next statement fails with that error.
    Expired,
}

struct Transaction {
    connection: Pooled,
    /// Given back when the transaction is dropped, after the connection is out of it.
    lock: Option<WriteLock>,
    since: Instant,
    wrote: bool,
    private: bool,
}

impl Slot {
    /// Rolls the transaction back if it has been open for longer than `limit`. Does nothing while a statement runs.
    pub(super) fn expire(&self, pool: &Pool, limit: Duration) {
        let Some(mut kept) = self.0.try_lock() else {
            return;
        };
        if matches!(&*kept, Kept::Transaction(open) if open.since.elapsed() > limit)
            && let Kept::Transaction(open) = mem::replace(&mut *kept, Kept::Expired)
        {
            tracing::warn!("a transaction was open for more than {limit:?} and was rolled back");
            open.abandon(pool);
        }
    }
}

impl Transaction {
    /// Rolls back and returns the connection to the pool. One that can't even roll back is closed instead.
    fn abandon(mut self, pool: &Pool) {
        match self.connection.roll_back() {
            Ok(()) if !self.private => pool.put(self.connection),
            Ok(()) => {}
            Err(error) => tracing::warn!("can't roll back, closing the connection: {error}"),
        }
    }
}

/// The result of a statement.
enum Attempt {
    /// It ran, and its effects, if any, are as durable as they are after its transaction.
    Ran(Result<QueryResult, Error>),
    /// It ran, and what it saw and wrote must be durable before its result is given out.
    Committed(QueryResult),
    /// It was not tried: it needs the write lock first, for a transaction if it begins one.
    NeedsLock { begins: bool },
}

impl Session {
    pub(super) fn new(database: Arc<Database>) -> Self {
        Self {
            database,
            slot: Arc::default(),
            synchronous: Synchronous::Full,
            changes: 0,
            last_insert_rowid: 0,
        }
    }

    /// Runs one statement; with several in `sql`, the first, as Spin does. Parameters are for `?1`, `?2`… in order.
    ///
    /// Returns when what the statement committed is durable (see [`Durability`](super::Durability)). Inside a
    /// transaction that is at its `COMMIT`. After `PRAGMA synchronous = NORMAL` that is not waited for.
    ///
    /// # Errors
    /// An error of SQLite, a wrong number of parameters, a result that is too large, or a transaction that was open for
    /// too long and has been rolled back.
    pub async fn execute(
        &mut self,
        sql: &str,
        parameters: Vec<Value>,
    ) -> Result<QueryResult, Error> {
        let begun = Instant::now();
        let result = self.run_durably(sql, &parameters).await;
        if let Some(metrics) = self.database.metrics() {
            metrics.statement(begun.elapsed(), result.is_err());
        }
        if result.as_ref().is_err_and(Error::is_full) {
            self.database.ran_out();
        }
        result
    }

    async fn run_durably(&mut self, sql: &str, parameters: &[Value]) -> Result<QueryResult, Error> {
        let mut attempt = self.attempt(sql, parameters, None)?;
        if let Attempt::NeedsLock { begins } = attempt {
            let waits = self.database.metrics().map(OfOneDatabase::waits);
            let lock = match begins {
                true => self.database.lock_writers().await,
                false => self.database.lock_turn().await,
            };
            drop(waits);
            attempt = self.attempt(sql, parameters, Some(lock))?;
        }
        match attempt {
            Attempt::Ran(result) => result,
            Attempt::Committed(result) => self.database.durable().await.map(|()| result),
            // It was tried with the lock, so this can't be.
            Attempt::NeedsLock { .. } => Err(Error::Stopped),
        }
    }

    /// Rows that the last `INSERT`, `UPDATE` or `DELETE` of this session changed.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes
    }

    /// The rowid of the row that this session inserted last.
    #[must_use]
    pub fn last_insert_rowid(&self) -> i64 {
        self.last_insert_rowid
    }

    fn attempt(
        &mut self,
        sql: &str,
        parameters: &[Value],
        lock: Option<WriteLock>,
    ) -> Result<Attempt, Error> {
        let slot = self.slot.clone();
        let mut kept = slot.0.lock();
        let limits = &self.database.options();
        let pool = self.database.pool();
        let (connection, private) = match mem::take(&mut *kept) {
            Kept::Nothing => (pool.take()?, false),
            Kept::Private(connection) => (connection, true),
            Kept::Expired => return Err(Error::TransactionExpired(limits.transaction_limit)),
            Kept::Transaction(open) if open.since.elapsed() > limits.transaction_limit => {
                open.abandon(pool);
                return Err(Error::TransactionExpired(limits.transaction_limit));
            }
            Kept::Transaction(open) => {
                return Ok(self.continue_transaction(&mut kept, open, sql, parameters));
            }
        };
        let mut open = Transaction {
            connection,
            lock,
            since: Instant::now(),
            wrote: false,
            private,
        };
        let prepared = match open.connection.prepare(sql) {
            Ok(prepared) => prepared,
            Err(error) => {
                *kept = self.put_back(open);
                return Err(error);
            }
        };
        let class = prepared.class();
        if class.needs_lock() && open.lock.is_none() {
            if !class.begins() {
                open.lock = self.database.try_lock_writers();
            }
            if open.lock.is_none() {
                *kept = self.put_back(open);
                return Ok(Attempt::NeedsLock {
                    begins: class.begins(),
                });
            }
        }
        Ok(self.run(&mut kept, open, prepared, parameters))
    }

    /// Runs a statement in the open transaction.
    fn continue_transaction(
        &mut self,
        kept: &mut Kept,
        mut open: Transaction,
        sql: &str,
        parameters: &[Value],
    ) -> Attempt {
        match open.connection.prepare(sql) {
            Ok(prepared) => self.run(kept, open, prepared, parameters),
            Err(error) => {
                *kept = self.keep(open);
                Attempt::Ran(Err(error))
            }
        }
    }

    /// Runs a statement in the open transaction, or, if none is open, in one of its own.
    fn run(
        &mut self,
        kept: &mut Kept,
        mut open: Transaction,
        prepared: Prepared,
        parameters: &[Value],
    ) -> Attempt {
        let class = prepared.class();
        if let Some(level) = class.level() {
            let is_in_transaction = !open.connection.is_autocommit();
            *kept = self.keep(open);
            return Attempt::Ran(self.level(level, is_in_transaction));
        }
        let limit = self.database.options().result_limit;
        let Ran { result, wrote } = open.connection.run(prepared, parameters, limit);
        self.changes = open.connection.changes();
        self.last_insert_rowid = open.connection.last_insert_rowid();
        open.wrote |= wrote;
        open.private |= class.is_private();
        let commits = open.lock.is_some() && open.connection.is_autocommit() && !class.rolls_back();
        let waits = self.synchronous == Synchronous::Full;
        if open.wrote && commits {
            self.database.written(waits);
        }
        *kept = self.keep(open);
        match result {
            Ok(result) if commits && waits => Attempt::Committed(result),
            result => Attempt::Ran(result),
        }
    }

    /// Answers a `PRAGMA synchronous` as SQLite does.
    fn level(&mut self, level: Level, is_in_transaction: bool) -> Result<QueryResult, Error> {
        match level {
            Level::Read => Ok(QueryResult {
                columns: vec!["synchronous".to_owned()],
                rows: vec![vec![Value::Integer(self.synchronous.number())]],
            }),
            Level::Set(_) if is_in_transaction => Err(Error::LevelInTransaction),
            Level::Set(synchronous) => {
                self.synchronous = synchronous;
                Ok(QueryResult::default())
            }
        }
    }

    /// The state after a statement.
    fn keep(&self, open: Transaction) -> Kept {
        if open.connection.is_autocommit() {
            return self.put_back(open);
        }
        self.database.watch(&self.slot);
        Kept::Transaction(open)
    }

    /// Gives back what the session need not keep outside a transaction.
    fn put_back(&self, open: Transaction) -> Kept {
        if open.private {
            return Kept::Private(open.connection);
        }
        self.database.pool().put(open.connection);
        Kept::Nothing
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        if let Kept::Transaction(open) = mem::take(&mut *self.slot.0.lock()) {
            open.abandon(self.database.pool());
        }
    }
}
