//! `spin:sqlite@3.1.0` over [`crate::storage`], or over a libSQL server ([`crate::remote`]).

use super::{
    bindings::spin::sqlite::sqlite::{
        Error, Host, HostConnection, HostConnectionWithStore, QueryResult, RowResult, Value,
    },
    log_call,
};
use crate::{instance::State, storage, stores::Session, trace};
use std::sync::Arc;
use tokio::sync::Mutex;
use tracing::Level;
use wasmtime::component::{Accessor, FutureReader, HasSelf, Resource, StreamReader};

/// The log target of statements: `RUST_LOG=info,kafka::sql=trace`.
const LOG: &str = "kafka::sql";
/// Bytes of a statement that are logged.
const LOGGED_SQL: usize = 300;

/// A guest's open connection. Statements of one connection run one after another, as SQLite's do.
#[derive(Clone)]
pub struct Connection(Arc<Mutex<Session>>);

type Rows = (
    Vec<String>,
    StreamReader<RowResult>,
    FutureReader<Result<(), Error>>,
);

impl Host for State {}

impl HostConnection for State {
    fn open(&mut self, _: String) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        Ok(Err(only_async("open")))
    }

    fn execute(
        &mut self,
        _: Resource<Connection>,
        _: String,
        _: Vec<Value>,
    ) -> wasmtime::Result<Result<QueryResult, Error>> {
        Ok(Err(only_async("execute")))
    }

    fn last_insert_rowid(&mut self, _: Resource<Connection>) -> wasmtime::Result<i64> {
        Ok(0)
    }

    fn changes(&mut self, _: Resource<Connection>) -> wasmtime::Result<u64> {
        Ok(0)
    }

    fn drop(&mut self, connection: Resource<Connection>) -> wasmtime::Result<()> {
        self.table.delete(connection)?;
        Ok(())
    }
}

impl<T: 'static> HostConnectionWithStore<T> for HasSelf<State> {
    async fn open_async(
        accessor: &Accessor<T, Self>,
        database: String,
    ) -> wasmtime::Result<Result<Resource<Connection>, Error>> {
        accessor.with(|mut access| {
            let state = access.get();
            log_call(&state.component.id, "sqlite open");
            match state.component.databases.get(&database) {
                Some(database) => {
                    let connection = Connection(Arc::new(Mutex::new(database.session())));
                    Ok(Ok(state.table.push(connection)?))
                }
                None => Ok(Err(Error::AccessDenied)),
            }
        })
    }

    async fn execute_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
        statement: String,
        parameters: Vec<Value>,
    ) -> wasmtime::Result<Result<Rows, Error>> {
        if tracing::enabled!(target: LOG, Level::TRACE) {
            accessor.with(|mut access| log(&access.get().component.id, &statement));
        }
        let mut span = trace::get().and_then(|tracer| {
            let caller = accessor.with(|mut access| super::http::caller(&mut access))?;
            Some(tracer.statement(&caller, shown(&statement)))
        });
        let connection = session(accessor, &connection)?;
        let parameters = parameters.into_iter().map(from_guest).collect();
        let result = connection
            .0
            .lock()
            .await
            .execute(&statement, parameters)
            .await;
        let result = match result {
            Ok(result) => result,
            Err(error) => {
                if let Some(span) = &mut span {
                    span.fail();
                }
                return Ok(Err(Error::Io(error)));
            }
        };
        drop(span);
        let rows: Vec<RowResult> = result
            .rows
            .into_iter()
            .map(|row| RowResult {
                values: row.into_iter().map(to_guest).collect(),
            })
            .collect();
        accessor.with(|mut access| {
            Ok(Ok((
                result.columns,
                StreamReader::new(&mut access, rows)?,
                FutureReader::new(&mut access, async { wasmtime::error::Ok(Ok(())) })?,
            )))
        })
    }

    async fn last_insert_rowid_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<i64> {
        let connection = session(accessor, &connection)?;
        let session = connection.0.lock().await;
        Ok(session.last_insert_rowid())
    }

    async fn changes_async(
        accessor: &Accessor<T, Self>,
        connection: Resource<Connection>,
    ) -> wasmtime::Result<u64> {
        let connection = session(accessor, &connection)?;
        let session = connection.0.lock().await;
        Ok(session.changes())
    }
}

/// Writes down that a component runs a statement.
fn log(component: &str, statement: &str) {
    let sql = shown(statement);
    tracing::trace!(target: LOG, component, sql);
}

/// What a statement is, without its values and comments.
fn shown(statement: &str) -> String {
    let lines = statement.lines().map(str::trim_start);
    let mut words = lines
        .filter(|line| !line.starts_with("--"))
        .flat_map(str::split_whitespace);
    let mut sql = words.next().unwrap_or_default().to_owned();
    for word in words {
        if sql.len() + word.len() >= LOGGED_SQL {
            sql.push_str(" …");
            break;
        }
        sql.push(' ');
        sql.push_str(word);
    }
    sql
}

fn session<T>(
    accessor: &Accessor<T, HasSelf<State>>,
    connection: &Resource<Connection>,
) -> wasmtime::Result<Connection> {
    accessor.with(|mut access| Ok(access.get().table.get(connection)?.clone()))
}

fn only_async(function: &str) -> Error {
    Error::Io(format!(
        "this host supports only `{function}-async` of spin:sqlite@3.1.0"
    ))
}

fn from_guest(value: Value) -> storage::Value {
    match value {
        Value::Integer(value) => storage::Value::Integer(value),
        Value::Real(value) => storage::Value::Real(value),
        Value::Text(value) => storage::Value::Text(value),
        Value::Blob(value) => storage::Value::Blob(value),
        Value::Null => storage::Value::Null,
    }
}

fn to_guest(value: storage::Value) -> Value {
    match value {
        storage::Value::Integer(value) => Value::Integer(value),
        storage::Value::Real(value) => Value::Real(value),
        storage::Value::Text(value) => Value::Text(value),
        storage::Value::Blob(value) => Value::Blob(value),
        storage::Value::Null => Value::Null,
    }
}
