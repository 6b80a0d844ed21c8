//! Values of the database, without those of the protocol that none is.

use super::Error;
use libsql_hrana::proto;

/// A value of a row or a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Real(f64),
    /// A text.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

impl From<Value> for proto::Value {
    fn from(value: Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(value) => Self::Integer { value },
            Value::Real(value) => Self::Float { value },
            Value::Text(text) => Self::Text { value: text.into() },
            Value::Blob(bytes) => Self::Blob {
                value: bytes.into(),
            },
        }
    }
}

impl TryFrom<proto::Value> for Value {
    type Error = Error;

    fn try_from(value: proto::Value) -> Result<Self, Error> {
        Ok(match value {
            proto::Value::Null => Self::Null,
            proto::Value::Integer { value } => Self::Integer(value),
            proto::Value::Float { value } => Self::Real(value),
            proto::Value::Text { value } => Self::Text(value.as_ref().to_owned()),
            proto::Value::Blob { value } => Self::Blob(value.into()),
            proto::Value::None => return Err(Error::Unexpected("a value without a type".into())),
        })
    }
}
