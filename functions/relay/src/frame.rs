//! What a client may say in a frame, or in the body of a request: fields with one value each.

use kafka_common::json::lenient::{self, Shallow};
use serde_json::{Map, Value};

use crate::refused::Refused;

/// The longest frame without a file, in bytes.
const MAX_BYTES: usize = 512 * 1024;

/// All fields that any message has.
pub const FIELDS: &[&str] = &[
    "action",
    "client_id",
    "file_data",
    "file_id",
    "filename",
    "generation_id",
    "id",
    "is_chat_or_composer",
    "is_first_prompt",
    "message_id",
    "model",
    "model_id",
    "parent_id",
    "prompt",
    "rev",
    "selected_filename",
    "user_id",
    "version_id",
];

/// The fields of a frame that is a JSON object; `None`: it is none. Fields that nobody knows are left out, and so is
/// what arrays and objects have in them.
pub fn fields(frame: &str) -> Option<Map<String, Value>> {
    match lenient::read(frame, Shallow::new(FIELDS)).ok()?.value {
        Value::Object(fields) => Some(fields),
        _ => None,
    }
}

/// Refuses a frame that is long without having a file in it.
pub fn check_length(frame: &str, fields: &Map<String, Value>) -> Result<(), Refused> {
    let text = |name| fields.get(name).and_then(Value::as_str);
    let has_file = text("action") == Some("upload_file") && text("file_data").is_some();
    match frame.len() <= MAX_BYTES || has_file {
        true => Ok(()),
        false => Err(Refused::too_large(
            "A frame without a file has at most 512 KiB.",
        )),
    }
}
