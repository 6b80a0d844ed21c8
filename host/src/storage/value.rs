//! The parameters and results of statements.

/// One value of SQLite.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A floating point number; SQLite stores not-a-number as NULL.
    Real(f64),
    /// A text. It may contain NUL characters.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl Value {
    /// Bytes of memory this value takes, for limits on results.
    pub(super) fn size(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::Null | Self::Integer(_) | Self::Real(_) => 0,
                Self::Text(text) => text.len(),
                Self::Blob(bytes) => bytes.len(),
            }
    }
}

/// The rows a statement returned; none for most statements that write.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueryResult {
    /// Names of the columns, in the order of the values of a row.
    pub columns: Vec<String>,
    /// The rows, each with one value a column.
    pub rows: Vec<Vec<Value>>,
}
