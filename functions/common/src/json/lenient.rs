//! Reading untrusted JSON, keeping only the fields that are asked for.
//!
//! A tree of values takes up to fifty times as much memory as its text. So what is not asked for is checked and forgotten
//! while it is parsed. What is JSON here and what is not, is what `serde_json` says when it reads a whole tree: its limit of
//! nesting holds, too. (`RawValue` would take more.)

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::api::actions::MAX_FILE_IDS;
use crate::api::json::without_lone_surrogates;

/// The members that may be lists, of which the entries are kept, one more than there may be.
const LISTS: &[(&str, usize)] = &[("file_ids", MAX_FILE_IDS + 1)];

/// A value of which one level is kept: of an object the members with known names. What is in those that are arrays or
/// objects themselves is left out, but for [`LISTS`].
#[derive(Debug)]
pub struct Shallow {
    names: &'static [&'static str],
    /// How many entries of an array are kept.
    most: usize,
    /// The value.
    pub value: Value,
}

impl Shallow {
    /// Nothing yet. These members are known.
    pub fn new(names: &'static [&'static str]) -> Self {
        Self::list(names, 0)
    }

    fn list(names: &'static [&'static str], most: usize) -> Self {
        let value = Value::Null;
        Self { names, most, value }
    }

    fn of<E>(self, value: impl Into<Value>) -> Result<Self, E> {
        let value = value.into();
        Ok(Self { value, ..self })
    }
}

/// Reads a whole text, in which half an emoji is U+FFFD.
///
/// # Errors
/// When it is no JSON.
pub fn read(text: &str, into: Shallow) -> serde_json::Result<Shallow> {
    let text = without_lone_surrogates(text);
    let mut json = serde_json::Deserializer::from_str(&text);
    let read = into.deserialize(&mut json)?;
    json.end()?;
    Ok(read)
}

impl<'de> DeserializeSeed<'de> for Shallow {
    type Value = Self;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shallow {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        self.of(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self, E> {
        self.of(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self, E> {
        self.of(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self, E> {
        self.of(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self, E> {
        self.of(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self, E> {
        self.of(value)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Self, A::Error> {
        let mut kept = Vec::new();
        while let Some(entry) = entries.next_element_seed(Self::new(&[]))? {
            if kept.len() < self.most {
                kept.push(entry.value);
            }
        }
        self.of(Value::Array(kept))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        let mut kept = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            let list = LISTS.iter().find(|(list, _)| *list == name);
            let most = list.map_or(0, |(_, most)| *most);
            let member = members.next_value_seed(Self::list(&[], most))?;
            if self.names.contains(&name.as_str()) {
                kept.insert(name, member.value);
            }
        }
        self.of(kept)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Shallow, read};

    fn shallow(text: &str) -> Value {
        read(text, Shallow::new(&["a", "b"])).unwrap().value
    }

    #[test]
    fn one_level_of_what_is_known_is_kept() {
        let text = r#"{"x": [{"a": 1}], "a": "\u00e4", "b": {"a": [1, 2]}, "a": [[3]]}"#;
        assert_eq!(shallow(text), json!({ "a": [], "b": {} }));
        assert_eq!(
            shallow(r#" {"b": 1e2, "a": null} "#),
            json!({ "a": null, "b": 1e2 })
        );
        for value in [json!(null), json!(true), json!(-1), json!(1.5), json!("ä")] {
            assert_eq!(shallow(&value.to_string()), value);
        }
        assert_eq!(shallow("[1, {}]"), json!([]));
    }

    #[test]
    fn of_some_lists_the_entries_are_kept() {
        let read = |text: &str| read(text, Shallow::new(&["file_ids"])).unwrap().value;
        assert_eq!(
            read(r#"{"file_ids": ["a", ["b"], {"c": 1}, null]}"#),
            json!({"file_ids": ["a", [], {}, null]})
        );
        let many = json!({"file_ids": vec!["a"; 100]});
        let kept = read(&many.to_string());
        assert_eq!(kept["file_ids"].as_array().map(Vec::len), Some(11));
    }

    #[test]
    fn half_an_emoji_is_a_replacement_character() {
        let text = r#"{"a": "x\ud83d", "\ude00": {"\ud83d": ["\ud83d"]}, "b\ud83d": 1, "b": "\ud83d\ude00"}"#;
        assert_eq!(shallow(text), json!({ "a": "x\u{fffd}", "b": "😀" }));
    }

    #[test]
    fn it_reads_what_a_tree_reads() {
        let (deep, too_deep) = (127, 128);
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let (deep, too_deep) = (nested(deep), nested(too_deep));
        for text in [
            "",
            "1 2",
            "{\"x\": 1e999}",
            "{1: 1}",
            "[1,]",
            "\"\n\"",
            &deep,
            &too_deep,
            "{\"x\": {\"y\": [null, true, -0.5e-7, \"\\n\"]}}",
        ] {
            let expected = serde_json::from_str::<Value>(text).is_ok();
            assert_eq!(read(text, Shallow::new(&["x"])).is_ok(), expected, "{text}");
        }
    }
}
