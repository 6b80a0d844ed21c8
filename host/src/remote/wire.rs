//! Between the values of components and those of the protocol.

use super::Error;
use crate::storage::{QueryResult, Value};
use libsql_hrana::proto;

/// What a statement did.
pub(super) struct Done {
    pub(super) result: QueryResult,
    pub(super) changes: u64,
    pub(super) last_insert_rowid: Option<i64>,
}

/// A statement with its parameters.
pub(super) fn statement(sql: &str, parameters: Vec<Value>) -> proto::Stmt {
    let mut statement = proto::Stmt::new(sql, true);
    statement.args = parameters.into_iter().map(to_server).collect();
    statement
}

/// What a statement did, as the server tells it.
pub(super) fn done(answer: proto::StmtResult) -> Result<Done, Error> {
    let columns = answer.cols.into_iter();
    let columns = columns.map(|column| column.name.unwrap_or_default());
    let row = |row: proto::Row| row.values.into_iter().map(from_server).collect();
    let rows: Result<_, Error> = answer.rows.into_iter().map(row).collect();
    Ok(Done {
        result: QueryResult {
            columns: columns.collect(),
            rows: rows?,
        },
        changes: answer.affected_row_count,
        last_insert_rowid: answer.last_insert_rowid,
    })
}

fn to_server(value: Value) -> proto::Value {
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

fn from_server(value: proto::Value) -> Result<Value, Error> {
    Ok(match value {
        proto::Value::Null => Value::Null,
        proto::Value::Integer { value } => Value::Integer(value),
        proto::Value::Float { value } => Value::Real(value),
        proto::Value::Text { value } => Value::Text(value.as_ref().to_owned()),
        proto::Value::Blob { value } => Value::Blob(value.into()),
        proto::Value::None => return Err(Error::Unexpected("a value without a type".into())),
    })
}
