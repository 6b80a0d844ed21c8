//! Messages and other parts of frames. What is missing in them counts as empty.

use serde_json::{Map, Value};

/// A message as frames and pages have it.
pub type Message = Map<String, Value>;

/// The parent of first messages.
const ROOT: &str = "";

/// A field that is a text, empty without one.
pub fn text<'a>(message: &'a Message, name: &str) -> &'a str {
    message
        .get(name)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The same of a frame.
pub fn string(frame: &Value, name: &str) -> String {
    frame[name].as_str().unwrap_or_default().to_owned()
}

/// The message that it follows; [`ROOT`] of a first one.
pub fn parent_of(message: &Message) -> &str {
    message
        .get("parent_id")
        .and_then(Value::as_str)
        .unwrap_or(ROOT)
}

/// An id, unless it is `null`.
pub fn id(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// The `messages` of a frame that have an id.
pub fn messages(frame: &Value) -> impl Iterator<Item = Message> {
    messages_in(frame, "messages")
}

/// Those of another field.
pub fn messages_in(frame: &Value, name: &str) -> impl Iterator<Item = Message> {
    let all = frame[name].as_array().into_iter().flatten();
    let all = all.filter_map(Value::as_object).cloned();
    all.filter(|message| !text(message, "id").is_empty())
}
