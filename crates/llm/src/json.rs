//! Reading JSON that models' endpoints send: field by field, whatever types the fields have.
//!
//! A tree of values takes up to fifty times as much memory as its text, and what `serde` derives fails on an object
//! that has a field twice or in another type than expected, and takes an array for a struct. Endpoints do send such
//! things. So fields are cut out of the text as JSON, and each is read by itself. Nothing here calls itself, so no
//! nesting is too deep.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

/// The fields of an object with these names, each as JSON; `null` for one that it lacks, the last one for one that it
/// has twice. `None`: it is no JSON, or no object.
pub(crate) fn fields<'a, const N: usize>(json: &'a str, names: [&str; N]) -> Option<[&'a str; N]> {
    let mut fields = ["null"; N];
    let take = |name: Option<&str>, value| {
        if let Some(at) = names.iter().position(|known| Some(*known) == name) {
            fields[at] = value;
        }
    };
    (each(json, take)? == Kind::Object).then_some(fields)
}

/// Calls `take` with each entry of an array, as JSON. `None`: it is no JSON, or no array.
pub(crate) fn entries<'a>(json: &'a str, mut take: impl FnMut(&'a str)) -> Option<()> {
    let take = |name: Option<&str>, value| {
        if name.is_none() {
            take(value);
        }
    };
    (each(json, take)? == Kind::Array).then_some(())
}

/// Calls `take` with the name and the value of each field of an object. `None`: it is no JSON, or no object.
pub(crate) fn members<'a>(json: &'a str, mut take: impl FnMut(&str, &'a str)) -> Option<()> {
    let take = |name: Option<&str>, value| {
        if let Some(name) = name {
            take(name, value);
        }
    };
    (each(json, take)? == Kind::Object).then_some(())
}

/// The value, if it is one of this type.
pub(crate) fn value<'a, T: Deserialize<'a>>(json: &'a str) -> Option<T> {
    serde_json::from_str(json).ok()
}

/// The text with `null` for `NaN` and `Infinity`, which are no JSON and which Python's writer of JSON writes.
pub(crate) fn without_nan(text: &str) -> Cow<'_, str> {
    const WORDS: [&str; 3] = ["NaN", "-Infinity", "Infinity"];
    if !WORDS.iter().any(|word| text.contains(word)) || is_json(text) {
        return text.into();
    }
    let (mut repaired, mut rest) = (String::with_capacity(text.len()), text);
    let (mut in_text, mut escaped) = (false, false);
    while let Some(next) = rest.chars().next() {
        let word = WORDS
            .iter()
            .find(|word| !in_text && rest.starts_with(**word));
        if let Some(word) = word {
            repaired.push_str("null");
            rest = &rest[word.len()..];
            continue;
        }
        match next {
            _ if escaped => escaped = false,
            '\\' => escaped = in_text,
            '"' => in_text = !in_text,
            _ => {}
        }
        repaired.push(next);
        rest = &rest[next.len_utf8()..];
    }
    repaired.into()
}

/// Whether a text is JSON.
pub(crate) fn is_json(text: &str) -> bool {
    value::<IgnoredAny>(text).is_some()
}

/// Whether a value is empty: `null`, `false`, 0, an empty text, or an object or array of such values.
pub(crate) fn is_empty(json: &str) -> bool {
    /// What is deeper is something, and so is what has more values.
    const MOST: usize = 8;
    const MOST_VALUES: usize = 16;
    fn within(json: &str, depth: usize) -> bool {
        if let Some(text) = value::<Cow<'_, str>>(json) {
            return text.trim().is_empty();
        }
        if ["null", "false"].contains(&json) || value::<f64>(json) == Some(0.0) {
            return true;
        }
        let Some(depth) = depth.checked_sub(1) else {
            return false;
        };
        let (mut empty, mut count) = (true, 0);
        let read = each(json, |_, value| {
            count += 1;
            empty = empty && count <= MOST_VALUES && within(value, depth);
        });
        read.is_some() && empty
    }
    within(json, MOST)
}

/// Whether JSON has values inside of so many others that no endpoint means them.
pub(crate) fn is_too_deep(json: &str) -> bool {
    const MOST: usize = 128;
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    json.bytes().any(|byte| {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_text,
            b'"' => in_text = !in_text,
            b'[' | b'{' if !in_text => depth += 1,
            b']' | b'}' if !in_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MOST
    })
}

#[derive(PartialEq)]
enum Kind {
    Array,
    Object,
}

fn each<'a>(json: &'a str, take: impl FnMut(Option<&str>, &'a str)) -> Option<Kind> {
    struct Each<F>(F);

    impl<'de, F: FnMut(Option<&str>, &'de str)> Visitor<'de> for Each<F> {
        type Value = Kind;

        fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
            formatter.write_str("an array or an object")
        }

        fn visit_seq<A: SeqAccess<'de>>(mut self, mut entries: A) -> Result<Kind, A::Error> {
            while let Some(entry) = entries.next_element::<&RawValue>()? {
                (self.0)(None, entry.get());
            }
            Ok(Kind::Array)
        }

        fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<Kind, A::Error> {
            while let Some((name, value)) = fields.next_entry::<Cow<'_, str>, &RawValue>()? {
                (self.0)(Some(&name), value.get());
            }
            Ok(Kind::Object)
        }
    }

    let mut json = serde_json::Deserializer::from_str(json);
    let kind = json.deserialize_any(Each(take)).ok()?;
    json.end().ok()?;
    Some(kind)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use kafka_api::json::without_lone_surrogates;

    use super::{entries, fields, is_json, without_nan};
    use crate::random::{cases, text};

    const PIECES: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"a\"",
        "\"b\"",
        "\"a\":",
        "{\"a\":1}",
        "null",
        "5",
        "\"\\u00e4\"",
        " ",
    ];

    #[test]
    fn what_python_writes_for_no_number_is_null() {
        for (text, repaired) in [
            (
                r#"{"a":NaN,"b":[-Infinity,Infinity]}"#,
                r#"{"a":null,"b":[null,null]}"#,
            ),
            (r#"{"a":"NaN"}"#, r#"{"a":"NaN"}"#),
            (r#"{"a":"\"NaN","b":NaN}"#, r#"{"a":"\"NaN","b":null}"#),
        ] {
            assert_eq!(without_nan(text), repaired);
        }
    }

    proptest! {
        #![proptest_config(cases(10_000))]

        #[test]
        fn it_reads_what_a_tree_reads(json in text(PIECES, 8)) {
            let tree: Option<Value> = serde_json::from_str(&json).ok();
            prop_assert_eq!(is_json(&json), tree.is_some());
            let read = |json| serde_json::from_str::<Value>(json).unwrap_or_default();
            let object = tree.as_ref().and_then(Value::as_object);
            let of_tree = object.map(|object| ["b", "a"].map(|name| object.get(name).cloned().unwrap_or_default()));
            prop_assert_eq!(fields(&json, ["b", "a"]).map(|fields| fields.map(read)), of_tree);
            let mut found = Vec::new();
            let array = entries(&json, |entry| found.push(read(entry)));
            prop_assert_eq!(array.map(|()| &found), tree.as_ref().and_then(Value::as_array));
        }

        #[test]
        fn repaired_escapes_are_json(text in text(&["\\ud83d", "\\ude00", "\\\\", "\\n", "u", "ä", "\\u00e4"], 8)) {
            let json = format!("\"{text}\"");
            prop_assert!(serde_json::from_str::<String>(&without_lone_surrogates(&json)).is_ok());
        }
    }
}
