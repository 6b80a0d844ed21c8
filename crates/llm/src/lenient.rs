//! Reading JSON that strangers send, without keeping what nobody asks for.
//!
//! A tree of values takes up to fifty times as much memory as its text. So a reader says which members of an object it
//! knows, and is given those; everything else is checked and forgotten while it is parsed. What is JSON here and what is
//! not, is what `serde_json` says when it reads a whole tree: its limit of nesting holds, too.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// What becomes of a JSON value. A kind of value for which a reader has no method is read over.
pub trait Lenient: Sized {
    /// Whether the members that the reader does not know are given to [`Self::other`].
    const WANTS_OTHERS: bool = false;

    /// The members of an object that the reader knows.
    fn names(&self) -> &'static [&'static str] {
        &[]
    }

    /// The value is `null`.
    fn null(&mut self) {}

    /// The value is `true` or `false`.
    fn bool(&mut self, _value: bool) {}

    /// The value is a number.
    fn number(&mut self, _value: Number) {}

    /// The value is a text.
    fn text(&mut self, _value: &str) {}

    /// The value is an object, whose members follow.
    fn object(&mut self) {}

    /// The value is an array, whose entries follow.
    fn array(&mut self) {}

    /// Reads the value of a member that the reader knows. The last one counts where a name is there twice.
    ///
    /// # Errors
    /// When the text is no JSON.
    fn member<'de, A: MapAccess<'de>>(
        &mut self,
        _name: &'static str,
        values: &mut A,
    ) -> Result<(), A::Error> {
        value(values, Skip).map(drop)
    }

    /// Reads the value of a member that the reader does not know.
    ///
    /// # Errors
    /// When the text is no JSON.
    fn other<'de, A: MapAccess<'de>>(
        &mut self,
        _name: &str,
        values: &mut A,
    ) -> Result<(), A::Error> {
        value(values, Skip).map(drop)
    }

    /// Reads the next entry of an array; false if there is none.
    ///
    /// # Errors
    /// When the text is no JSON.
    fn entry<'de, A: SeqAccess<'de>>(&mut self, entries: &mut A) -> Result<bool, A::Error> {
        Ok(entry(entries, Skip)?.is_some())
    }
}

/// Reads a whole text.
///
/// # Errors
/// When it is no JSON.
pub fn read<T: Lenient>(text: &str, into: T) -> serde_json::Result<T> {
    let mut json = serde_json::Deserializer::from_str(text);
    let read = Seed(into).deserialize(&mut json)?;
    json.end()?;
    Ok(read)
}

/// Reads the value of a member.
///
/// # Errors
/// When the text is no JSON.
pub fn value<'de, T: Lenient, A: MapAccess<'de>>(values: &mut A, into: T) -> Result<T, A::Error> {
    values.next_value_seed(Seed(into))
}

/// Reads the next entry of an array, if there is one.
///
/// # Errors
/// When the text is no JSON.
pub fn entry<'de, T: Lenient, A: SeqAccess<'de>>(
    entries: &mut A,
    into: T,
) -> Result<Option<T>, A::Error> {
    entries.next_element_seed(Seed(into))
}

/// Keeps nothing.
#[derive(Debug)]
pub struct Skip;

impl Lenient for Skip {}

struct Seed<T>(T);

impl<'de, T: Lenient> DeserializeSeed<'de> for Seed<T> {
    type Value = T;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<T, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, T: Lenient> Visitor<'de> for Seed<T> {
    type Value = T;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(mut self) -> Result<T, E> {
        self.0.null();
        Ok(self.0)
    }

    fn visit_bool<E: Error>(mut self, value: bool) -> Result<T, E> {
        self.0.bool(value);
        Ok(self.0)
    }

    fn visit_u64<E: Error>(mut self, value: u64) -> Result<T, E> {
        self.0.number(value.into());
        Ok(self.0)
    }

    fn visit_i64<E: Error>(mut self, value: i64) -> Result<T, E> {
        self.0.number(value.into());
        Ok(self.0)
    }

    fn visit_f64<E: Error>(mut self, value: f64) -> Result<T, E> {
        match Number::from_f64(value) {
            Some(value) => self.0.number(value),
            None => self.0.null(),
        }
        Ok(self.0)
    }

    fn visit_str<E: Error>(mut self, value: &str) -> Result<T, E> {
        self.0.text(value);
        Ok(self.0)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<T, A::Error> {
        self.0.array();
        while self.0.entry(&mut entries)? {}
        Ok(self.0)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut members: A) -> Result<T, A::Error> {
        self.0.object();
        let names = self.0.names();
        while let Some(name) = members.next_key_seed(Name(names, T::WANTS_OTHERS))? {
            match name {
                Ok(name) => self.0.member(name, &mut members)?,
                Err(name) => self.0.other(&name, &mut members)?,
            }
        }
        Ok(self.0)
    }
}

/// Reads a member's name: which of these it is or, if others are wanted, what else.
struct Name(&'static [&'static str], bool);

impl<'de> DeserializeSeed<'de> for Name {
    type Value = Result<&'static str, String>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for Name {
    type Value = Result<&'static str, String>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        let known = self.0.iter().copied().find(|known| *known == name);
        Ok(known.ok_or_else(|| match self.1 {
            true => name.to_owned(),
            false => String::new(),
        }))
    }
}
