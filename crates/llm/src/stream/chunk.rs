//! One JSON object of a reply, in the dialects that endpoints use.

use serde_json::{Map, Value};

use super::ending::{Reason, is_marked_done};
use crate::failure::EndpointError;
use crate::json::{entries, fields, is_empty, is_too_deep, value, without_nan};
use kafka_api::json::without_lone_surrogates;

/// Usage is a few numbers. Those beyond so many are left out, and so is what their names have beyond so much.
const MAX_NUMBERS: usize = 50;
const MAX_NAME_CHARS: usize = 60;

/// Longer usage, in bytes, is left out: it would be read into memory as a tree.
const MAX_USAGE_BYTES: usize = 16 * 1024;

/// Parts of a content are read so deep: a part of type `thinking` has parts of its own.
const MAX_DEPTH: usize = 8;

/// One object of a reply: a piece of it or, where the endpoint doesn't stream, all of it.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Chunk {
    pub written: Written,
    pub finish: Option<Reason>,
    pub usage: Option<Value>,
    /// The error of the endpoint, if it failed.
    pub error: Option<EndpointError>,
    /// It is part of a reply, even if there is no text in it.
    pub is_reply: bool,
    /// It is a reply by itself.
    pub is_whole: bool,
}

/// What the model wrote in an object of a reply.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Written {
    pub reasoning: String,
    pub text: String,
    /// The name of a tool that it wants to be called; empty: it has none.
    pub tool: Option<String>,
}

impl Chunk {
    /// `None`: no JSON object at all, or an error that is nested too deep.
    pub(super) fn parse(data: &str) -> Option<Self> {
        let data = &*without_lone_surrogates(data);
        let data = &*without_nan(data);
        let [choices, usage, error, message, response] =
            fields(data, ["choices", "usage", "error", "message", "response"])?;
        if is_too_deep(error) {
            return None;
        }
        // Of several choices, the first with the index 0 or without one is the reply.
        let mut choice = None;
        let has_choices = entries(choices, |entry| {
            let is_first = fields(entry, ["index"])
                .is_some_and(|[index]| value::<u64>(index).unwrap_or(0) == 0);
            if is_first {
                choice = choice.or(Some(entry));
            }
        });
        // Ollama's own: the object is the choice.
        let is_bare = has_choices.is_none()
            && (fields(message, ["content"]).is_some_and(|[content]| content != "null")
                || value::<String>(response).is_some());
        let has_choice = choice.is_some();
        let choice = choice.or(is_bare.then_some(data)).unwrap_or("{}");
        let block = Reason::of_block(data);
        let is_reply = has_choices.is_some() || is_bare || block.is_some();

        let names = ["delta", "message", "text", "response", "error"];
        let [delta, message, text, response, choice_error] =
            fields(choice, names).unwrap_or(["null"; 5]);
        let written = Written::in_message(delta)
            .filter(|written| *written != Written::default())
            .or_else(|| Written::in_message(message))
            .unwrap_or_else(|| {
                let mut written = Written::default();
                written.add_content(text, MAX_DEPTH);
                if is_bare {
                    written.add_content(response, MAX_DEPTH);
                }
                written
            });
        let error = EndpointError::reported(data, has_choice || is_bare)
            .or_else(|| {
                Some(choice_error)
                    .filter(|error| !is_empty(error))
                    .map(EndpointError::read)
            })
            .or_else(|| reported_in(delta))
            .or_else(|| reported_in(message));
        let finish = Reason::of(choice)
            .or_else(|| Reason::of(data))
            .or(block)
            .or_else(|| {
                let done = is_bare && is_marked_done(data);
                done.then(Reason::stop)
            });
        let usage = Some(usage).filter(|usage| usage.starts_with('{'));
        let usage = usage.filter(|usage| usage.len() <= MAX_USAGE_BYTES);
        Some(Self {
            written,
            finish,
            usage: usage.and_then(|usage| numbers(value(usage)?, &mut { MAX_NUMBERS })),
            error,
            is_reply,
            is_whole: has_choices.is_some() && message.starts_with('{') && !delta.starts_with('{'),
        })
    }
}

/// An error in a message or in a piece of one.
fn reported_in(message: &str) -> Option<EndpointError> {
    let [error] = fields(message, ["error"])?;
    (!is_empty(error)).then(|| EndpointError::read(error))
}

impl Written {
    /// What is in a message or in a piece of one; `None`: it is no object.
    fn in_message(message: &str) -> Option<Self> {
        let mut written = Self::default();
        let names = [
            "reasoning_content",
            "reasoning",
            "reasoning_text",
            "thinking",
            "reasoning_details",
            "content",
            "refusal",
            "tool_calls",
            "function_call",
        ];
        let [a, b, c, d, details, content, refusal, tools, function] = fields(message, names)?;
        // Some endpoints send the same under two names.
        for thought in [a, b, c, d, details] {
            if written.reasoning.is_empty() {
                written.reasoning = thought_in(thought, MAX_DEPTH);
            }
        }
        let mut contents = Self::default();
        contents.add_content(content, MAX_DEPTH);
        if written.reasoning.is_empty() {
            written.reasoning = contents.reasoning;
        }
        written.text = contents.text;
        // The model's text instead of an answer.
        written.text += &value::<String>(refusal).unwrap_or_default();
        if !is_empty(tools) {
            let mut name = None;
            entries(tools, |tool| name = name.take().or_else(|| tool_name(tool)));
            written.tool = Some(name.unwrap_or_default());
        } else if !is_empty(function) {
            let [name] = fields(function, ["name"]).unwrap_or(["null"]);
            written.tool = Some(value(name).unwrap_or_default());
        }
        Some(written)
    }

    /// Adds a text, a part, or a list of them; everything else is nothing.
    fn add_content(&mut self, json: &str, depth: usize) {
        if let Some(text) = value::<String>(json) {
            self.text += &text;
            return;
        }
        let Some(depth) = depth.checked_sub(1) else {
            return;
        };
        if entries(json, |part| self.add_content(part, depth)).is_some() {
            return;
        }
        let names = ["type", "text", "refusal", "thought"];
        let Some([kind, text, refusal, thought]) = fields(json, names) else {
            return;
        };
        let kind = value::<String>(kind)
            .unwrap_or_default()
            .to_ascii_lowercase();
        let thinks = ["think", "thought", "reason"]
            .iter()
            .any(|word| kind.contains(word));
        if thinks || thought == "true" {
            self.reasoning += &thought_in(json, depth);
        } else {
            self.add_content(text, depth);
            self.text += &value::<String>(refusal).unwrap_or_default();
        }
    }
}

/// The text of reasoning: a text, or a part or a list of parts that have one.
fn thought_in(json: &str, depth: usize) -> String {
    if let Some(text) = value::<String>(json) {
        return text;
    }
    let mut thought = String::new();
    let Some(depth) = depth.checked_sub(1) else {
        return thought;
    };
    if entries(json, |part| thought += &thought_in(part, depth)).is_some() {
        return thought;
    }
    let names = ["thinking", "text", "summary", "content", "reasoning"];
    let fields = fields(json, names).into_iter().flatten();
    let mut fields = fields.map(|field| thought_in(field, depth));
    fields
        .find(|thought| !thought.is_empty())
        .unwrap_or_default()
}

fn tool_name(tool: &str) -> Option<String> {
    let [function, name] = fields(tool, ["function", "name"])?;
    let inner = fields(function, ["name"]).and_then(|[name]| value::<String>(name));
    inner
        .or_else(|| value(name))
        .filter(|name| !name.is_empty())
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
