//! One statement of the protocol on the embedded database.

use std::path::Path;
use std::time::Duration;

use futures::FutureExt;
use libsql::{Builder, Connection, Value, params_from_iter};
use libsql_hrana::proto::{self, Col, Error, Row, StmtResult};

/// How long a statement waits for others: longer than one of them may keep it waiting.
const BUSY_LIMIT: Duration = Duration::from_secs(8);

/// Prepares the file. Once, because it needs the file alone.
pub(super) async fn make(file: &Path) {
    let connection = connect(file).await;
    let mode = "PRAGMA journal_mode = WAL";
    connection
        .execute_batch(mode)
        .await
        .expect("a file takes settings");
}

/// A new connection. The database outlives no test, so that it need not survive the machine.
pub(super) async fn connect(file: &Path) -> Connection {
    let database = Builder::new_local(file).build().await;
    let connection = database.and_then(|database| database.connect());
    let connection = connection.expect("the database opens");
    connection
        .busy_timeout(BUSY_LIMIT)
        .expect("a connection waits its turn");
    connection
        .execute_batch("PRAGMA synchronous = OFF")
        .await
        .expect("a new connection takes settings");
    connection
}

/// Runs a statement.
pub(super) async fn run(
    connection: &Connection,
    statement: proto::Stmt,
) -> Result<StmtResult, Error> {
    let sql = statement.sql.unwrap_or_default();
    let is_setting = sql.trim_start().to_ascii_uppercase().starts_with("PRAGMA");
    if is_setting && sql.contains('=') {
        // The real one keeps settings of a file to itself.
        return Err(Error {
            message: "Unsupported statement".to_owned(),
            code: "SQL_PARSE_ERROR".to_owned(),
        });
    }
    let arguments = statement.args.into_iter().map(from_client);
    ask(connection, &sql, arguments.collect())
        .await
        .map_err(|error| match error {
            libsql::Error::SqliteFailure(code, message) => Error {
                message: format!("SQLite error: {message}"),
                code: name(code).to_owned(),
            },
            error => Error {
                message: error.to_string(),
                code: "UNKNOWN".to_owned(),
            },
        })
}

async fn ask(
    connection: &Connection,
    sql: &str,
    arguments: Vec<Value>,
) -> libsql::Result<StmtResult> {
    let before = connection.total_changes();
    let prepared = connection.prepare(sql).await?;
    let columns = prepared.columns().into_iter().map(|column| Col {
        name: Some(column.name().to_owned()),
        decltype: column.decl_type().map(str::to_owned),
    });
    let columns: Vec<Col> = columns.collect();
    let mut found = prepared.query(params_from_iter(arguments)).await?;
    let mut rows = Vec::new();
    while let Some(row) = found.next().await? {
        let values = (0..row.column_count()).map(|column| row.get_value(column));
        let values: libsql::Result<Vec<Value>> = values.collect();
        rows.push(Row {
            values: values?.into_iter().map(to_client).collect(),
        });
    }
    Ok(StmtResult {
        cols: columns,
        rows,
        affected_row_count: connection.total_changes() - before,
        last_insert_rowid: Some(connection.last_insert_rowid()),
        replication_index: None,
        rows_read: 0,
        rows_written: 0,
        query_duration_ms: 0.0,
    })
}

/// Undoes the open transaction.
pub(super) fn roll_back(connection: &Connection) {
    // An embedded database waits for nothing.
    let undone = connection.execute("ROLLBACK", ()).now_or_never();
    undone.expect("at once").expect("a transaction is open");
}

fn name(code: i32) -> &'static str {
    match (code, code & 0xff) {
        (2067, _) => "SQLITE_CONSTRAINT_UNIQUE",
        (1555, _) => "SQLITE_CONSTRAINT_PRIMARYKEY",
        (787, _) => "SQLITE_CONSTRAINT_FOREIGNKEY",
        (_, 5) => "SQLITE_BUSY",
        (_, 6) => "SQLITE_LOCKED",
        (_, 9) => "SQLITE_INTERRUPT",
        (_, 13) => "SQLITE_FULL",
        (_, 19) => "SQLITE_CONSTRAINT",
        _ => "SQLITE_ERROR",
    }
}

fn from_client(value: proto::Value) -> Value {
    match value {
        proto::Value::None | proto::Value::Null => Value::Null,
        proto::Value::Integer { value } => Value::Integer(value),
        proto::Value::Float { value } => Value::Real(value),
        proto::Value::Text { value } => Value::Text(value.as_ref().to_owned()),
        proto::Value::Blob { value } => Value::Blob(value.into()),
    }
}

fn to_client(value: Value) -> proto::Value {
    match value {
        Value::Null => proto::Value::Null,
        Value::Integer(value) => proto::Value::Integer { value },
        Value::Real(value) => proto::Value::Float { value },
        Value::Text(text) => proto::Value::Text { value: text.into() },
        Value::Blob(bytes) => proto::Value::Blob {
            value: bytes.into(),
        },
    }
}
