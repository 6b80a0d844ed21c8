//! A connection as a component sees it.
//!
//! A statement outside of a transaction has a stream of its own, which the same request closes. A transaction has one from
//! its `BEGIN` to its `COMMIT`, which closes it. So a stream is left open only by who leaves in the middle of a
//! transaction, and it keeps all other writers waiting. A destructor can't wait for the server, and no task can be woken
//! by another one: so the call that began the transaction stays behind and looks from time to time
//! (docs/decisions.md#spinsqlite-from-another-component).

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::time::Duration;

use kafka_hrana::{After, Done, Error as Failure, Stream, begins, ends, sets_synchronous};
use spin_sdk::time::sleep;
use spin_sdk::wit_bindgen::{self, FutureReader, StreamReader};

use super::bindings::exports::spin::sqlite::sqlite::{
    self, Error, GuestConnection, QueryResult, RowResult, Value,
};
use super::bindings::{wit_future, wit_stream};
use super::database::Database;

/// The label of the database, as in `sqlite_databases`.
const LABEL: &str = "default";

/// How often it is looked whether a transaction was left.
const GLANCE: Duration = Duration::from_millis(20);

/// The columns of an answer, its rows, and whether they are all.
type Answer = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

/// A connection. Dropping it rolls an open transaction back.
pub struct Connection(Rc<Shared>);

/// What a connection and who looks after its transaction share.
struct Shared {
    database: Rc<Database>,
    stream: RefCell<Stream>,
    /// A statement runs.
    is_busy: Cell<bool>,
    /// The connection is dropped.
    is_left: Cell<bool>,
    /// Somebody looks after the transaction.
    is_looked_after: Cell<bool>,
    changes: Cell<u64>,
    last_insert_rowid: Cell<i64>,
}

impl GuestConnection for Connection {
    fn open(_: String) -> Result<sqlite::Connection, Error> {
        Err(only_async("open"))
    }

    async fn open_async(database: String) -> Result<sqlite::Connection, Error> {
        if database != LABEL {
            return Err(Error::NoSuchDatabase);
        }
        // In the words that libSQL's client has for a database that can't be reached.
        let database = Database::get().await;
        let database = database
            .map_err(|reason| Error::Io(format!("Failed to connect to database: {reason}")))?;
        Ok(sqlite::Connection::new(Self(Rc::new(Shared {
            database,
            stream: RefCell::default(),
            is_busy: Cell::default(),
            is_left: Cell::default(),
            is_looked_after: Cell::default(),
            changes: Cell::default(),
            last_insert_rowid: Cell::default(),
        }))))
    }

    fn execute(&self, _: String, _: Vec<Value>) -> Result<QueryResult, Error> {
        Err(only_async("execute"))
    }

    async fn execute_async(
        &self,
        statement: String,
        parameters: Vec<Value>,
    ) -> Result<Answer, Error> {
        if sets_synchronous(&statement) {
            return Err(Error::Io(Failure::Synchronous.to_string()));
        }
        let shared = self.0.clone();
        let parameters = parameters.into_iter().map(to_server).collect();
        let executed = shared.execute(&statement, parameters).await;
        if shared.needs_looking_after() {
            shared.is_looked_after.set(true);
            wit_bindgen::spawn(look_after(shared.clone()));
        }
        let done = executed.map_err(|failure| Error::Io(failure.to_string()))?;
        shared.changes.set(done.changes);
        if let Some(rowid) = done.last_insert_rowid {
            shared.last_insert_rowid.set(rowid);
        }
        let rows = done.rows.into_iter().map(|row| RowResult {
            values: row.into_iter().map(from_server).collect(),
        });
        Ok(answer(done.columns, rows.collect()))
    }

    fn last_insert_rowid(&self) -> i64 {
        self.0.last_insert_rowid.get()
    }

    async fn last_insert_rowid_async(&self) -> i64 {
        self.0.last_insert_rowid.get()
    }

    fn changes(&self) -> u64 {
        self.0.changes.get()
    }

    async fn changes_async(&self) -> u64 {
        self.0.changes.get()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.0.is_left.set(true);
    }
}

impl Shared {
    /// Runs a statement. If it is given up half-way, the transaction that it is in is lost.
    async fn execute(
        &self,
        sql: &str,
        parameters: Vec<kafka_hrana::Value>,
    ) -> Result<Done, Failure> {
        let mut running = Running::begin(self)?;
        let is_in_transaction = running.stream.is_in_transaction();
        let after = match begins(sql) || is_in_transaction && !ends(sql) {
            true => After::Open,
            false => After::Closed,
        };
        let sent = running.stream.execute(sql, parameters, after)?;
        running.sent = Some(sent);
        let answered = match &running.sent {
            Some(sent) => self.database.ask(sent).await,
            None => Err(Failure::Lost),
        };
        match (running.sent.take(), answered) {
            (Some(sent), Ok((status, body))) => running.stream.answered(sent, status, &body),
            (sent, answered) => {
                running.sent = sent;
                answered.and(Err(Failure::Lost))
            }
        }
    }

    /// Whether the stream must be closed one day, and nobody sees to it.
    fn needs_looking_after(&self) -> bool {
        self.stream.borrow().is_open() && !self.is_looked_after.get()
    }
}

/// A statement that runs. Dropped without an answer, it leaves the baton that may still be good.
struct Running<'a> {
    shared: &'a Shared,
    stream: Stream,
    sent: Option<kafka_hrana::Sent>,
}

impl<'a> Running<'a> {
    fn begin(shared: &'a Shared) -> Result<Self, Failure> {
        if shared.is_busy.replace(true) {
            return Err(Failure::Lost);
        }
        let stream = shared.stream.take();
        let running = Self {
            shared,
            stream,
            sent: None,
        };
        match running.stream.is_usable() {
            true => Ok(running),
            false => Err(Failure::Lost),
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(sent) = self.sent.take() {
            self.stream.failed(sent);
        }
        self.shared.stream.replace(std::mem::take(&mut self.stream));
        self.shared.is_busy.set(false);
    }
}

/// Closes the stream of a transaction that is left, and ends when there is none. Here and not in the next request of the
/// instance, which may never come.
async fn look_after(shared: Rc<Shared>) {
    loop {
        let is_idle = !shared.is_busy.get();
        if is_idle && !shared.stream.borrow().is_open() {
            break;
        }
        let is_lost = !shared.stream.borrow().is_usable();
        if is_idle && (shared.is_left.get() || is_lost) {
            let close = shared.stream.borrow_mut().close();
            if let Some(close) = close {
                // If it does not arrive, the server undoes the transaction after a while.
                _ = shared.database.ask(&close).await;
            }
            break;
        }
        sleep(GLANCE).await;
    }
    shared.is_looked_after.set(false);
}

/// An answer with all its rows.
fn answer(columns: Vec<String>, rows: Vec<RowResult>) -> Answer {
    let (mut writer, reader) = wit_stream::new();
    let (end, ended) = wit_future::new(|| Ok(()));
    wit_bindgen::spawn(async move {
        let write = async move {
            if !rows.is_empty() {
                writer.write_all(rows).await;
            }
        };
        // Who is not interested drops its end.
        _ = futures::join!(write, end.write(Ok(())));
    });
    (columns, reader, ended)
}

fn only_async(function: &str) -> Error {
    Error::Io(format!(
        "only `{function}-async` of spin:sqlite@3.1.0 is there"
    ))
}

fn to_server(value: Value) -> kafka_hrana::Value {
    match value {
        Value::Integer(value) => kafka_hrana::Value::Integer(value),
        Value::Real(value) => kafka_hrana::Value::Real(value),
        Value::Text(text) => kafka_hrana::Value::Text(text),
        Value::Blob(bytes) => kafka_hrana::Value::Blob(bytes),
        Value::Null => kafka_hrana::Value::Null,
    }
}

fn from_server(value: kafka_hrana::Value) -> Value {
    match value {
        kafka_hrana::Value::Integer(value) => Value::Integer(value),
        kafka_hrana::Value::Real(value) => Value::Real(value),
        kafka_hrana::Value::Text(text) => Value::Text(text),
        kafka_hrana::Value::Blob(bytes) => Value::Blob(bytes),
        kafka_hrana::Value::Null => Value::Null,
    }
}
