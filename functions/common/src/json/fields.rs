//! Structs out of a JSON object that a client sent, and enums, of which the field `action` names the variant. What is
//! wrong is known by the field and as a value, so that each endpoint and protocol can say it in its own way.

use std::cell::Cell;
use std::fmt;

use serde::de::value::{MapAccessDeserializer, MapDeserializer};
use serde::de::{Deserializer, Error as _, Expected, IntoDeserializer, Unexpected, Visitor};
use serde::{Deserialize, forward_to_deserialize_any};
use serde_json::{Map, Value};

/// What is wrong with a field.
#[derive(Debug)]
pub struct Wrong {
    /// What clients call it.
    pub field: String,
    /// Whether it must be sent.
    pub is_required: bool,
    /// What is wrong.
    pub fault: Fault,
}

/// What can be wrong with a field.
#[derive(Debug)]
pub enum Fault {
    /// It was not sent, is `null`, or is empty and must not be.
    Missing,
    /// It is no such thing, for example `a string`.
    Type(String),
    /// It is too long.
    TooLong,
    /// There is no such action.
    Action(String),
    /// The value is not valid, for this reason.
    Value(String),
}

impl From<Fault> for Wrong {
    fn from(fault: Fault) -> Self {
        Self {
            field: String::new(),
            is_required: true,
            fault,
        }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.field, self.fault)
    }
}

impl std::error::Error for Wrong {}

impl serde::de::Error for Wrong {
    fn custom<T: fmt::Display>(why: T) -> Self {
        Fault::Value(why.to_string()).into()
    }

    fn invalid_type(_: Unexpected<'_>, expected: &dyn Expected) -> Self {
        Fault::Type(expected.to_string()).into()
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Fault::Missing.into()
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Fault::TooLong.into()
    }

    fn unknown_variant(action: &str, _: &'static [&'static str]) -> Self {
        Fault::Action(action.to_owned()).into()
    }

    fn missing_field(field: &'static str) -> Self {
        Self {
            field: field.to_owned(),
            ..Fault::Missing.into()
        }
    }
}

/// The fields of an object; those that are `null` count as not sent.
#[derive(Debug, Clone, Copy)]
pub struct Fields<'de> {
    /// All of them.
    pub values: &'de Map<String, Value>,
    /// Whether optional ones that are empty count as not sent, too.
    pub is_forgiving: bool,
}

impl<'de> Fields<'de> {
    /// Reads a struct, or an enum.
    pub fn read<T: Deserialize<'de>>(self) -> Result<T, Wrong> {
        T::deserialize(self)
    }
}

impl<'de> Deserializer<'de> for Fields<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let last = Cell::new("");
        let sent = self.values.iter().filter(|(_, value)| !value.is_null());
        let fields = sent.map(|(name, value)| {
            last.set(name);
            let is_forgiving = self.is_forgiving;
            (
                name.as_str(),
                Field {
                    value,
                    is_forgiving,
                },
            )
        });
        let read: Result<_, Wrong> = visitor.visit_map(MapDeserializer::new(fields));
        read.map_err(|wrong| match wrong.field.as_str() {
            "" => Wrong {
                field: last.get().to_owned(),
                ..wrong
            },
            _ => wrong,
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let Some(Value::String(action)) = self.values.get("action") else {
            return Err(Wrong {
                field: "action".to_owned(),
                ..Fault::Type("a string".to_owned()).into()
            });
        };
        let variant = MapDeserializer::new(std::iter::once((action.as_str(), self)));
        visitor.visit_enum(MapAccessDeserializer::new(variant))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Wrong> for Fields<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

/// One field.
struct Field<'de> {
    value: &'de Value,
    is_forgiving: bool,
}

impl<'de> IntoDeserializer<'de, Wrong> for Field<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Field<'de> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.value.deserialize_any(visitor).map_err(Wrong::custom)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::String(text) => visitor.visit_borrowed_str(text),
            _ => Err(Fault::Type("a string".to_owned()).into()),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value.as_i64() {
            Some(number) => visitor.visit_i64(number),
            None => Err(Fault::Type("an integer".to_owned()).into()),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        if self.is_forgiving && self.value == "" {
            return visitor.visit_none();
        }
        visitor.visit_some(self).map_err(|wrong| Wrong {
            is_required: false,
            ..wrong
        })
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct newtype_struct seq tuple
        tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Fields, Wrong};
    use crate::api::actions::{Action, How};

    fn read<T>(frame: &Value, then: impl FnOnce(Fields<'_>) -> Result<T, Wrong>) -> String {
        let values = frame.as_object().unwrap();
        let is_forgiving = true;
        match then(Fields {
            values,
            is_forgiving,
        }) {
            Ok(_) => "right".to_owned(),
            Err(wrong) => wrong.to_string(),
        }
    }

    #[test]
    fn what_is_wrong_names_its_field() {
        let long = "x".repeat(256);
        for (frame, expected) in [
            (
                json!({"action": "new_message", "prompt": "", "parent_id": ""}),
                "right",
            ),
            (
                json!({"action": "new_message", "prompt": "a", "parent_id": null}),
                "right",
            ),
            (json!({"action": "new_message"}), "prompt: Missing"),
            (
                json!({"action": "new_message", "prompt": 1}),
                "prompt: Type(\"a string\")",
            ),
            (
                json!({"action": "stop", "generation_id": long}),
                "generation_id: TooLong",
            ),
            (
                json!({"action": "stop", "generation_id": []}),
                "generation_id: Type(\"a string\")",
            ),
            (
                json!({"action": "sync", "rev": "1"}),
                "rev: Type(\"an integer\")",
            ),
            (
                json!({"action": "delete_file", "file_id": ""}),
                "file_id: Missing",
            ),
            (
                json!({"action": "upload_file", "filename": "a", "file_data": ""}),
                "right",
            ),
            (json!({"action": "dance"}), ": Action(\"dance\")"),
            (json!({"action": 1}), "action: Type(\"a string\")"),
        ] {
            let told = read(&frame, |fields| fields.read::<Action<'_>>().map(drop));
            assert_eq!(told, expected, "{frame}");
        }
        for (flag, expected) in [
            (json!("Composer"), "right"),
            (json!(2), "right"),
            (json!(""), "right"),
            (json!([]), "is_first_prompt: Type(\"true or false\")"),
            (json!("maybe"), "is_first_prompt: Type(\"true or false\")"),
        ] {
            let told = read(&json!({"is_first_prompt": flag}), |fields| {
                fields.read::<How>()
            });
            assert_eq!(told, expected, "{flag}");
        }
    }
}
