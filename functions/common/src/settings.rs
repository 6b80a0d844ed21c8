//! Settings about replies, as they come in forms: what each may be, and which of them a statement changes. Which of three
//! levels they are set for is the endpoint's (`crate::api::settings`).

use serde_json::{Map, Value as Json, json};

use crate::api::MAX_ID_CHARS;
use crate::api::settings::{
    MAX_EXTRA_BYTES, MAX_EXTRA_DEPTH, MAX_INSTRUCTIONS_BYTES, MAX_TOKENS, Sent,
};
use crate::api::words::ReasoningEffort;
use crate::db::Value;
use crate::error::{Error, FieldError, Result};
use crate::params;

/// Settings that were sent, checked: for statements that take which of them are sent as bits, and then each.
#[derive(Debug, Default)]
pub struct Change {
    /// The bits, in the order of the fields.
    sent: i64,
    instructions: Option<String>,
    model_id: Option<String>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    max_tokens: Option<u32>,
    reasoning_effort: Option<ReasoningEffort>,
    /// JSON.
    extra: Option<String>,
}

impl Change {
    /// Checks what was sent.
    ///
    /// # Errors
    /// 422 with all fields that are not what they must be, in the order of their declaration.
    pub fn read(sent: Sent) -> Result<Self> {
        let mut errors = Vec::new();
        let mut bits = 0;
        let mut bit = 1;
        let mut take = |value: Option<Json>| {
            bits |= if value.is_some() { bit } else { 0 };
            bit <<= 1;
            value.filter(|value| !value.is_null())
        };
        let sent = Sent {
            instructions: take(sent.instructions),
            model_id: take(sent.model_id),
            temperature: take(sent.temperature),
            top_p: take(sent.top_p),
            max_tokens: take(sent.max_tokens),
            reasoning_effort: take(sent.reasoning_effort),
            extra: take(sent.extra),
        };
        let mut check = Checker(&mut errors);
        let change = Self {
            sent: bits,
            instructions: check.one("instructions", sent.instructions, instructions),
            model_id: check.one("model_id", sent.model_id, model_id),
            temperature: check.one("temperature", sent.temperature, |name, value| {
                number(name, value, 0.0, 2.0)
            }),
            top_p: check.one("top_p", sent.top_p, |name, value| {
                number(name, value, 0.0, 1.0)
            }),
            max_tokens: check.one("max_tokens", sent.max_tokens, tokens),
            reasoning_effort: check.one("reasoning_effort", sent.reasoning_effort, effort),
            extra: check.one("extra", sent.extra, extra),
        };
        match errors.is_empty() {
            true => Ok(change),
            false => Err(Error::Invalid(errors)),
        }
    }

    /// Whether nothing was sent.
    pub fn is_empty(&self) -> bool {
        self.sent == 0
    }

    /// The eight parameters of a statement: which are sent, as bits from 1 for the instructions to 64 for `extra`; the
    /// instructions, the model, temperature, top_p, max_tokens, reasoning_effort and `extra`.
    pub fn params(self) -> Vec<Value> {
        params![
            self.sent,
            self.instructions,
            self.model_id,
            self.temperature,
            self.top_p,
            self.max_tokens,
            self.reasoning_effort.map(ReasoningEffort::as_str),
            self.extra
        ]
    }

    /// The model that is to be set.
    pub fn model(&self) -> Option<&str> {
        self.model_id.as_deref()
    }
}

/// A value, or what is wrong with it.
type Checked<T> = std::result::Result<T, Box<FieldError>>;

/// Collects what is wrong.
struct Checker<'a>(&'a mut Vec<FieldError>);

impl Checker<'_> {
    fn one<T>(
        &mut self,
        name: &'static str,
        value: Option<Json>,
        check: impl FnOnce(&'static str, Json) -> Checked<T>,
    ) -> Option<T> {
        match check(name, value?) {
            Ok(value) => Some(value),
            Err(error) => {
                self.0.push(*error);
                None
            }
        }
    }
}

fn wrong<T>(kind: &'static str, name: &str, msg: impl Into<String>, input: Json) -> Checked<T> {
    Err(FieldError::new(kind, name, msg, input).into())
}

fn bounded(name: &str, value: Json, max: usize) -> Checked<String> {
    match value {
        Json::String(text) if text.len() <= max => Ok(text),
        Json::String(mut text) => {
            text.truncate(text.floor_char_boundary(100));
            let msg = format!("String should have at most {max} bytes");
            let error = FieldError::new("string_too_long", name, msg, text.into());
            Err(error.with_ctx(json!({ "max_length": max })).into())
        }
        other => Err(FieldError::not_a_string(name, other).into()),
    }
}

fn instructions(name: &'static str, value: Json) -> Checked<String> {
    bounded(name, value, MAX_INSTRUCTIONS_BYTES)
}

fn model_id(name: &'static str, value: Json) -> Checked<String> {
    // Of four bytes at most; the form has counted the characters.
    bounded(name, value, 4 * MAX_ID_CHARS)
}

/// A finite number from `least` to `most`, or a text that is one.
fn number(name: &'static str, value: Json, least: f64, most: f64) -> Checked<f64> {
    let found = match &value {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Some(number),
            _ => {
                let msg = "Input should be a valid number, unable to parse string as a number";
                return wrong("float_parsing", name, msg, value);
            }
        },
        _ => None,
    };
    let Some(found) = found else {
        return wrong("float_type", name, "Input should be a valid number", value);
    };
    let (kind, bound, limit, words) = if found < least {
        ("greater_than_equal", "ge", least, "greater")
    } else if found > most {
        ("less_than_equal", "le", most, "less")
    } else {
        return Ok(found);
    };
    let msg = format!("Input should be {words} than or equal to {limit}");
    let error = FieldError::new(kind, name, msg, value);
    Err(error.with_ctx(json!({ bound: limit })).into())
}

fn tokens(name: &'static str, value: Json) -> Checked<u32> {
    let whole = |number: f64| number.fract() == 0.0;
    let is_whole = match &value {
        Json::Number(number) => number.as_f64().is_some_and(whole),
        Json::String(text) => text.trim().parse::<i64>().is_ok(),
        _ => false,
    };
    if !is_whole {
        return wrong("int_type", name, "Input should be a valid integer", value);
    }
    // In range, so nothing is lost.
    number(name, value, 1.0, MAX_TOKENS.into()).map(|tokens| tokens as u32)
}

fn effort(name: &'static str, value: Json) -> Checked<ReasoningEffort> {
    let known = |text: &str| ReasoningEffort::ALL.iter().find(|it| it.as_str() == text);
    if let Some(effort) = value.as_str().and_then(known) {
        return Ok(*effort);
    }
    let expected = "'none', 'minimal', 'low', 'medium' or 'high'";
    let msg = format!("Input should be {expected}");
    let error = FieldError::new("literal_error", name, msg, value);
    Err(error.with_ctx(json!({ "expected": expected })).into())
}

/// A JSON object, or a text of one; as JSON.
fn extra(name: &'static str, value: Json) -> Checked<String> {
    let object: Option<Map<String, Json>> = match &value {
        Json::Object(object) => Some(object.clone()),
        Json::String(text) => serde_json::from_str(text).ok(),
        _ => None,
    };
    let Some(object) = object.map(Json::Object) else {
        return wrong(
            "dict_type",
            name,
            "Input should be a valid dictionary",
            value,
        );
    };
    if depth(&object) > MAX_EXTRA_DEPTH {
        let msg = format!("Value error, it is nested deeper than {MAX_EXTRA_DEPTH} levels");
        let error = FieldError::new("value_error", name, msg, Json::Null);
        return Err(error.with_ctx(json!({ "error": {} })).into());
    }
    bounded(name, object.to_string().into(), MAX_EXTRA_BYTES)
}

fn depth(value: &Json) -> usize {
    let deepest = match value {
        Json::Array(values) => values.iter().map(depth).max(),
        Json::Object(fields) => fields.values().map(depth).max(),
        _ => return 0,
    };
    1 + deepest.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Change;
    use crate::api::settings::Sent;
    use crate::error::Error;

    #[test]
    fn what_is_sent_is_known() {
        let change = Change::read(Sent {
            temperature: Some(json!("0.5")),
            max_tokens: Some(json!(10.0)),
            extra: Some(Value::Null),
            ..Sent::default()
        })
        .unwrap();
        assert_eq!((change.sent, change.temperature), (4 + 16 + 64, Some(0.5)));
        assert_eq!((change.max_tokens, &change.extra), (Some(10), &None));
        assert!(Change::read(Sent::default()).unwrap().is_empty());
    }

    #[test]
    fn what_is_wrong_is_named() {
        let deep = (0..17).fold(json!(1), |inside, _| json!({ "a": inside }));
        let sent = Sent {
            instructions: Some("ä".repeat(8193).into()),
            model_id: Some(json!(5)),
            temperature: Some(json!(2.1)),
            top_p: Some(json!("nan")),
            max_tokens: Some(json!(0)),
            reasoning_effort: Some(json!("much")),
            extra: Some(deep),
        };
        let Err(Error::Invalid(errors)) = Change::read(sent) else {
            panic!("it is wrong");
        };
        let kinds: Vec<_> = errors.iter().map(|error| error.kind).collect();
        let expected = [
            "string_too_long",
            "string_type",
            "less_than_equal",
            "float_parsing",
            "greater_than_equal",
            "literal_error",
            "value_error",
        ];
        assert_eq!(kinds, expected);
        for (field, value) in [
            ("max_tokens", json!(1.5)),
            ("max_tokens", json!(true)),
            ("extra", json!([])),
        ] {
            let mut sent = Sent::default();
            match field {
                "extra" => sent.extra = Some(value),
                _ => sent.max_tokens = Some(value),
            }
            assert!(Change::read(sent).is_err(), "{field}");
        }
    }
}
