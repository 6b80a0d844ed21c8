//! What is in one JSON object of a reply, in the dialects that servers speak.

use serde_json::{Map, Value};

/// One object of a reply: a piece of it or, where the server doesn't stream, all of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chunk {
    pub text: String,
    pub finish: Option<String>,
    pub usage: Option<Value>,
    /// The server says that it failed: its error object or text.
    pub error: Option<Value>,
    /// It is something of a reply, however empty.
    pub is_reply: bool,
}

impl Chunk {
    /// `None`: no JSON object at all.
    pub(super) fn parse(data: &str) -> Option<Self> {
        let parsed = serde_json::from_str(data)
            .or_else(|_| serde_json::from_str(&without_lone_surrogates(data)))
            .ok()?;
        let Value::Object(fields) = parsed else {
            return None;
        };
        Some(Self::of(&fields))
    }

    fn of(fields: &Map<String, Value>) -> Self {
        let mut chunk = Self {
            usage: fields.get("usage").and_then(numbers),
            ..Self::default()
        };
        let is_error = fields.get("object").and_then(Value::as_str) == Some("error");
        match fields.get("error") {
            Some(error) if !matches!(error, Value::Null | Value::Bool(false)) => {
                chunk.error = Some(error.clone());
            }
            _ if is_error => chunk.error = Some(Value::Object(fields.clone())),
            _ => {}
        }
        let Some(choices) = fields.get("choices").and_then(Value::as_array) else {
            return chunk;
        };
        chunk.is_reply = true;
        let is_first =
            |choice: &&Value| choice.get("index").and_then(Value::as_u64).unwrap_or(0) == 0;
        let Some(choice) = choices.iter().find(is_first) else {
            return chunk;
        };
        let said = match (choice.get("delta"), choice.get("message")) {
            (Some(delta @ Value::Object(_)), _) => Some(delta),
            (_, message) => message,
        };
        if let Some(said) = said {
            // A refusal is what the model says instead.
            for name in ["content", "refusal"] {
                push_text(&mut chunk.text, said.get(name));
            }
        } else {
            push_text(&mut chunk.text, choice.get("text"));
        }
        let finish = choice.get("finish_reason").and_then(Value::as_str);
        chunk.finish = finish.filter(|why| !why.is_empty()).map(|why| {
            let plain = why.chars().filter(|c| !c.is_control());
            plain.take(40).collect()
        });
        chunk
    }
}

/// A text, or an array of parts that have texts.
fn push_text(text: &mut String, content: Option<&Value>) {
    match content {
        Some(Value::String(content)) => text.push_str(content),
        Some(Value::Array(parts)) => {
            for part in parts {
                push_text(text, part.get("text"));
            }
        }
        _ => {}
    }
}

/// An object's numbers, and those of its objects: all that usage is about, and nothing a server could smuggle in.
fn numbers(usage: &Value) -> Option<Value> {
    let fields = usage.as_object()?;
    let numbers = fields.iter().take(50).filter_map(|(name, value)| {
        let value = if value.is_number() {
            value.clone()
        } else {
            numbers(value)?
        };
        Some((name.chars().take(60).collect(), value))
    });
    let numbers: Map<String, Value> = numbers.collect();
    (!numbers.is_empty()).then_some(Value::Object(numbers))
}

/// Some servers cut an emoji between two pieces and escape its halves, which is no JSON: each half becomes U+FFFD.
fn without_lone_surrogates(json: &str) -> String {
    let mut repaired = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        repaired.push_str(before);
        let length = match (surrogate(escape), escape.get(6..).and_then(surrogate)) {
            (Some(0xd800..0xdc00), Some(0xdc00..0xe000)) => 12,
            (Some(_), _) => {
                repaired.push('\u{fffd}');
                rest = &escape[6..];
                continue;
            }
            // Any other escape: with the character that it escapes, which may be a backslash.
            (None, _) => 1 + escape.chars().nth(1).map_or(0, char::len_utf8),
        };
        repaired.push_str(&escape[..length]);
        rest = &escape[length..];
    }
    repaired.push_str(rest);
    repaired
}

/// The surrogate that `text` begins with, as `\uD83D`.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let unit = u16::from_str_radix(digits, 16).ok()?;
    (0xd800..0xe000).contains(&unit).then_some(unit)
}
