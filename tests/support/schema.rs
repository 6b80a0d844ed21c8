//! Whether a JSON value fits a JSON Schema, as far as the API's description uses them. Any other keyword fails the test
//! instead of being ignored.

use serde_json::Value;

/// The errors of `value`, seen from the root; none if it fits. References lead into `document`.
pub fn problems(document: &Value, schema: &Value, value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    check(document, schema, value, "", &mut problems);
    problems
}

fn check(document: &Value, schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    let schema = schema.as_object().expect("a schema is an object");
    for (keyword, wanted) in schema {
        let mut demand = |holds: bool| {
            if !holds {
                problems.push(format!("{at}: {value} against {keyword} {wanted}"));
            }
        };
        match (keyword.as_str(), value) {
            ("description" | "example" | "format", _)
                if keyword != "format" || wanted != "date-time" => {}
            ("format", Value::String(time)) => demand(is_time(time)),
            ("type", _) => demand(match wanted {
                Value::Array(types) => types.iter().any(|wanted| is_of(wanted, value)),
                wanted => is_of(wanted, value),
            }),
            ("const", _) => demand(wanted == value),
            ("enum", _) => demand(list(wanted).contains(value)),
            ("minLength", Value::String(text)) => {
                demand(text.chars().count() as u64 >= number(wanted))
            }
            ("maxLength", Value::String(text)) => {
                demand(text.chars().count() as u64 <= number(wanted))
            }
            ("minimum", Value::Number(_)) => demand(value.as_u64() >= wanted.as_u64()),
            ("maximum", Value::Number(_)) => demand(value.as_u64() <= wanted.as_u64()),
            ("required", Value::Object(fields)) => {
                demand(
                    list(wanted)
                        .iter()
                        .all(|name| fields.contains_key(text(name))),
                );
            }
            ("properties", Value::Object(fields)) => {
                for (name, schema) in wanted.as_object().expect("an object") {
                    if let Some(value) = fields.get(name) {
                        check(document, schema, value, &format!("{at}/{name}"), problems);
                    }
                }
            }
            ("additionalProperties", Value::Object(fields)) => {
                assert_eq!(wanted, false, "closed or not declared");
                let known = schema["properties"].as_object().expect("an object");
                demand(fields.keys().all(|name| known.contains_key(name)));
            }
            ("items", Value::Array(values)) => {
                for (index, value) in values.iter().enumerate() {
                    check(document, wanted, value, &format!("{at}/{index}"), problems);
                }
            }
            // Of e-mail addresses that are sent.
            ("not", _) => {}
            // Only one of the described events has the action of an event.
            ("anyOf" | "oneOf", _) => demand(list(wanted).iter().any(|schema| {
                let mut problems = Vec::new();
                check(document, schema, value, at, &mut problems);
                problems.is_empty()
            })),
            ("$ref", _) => {
                let pointer = text(wanted).strip_prefix('#').expect("a reference to here");
                let schema = document
                    .pointer(pointer)
                    .expect("references lead somewhere");
                check(document, schema, value, at, problems);
            }
            // For values of another type, which `type` judges.
            (
                "format"
                | "minLength"
                | "maxLength"
                | "minimum"
                | "required"
                | "properties"
                | "additionalProperties"
                | "items",
                _,
            ) => {}
            _ => panic!("a keyword that this check doesn't know: {keyword}"),
        }
    }
}

fn is_of(wanted: &Value, value: &Value) -> bool {
    match text(wanted) {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("an unknown type: {other}"),
    }
}

/// `2026-11-22T12:07:33.823017+00:00`, to the letter.
fn is_time(time: &str) -> bool {
    let pattern = "0000-00-00T00:00:00.000000+00:00";
    time.len() == pattern.len()
        && time.chars().zip(pattern.chars()).enumerate().all(
            |(place, (found, wanted))| match wanted {
                '0' if place < 26 => found.is_ascii_digit(),
                wanted => found == wanted,
            },
        )
}

fn list(value: &Value) -> &[Value] {
    value.as_array().expect("a list")
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

fn number(value: &Value) -> u64 {
    value.as_u64().expect("a number")
}
