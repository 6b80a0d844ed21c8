//! Fields from a JSON object, which is taken wherever a form is (docs/http-compatibility.md#form-fields).

use std::collections::HashMap;

use serde_json::Value;
use serde_json::value::RawValue;

use super::received::{MAX_SHOWN_BYTES, Part, Received};
use crate::api::form::{Field, FieldKind, FormSpec};
use crate::api::json::without_lone_surrogates;
use crate::error::Result;
use crate::json;

/// The fields of a body that is a JSON object. `null` is as good as no field unless that is a value, and what doesn't begin
/// as an object has none: the original read no field of a body that is labelled as JSON.
///
/// Errors: 422 for an object that is no JSON, 400 for what is no text.
pub(super) fn read<'a, F>(body: &[u8], spec: &'a FormSpec) -> Result<Received<'a, F>> {
    let mut received = Received::new(spec);
    let text = json::to_text(body)?;
    let text = without_lone_surrogates(&text);
    if !text.trim_start().starts_with('{') {
        // A form that is described as JSON is no form without an object.
        let is_json = |field: &Field| field.kind == FieldKind::Value;
        return match spec.iter().any(is_json) && !text.trim().is_empty() {
            true => Err(json::no_object_in(&text)),
            false => Ok(received),
        };
    }
    // Of what isn't declared, only the place in the text is kept.
    let members: HashMap<String, &RawValue> = match serde_json::from_str(&text) {
        Ok(members) => members,
        Err(_) => return Err(json::no_object_in(&text)),
    };
    for field in spec {
        let value = members.get(field.name).map(|value| value.get());
        match (field.kind, value) {
            (FieldKind::Value, Some(json)) => {
                // One that is too long stays a text, whose length is checked.
                let value = match json.starts_with('"') || json.len() <= field.max_chars {
                    true => serde_json::from_str(json).unwrap_or_default(),
                    false => Value::from(json),
                };
                let value = match value {
                    Value::String(text) => Part::Text(text),
                    value => Part::Other(value),
                };
                received.add(field.name, value);
            }
            (_, None | Some("null")) => {}
            (FieldKind::Boolean { .. }, Some(json @ ("true" | "false" | "1" | "0"))) => {
                received.add(field.name, Part::Text(json.to_owned()));
            }
            (FieldKind::Texts | FieldKind::Files { .. }, Some(json)) => {
                match serde_json::from_str::<Vec<&RawValue>>(json) {
                    Ok(values) => values.iter().for_each(|value| {
                        received.add(field.name, part(value.get()));
                    }),
                    Err(_) => _ = received.add(field.name, part(json)),
                }
            }
            (_, Some(json))
                if field.is_json && json.starts_with(|c: char| c == '{' || c.is_ascii_digit()) =>
            {
                received.add(field.name, Part::Text(json.to_owned()));
            }
            (_, Some(json)) => _ = received.add(field.name, part(json)),
        }
    }
    Ok(received)
}

/// A value, which should be a text.
fn part<F>(json: &str) -> Part<F> {
    match serde_json::from_str(json) {
        Ok(text) => Part::Text(text),
        Err(_) if json.len() > MAX_SHOWN_BYTES => {
            Part::Other(json[..json.floor_char_boundary(MAX_SHOWN_BYTES)].into())
        }
        Err(_) => Part::Other(serde_json::from_str(json).unwrap_or_default()),
    }
}
