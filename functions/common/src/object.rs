//! JSON objects with a fixed set of keys. The macro `json!` would do, but of what it makes for each of some hundred keys
//! the largest component would be too large.

use std::borrow::Cow;

use serde_json::{Map, Value};

/// A JSON object: `object!({ "id": self.id, "seq": 1 })`. Values are borrowed, and copied into it.
#[macro_export]
macro_rules! object {
    ({ $($key:literal : $value:expr),* $(,)? }) => {
        $crate::object::object(&mut [$(($key, $crate::object::ToValue::to_value(&$value))),*])
    };
}

/// The object with these keys, whose values are taken.
pub fn object(entries: &mut [(&'static str, Value)]) -> Value {
    let mut object = Map::with_capacity(entries.len());
    for (key, value) in entries {
        object.insert((*key).to_owned(), value.take());
    }
    Value::Object(object)
}

/// What can be in an object.
pub trait ToValue {
    /// It as JSON.
    fn to_value(&self) -> Value;
}

impl<T: ToValue + ?Sized> ToValue for &T {
    fn to_value(&self) -> Value {
        (**self).to_value()
    }
}

impl<T: ToValue> ToValue for Option<T> {
    fn to_value(&self) -> Value {
        self.as_ref().map_or(Value::Null, ToValue::to_value)
    }
}

impl ToValue for str {
    fn to_value(&self) -> Value {
        self.into()
    }
}

impl ToValue for String {
    fn to_value(&self) -> Value {
        self.as_str().into()
    }
}

impl ToValue for Cow<'_, str> {
    fn to_value(&self) -> Value {
        self.as_ref().into()
    }
}

impl ToValue for Value {
    fn to_value(&self) -> Value {
        self.clone()
    }
}

impl<T: ToValue> ToValue for Vec<T> {
    fn to_value(&self) -> Value {
        self.iter().map(ToValue::to_value).collect()
    }
}

macro_rules! scalars {
    ($($type:ty),*) => {$(
        impl ToValue for $type {
            fn to_value(&self) -> Value {
                (*self).into()
            }
        }
    )*};
}

scalars!(bool, i32, i64, u16, u64, usize);

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    #[test]
    fn it_is_what_json_makes() {
        let (text, list) = (String::from("x"), vec![Value::Null]);
        assert_eq!(
            object!({ "b": text, "a": Some(&text), "n": None::<i64>, "list": list, "one": 1, "yes": true }),
            json!({ "b": text, "a": Some(&text), "n": null, "list": list, "one": 1, "yes": true })
        );
    }
}
