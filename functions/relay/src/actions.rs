//! What windows do to a chat's files: `upload_file`, `delete_file`, `revert_version`.

pub mod delete;
pub mod revert;
pub mod upload;

use kafka_common::object;
use serde_json::Value;

/// What an action did.
#[derive(Debug)]
pub struct Done {
    /// v1's answer.
    pub answer: Value,
    /// What v2's acknowledgement names.
    pub ids: Value,
    /// What the v2 windows are told.
    pub events: Vec<String>,
}

impl Done {
    /// v2's acknowledgement.
    pub fn ack(&self, in_reply_to: Option<&str>) -> Option<Value> {
        ack(&self.ids, in_reply_to)
    }
}

/// v2's acknowledgement of a message, with the ids of what it made; a message without an id gets none.
pub fn ack(ids: &Value, in_reply_to: Option<&str>) -> Option<Value> {
    let mut ack = object!({ "action": "ack", "in_reply_to": in_reply_to? });
    if let (Some(ack), Some(ids)) = (ack.as_object_mut(), ids.as_object()) {
        ack.extend(ids.clone());
    }
    Some(ack)
}
