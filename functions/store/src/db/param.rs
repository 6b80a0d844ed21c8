//! What a parameter of a statement can be.

use kafka_api::id::{Id, Time};
use spin_sdk::sqlite::Value;

/// A parameter of a statement.
pub trait Param {
    /// The value for the database.
    fn into_value(self) -> Value;
}

macro_rules! values {
    ($($type:ty),+) => {$(
        impl Param for $type {
            fn into_value(self) -> Value {
                self.into()
            }
        }
    )+};
}

values!(
    &str,
    String,
    i16,
    i32,
    i64,
    u8,
    u16,
    u32,
    f64,
    &[u8],
    Vec<u8>,
    Value
);

impl<T: Param> Param for Option<T> {
    fn into_value(self) -> Value {
        self.map_or(Value::Null, Param::into_value)
    }
}

impl<T> Param for Id<T> {
    fn into_value(self) -> Value {
        String::from(self).into()
    }
}

impl<T> Param for &Id<T> {
    fn into_value(self) -> Value {
        self.as_str().into()
    }
}

impl Param for &Time {
    fn into_value(self) -> Value {
        self.as_str().into()
    }
}
