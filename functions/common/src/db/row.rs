//! A row of a result.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use spin_sdk::sqlite::Value;

use super::Result;
use super::read::Columns;

/// A row. Columns count from 0. A column that is not what the caller takes it for is a mistake in the statement beside
/// the call, not in the data, so readers answer with an empty value instead of a panic.
#[derive(Debug)]
pub struct Row {
    /// The names of all columns.
    pub(super) columns: Arc<[String]>,
    pub(super) values: Vec<Value>,
}

impl Row {
    /// The row as a struct, whose fields have the names of columns.
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        T::deserialize(Columns::of(self))
    }

    /// The text in a column.
    pub fn text(&mut self, column: usize) -> String {
        self.opt_text(column).unwrap_or_default()
    }

    /// The text in a column, `None` for NULL.
    pub fn opt_text(&mut self, column: usize) -> Option<String> {
        match self.take(column) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The integer in a column.
    pub fn int(&self, column: usize) -> i64 {
        match self.values.get(column) {
            Some(Value::Integer(int)) => *int,
            _ => 0,
        }
    }

    /// The bytes in a column.
    pub fn blob(&mut self, column: usize) -> Vec<u8> {
        self.opt_blob(column).unwrap_or_default()
    }

    /// The bytes in a column, `None` for NULL.
    pub fn opt_blob(&mut self, column: usize) -> Option<Vec<u8>> {
        match self.take(column) {
            Value::Blob(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// Takes the value out, so that a large one is not copied.
    fn take(&mut self, column: usize) -> Value {
        match self.values.get_mut(column) {
            Some(value) => std::mem::replace(value, Value::Null),
            None => Value::Null,
        }
    }
}
