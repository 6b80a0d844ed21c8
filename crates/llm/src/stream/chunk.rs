//! One JSON object of a reply, in the dialects that endpoints use.

use serde_json::{Map, Value};

use crate::failure::EndpointError;
use kafka_api::json::without_lone_surrogates;

use crate::json::{entries, fields, is_too_deep, value};

/// Usage is a few numbers. Those beyond so many are left out, and so is what their names have beyond so much.
const MAX_NUMBERS: usize = 50;
const MAX_NAME_CHARS: usize = 60;

/// Longer usage, in bytes, is left out: it would be read into memory as a tree.
const MAX_USAGE_BYTES: usize = 16 * 1024;

/// The longest reason why a reply ended.
const MAX_REASON_CHARS: usize = 40;

/// One object of a reply: a piece of it or, where the endpoint doesn't stream, all of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chunk {
    pub text: String,
    pub finish: Option<String>,
    pub usage: Option<Value>,
    /// The error of the endpoint, if it failed.
    pub error: Option<EndpointError>,
    /// It is part of a reply, even if there is no text in it.
    pub is_reply: bool,
}

impl Chunk {
    /// `None`: no JSON object at all, or an error that is nested too deep.
    pub(super) fn parse(data: &str) -> Option<Self> {
        let data = &*without_lone_surrogates(data);
        let [choices, usage, object, error] =
            fields(data, ["choices", "usage", "object", "error"])?;
        let is_error = value::<String>(object).is_some_and(|object| object == "error");
        let error = match error {
            "null" | "false" => is_error.then(|| EndpointError::read(data)),
            error if is_too_deep(error) => return None,
            error => Some(EndpointError::read(error)),
        };
        // Of several choices, the first with the index 0 or without one is the reply.
        let mut choice = None;
        let is_reply = entries(choices, |entry| {
            let names = ["index", "delta", "message", "text", "finish_reason"];
            let fields = fields(entry, names);
            let fields = fields.filter(|[index, ..]| value::<u64>(index).unwrap_or(0) == 0);
            choice = choice.or(fields);
        });
        let [_, delta, message, text, finish] = choice.unwrap_or(["null"; 5]);
        let finish = value::<String>(finish).filter(|reason| !reason.is_empty());
        let usage = Some(usage).filter(|usage| usage.starts_with('{'));
        let usage = usage.filter(|usage| usage.len() <= MAX_USAGE_BYTES);
        Some(Self {
            text: piece(delta)
                .or_else(|| piece(message))
                .unwrap_or_else(|| content(text)),
            finish: finish.map(|reason| {
                let plain = reason.chars().filter(|c| !c.is_control());
                plain.take(MAX_REASON_CHARS).collect()
            }),
            usage: usage.and_then(|usage| numbers(value(usage)?, &mut { MAX_NUMBERS })),
            error,
            is_reply: is_reply.is_some(),
        })
    }
}

/// The text of a message or of a piece of one. A refusal takes its place.
fn piece(message: &str) -> Option<String> {
    let [text, refusal] = fields(message, ["content", "refusal"])?;
    Some(content(text) + &content(refusal))
}

/// A text, or an array of parts that have texts; empty for everything else.
fn content(json: &str) -> String {
    let mut text = value(json).unwrap_or_default();
    entries(json, |part| {
        let part = fields(part, ["text"]).and_then(|[text]| value::<String>(text));
        text += part.as_deref().unwrap_or_default();
    });
    text
}

/// An object's numbers, and those of its objects: all that usage is about, and nothing that an endpoint could add to
/// it.
fn numbers(usage: Value, left: &mut usize) -> Option<Value> {
    match usage {
        Value::Number(_) => Some(usage),
        Value::Object(fields) => {
            let mut kept = Map::new();
            for (name, value) in fields {
                if *left == 0 {
                    break;
                }
                if let Some(value) = numbers(value, left) {
                    *left = left.saturating_sub(1);
                    kept.insert(name.chars().take(MAX_NAME_CHARS).collect(), value);
                }
            }
            (!kept.is_empty()).then(|| kept.into())
        }
        _ => None,
    }
}
