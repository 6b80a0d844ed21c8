//! A row of a result, read by column number.

use spin_sdk::sqlite::{RowResult, Value};

/// A row. Columns count from 0. A column that is not what the caller takes it for is a mistake in the statement beside
/// the call, not in the data, so readers answer with an empty value instead of a panic.
#[derive(Debug)]
pub struct Row(Vec<Value>);

impl Row {
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
        match self.0.get(column) {
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
        match self.0.get_mut(column) {
            Some(value) => std::mem::replace(value, Value::Null),
            None => Value::Null,
        }
    }
}

impl From<RowResult> for Row {
    fn from(row: RowResult) -> Self {
        Self(row.values)
    }
}
