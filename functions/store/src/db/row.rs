//! A row of a result.

use std::sync::Arc;

use serde::de::DeserializeOwned;
use spin_sdk::sqlite::Value;

use super::Result;
use super::read::Columns;

/// A row, until it is read into a struct.
#[derive(Debug)]
pub struct Row {
    /// The names of all columns.
    pub(super) columns: Arc<[String]>,
    pub(super) values: Vec<Value>,
    /// Where the column of the next field is, probably.
    pub(super) next: usize,
}

impl Row {
    /// The row as a struct, whose fields have the names of columns.
    pub fn read<T: DeserializeOwned>(&mut self) -> Result<T> {
        T::deserialize(Columns::of(self))
    }
}
