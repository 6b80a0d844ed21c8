//! Rows into structs, by the names of columns. Libraries that do this are bound to a database driver of their own.
//!
//! * A field reads the column of its name, or is a struct of its own and reads the columns whose names begin with the
//!   field's and a dot: `reply.id AS "generation.id"`. An optional one is `None` where all of them are NULL. The first
//!   column that fits says which of both it is.
//! * A field without a column is an error, an optional one too; so is a value of another type, and NULL for what is not
//!   optional. Columns without a field are ignored.
//! * What is no struct reads the only column there is.
//!
//! Values are moved, never copied. Bytes go into `bytes::Bytes`.

use serde::de::value::StrDeserializer;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IntoDeserializer, MapAccess, Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use spin_sdk::sqlite::Value;

use super::{Error, Row};

/// The columns of a row whose names begin with `prefix`.
pub(super) struct Columns<'r> {
    row: &'r mut Row,
    prefix: String,
}

impl<'r> Columns<'r> {
    /// All columns of `row`.
    pub(super) fn of(row: &'r mut Row) -> Self {
        Self {
            row,
            prefix: String::new(),
        }
    }

    /// The only column there is.
    fn only(self) -> Result<Cell, Error> {
        match self.row.values.as_mut_slice() {
            [value] if self.prefix.is_empty() => Ok(Cell(take(value))),
            _ => Err(Error::custom("one column was expected")),
        }
    }

    fn values(&self) -> impl Iterator<Item = &Value> {
        let columns = self.row.columns.iter().zip(&self.row.values);
        let ours = columns.filter(|(column, _)| column.starts_with(&self.prefix));
        ours.map(|(_, value)| value)
    }
}

/// Reads the only column there is.
macro_rules! only {
    ($($method:ident)+) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.only()?.$method(visitor)
        }
    )+};
}

impl<'de> Deserializer<'de> for Columns<'_> {
    type Error = Error;

    only! {
        deserialize_any deserialize_bool deserialize_str deserialize_string deserialize_bytes deserialize_byte_buf
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let is_none = self.values().all(|value| matches!(value, Value::Null));
        match is_none {
            true => visitor.visit_none(),
            false => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_map(Fields {
            columns: self,
            fields: fields.iter(),
            field: "",
        })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.only()?.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char unit unit_struct seq tuple tuple_struct map identifier
        ignored_any
    }
}

/// The fields of a struct, one after the other.
struct Fields<'r> {
    columns: Columns<'r>,
    fields: std::slice::Iter<'static, &'static str>,
    field: &'static str,
}

impl<'de> MapAccess<'de> for Fields<'_> {
    type Error = Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Error> {
        let Some(field) = self.fields.next() else {
            return Ok(None);
        };
        self.field = field;
        seed.deserialize(StrDeserializer::new(field)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Error> {
        let Columns { row, prefix } = &mut self.columns;
        let field = self.field;
        // From the one behind the last one on, since most fields have the order of the columns.
        let count = row.columns.len();
        let rest = |at: &usize| {
            row.columns[*at]
                .strip_prefix(prefix.as_str())?
                .strip_prefix(field)
        };
        let fits =
            |at: &usize| rest(at).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'));
        let Some(at) = (row.next..count).chain(0..row.next).find(fits) else {
            return Err(Error::custom(format!(
                "there is no column `{prefix}{field}`"
            )));
        };
        if row.columns[at].len() > prefix.len() + field.len() {
            row.next = at;
            let prefix = format!("{prefix}{field}.");
            return seed.deserialize(Columns { row, prefix });
        }
        row.next = at + 1;
        // A server may answer with fewer values than columns.
        let value = row.values.get_mut(at);
        let value = value.ok_or_else(|| Error::custom("a row has too few values"))?;
        let read = seed.deserialize(Cell(take(value)));
        read.map_err(|error| Error::custom(format!("column `{prefix}{field}`: {error}")))
    }
}

/// Takes the value out of a row, so that a large one is not copied.
fn take(value: &mut Value) -> Value {
    std::mem::replace(value, Value::Null)
}

/// One value.
struct Cell(Value);

impl<'de> Deserializer<'de> for Cell {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Integer(integer) => visitor.visit_i64(integer),
            Value::Real(real) => visitor.visit_f64(real),
            Value::Text(text) => visitor.visit_string(text),
            Value::Blob(bytes) => visitor.visit_byte_buf(bytes),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Integer(integer @ 0..=1) => visitor.visit_bool(integer == 1),
            Value::Integer(other) => Err(Error::invalid_value(
                Unexpected::Signed(other),
                &"0 or 1, as SQLite writes booleans",
            )),
            _ => self.deserialize_any(visitor),
        }
    }

    // The types behind the next four take bytes for texts and texts for bytes where they can.

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Blob(bytes) => Err(Error::invalid_type(Unexpected::Bytes(&bytes), &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_byte_buf(visitor)
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Text(text) => Err(Error::invalid_type(Unexpected::Str(&text), &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        match self.0 {
            Value::Text(text) => IntoDeserializer::<Error>::into_deserializer(text)
                .deserialize_enum(name, variants, visitor),
            _ => self.deserialize_any(visitor),
        }
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use kafka_api::id::{ChatId, MessageId};
    use serde::Deserialize;
    use spin_sdk::sqlite::Value;

    use crate::db::Row;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Reply {
        id: MessageId,
        seq: u64,
    }

    #[derive(Debug, PartialEq, Deserialize)]
    struct Chat {
        id: ChatId,
        #[serde(rename = "type")]
        kind: kafka_api::words::MessageKind,
        is_new: bool,
        note: Option<String>,
        content: bytes::Bytes,
        reply: Option<Reply>,
    }

    fn row(columns: &[(&str, Value)]) -> Row {
        Row {
            columns: columns
                .iter()
                .map(|(name, _)| (*name).to_owned())
                .collect::<Arc<[_]>>(),
            values: columns.iter().map(|(_, value)| value.clone()).collect(),
            next: 0,
        }
    }

    fn columns() -> Vec<(&'static str, Value)> {
        vec![
            ("other", Value::Null),
            ("reply.seq", Value::Integer(3)),
            ("reply.id", "r".into()),
            ("content", Value::Blob(vec![1, 2])),
            ("note", Value::Null),
            ("is_new", Value::Integer(1)),
            ("type", "file".into()),
            ("id", "c".into()),
        ]
    }

    #[test]
    fn fields_have_their_columns() {
        let mut chat: Chat = row(&columns()).read().unwrap();
        let expected = Reply {
            id: "r".into(),
            seq: 3,
        };
        assert_eq!(chat.reply.take(), Some(expected));
        assert_eq!(
            (chat.id.as_str(), chat.is_new, chat.note),
            ("c", true, None)
        );
        assert_eq!(
            (chat.content.as_ref(), chat.kind.as_str()),
            (&[1, 2][..], "file")
        );
        let mut without = columns();
        (without[1].1, without[2].1) = (Value::Null, Value::Null);
        assert_eq!(row(&without).read::<Chat>().unwrap().reply, None);
        assert_eq!(row(&columns()[1..2]).read::<i64>().unwrap(), 3);
    }

    #[test]
    fn what_does_not_fit_is_an_error() {
        for missing in 1..8 {
            let mut columns = columns();
            let (name, _) = columns.remove(missing);
            let error = row(&columns).read::<Chat>().unwrap_err().to_string();
            assert!(error.contains(&format!("no column `{name}`")), "{error}");
        }
        for (at, wrong) in [
            (1, Value::Integer(-1)),
            (1, Value::Null),
            (3, "text".into()),
            (4, Value::Integer(1)),
            (5, Value::Integer(2)),
            (5, Value::Null),
            (6, "music".into()),
            (6, Value::Integer(1)),
            (7, Value::Null),
            (7, Value::Blob(vec![65])),
            (7, Value::Integer(1)),
        ] {
            let mut columns = columns();
            columns[at].1 = wrong;
            let error = row(&columns).read::<Chat>().unwrap_err().to_string();
            assert!(
                error.contains(&format!("column `{}`", columns[at].0)),
                "{error}"
            );
        }
        row(&columns()).read::<String>().unwrap_err();
    }
}
