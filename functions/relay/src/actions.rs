//! What windows do to a chat's files: `upload_file`, `delete_file`, `revert_version`.

pub mod delete;
pub mod revert;
pub mod upload;

use kafka_common::api::events::{Ack, Event, EventV1, FileChanged};

/// What an action did.
#[derive(Debug)]
pub struct Done {
    /// v1's answer.
    pub answer: EventV1,
    /// What v2's acknowledgement names.
    pub file: FileChanged,
    /// What the v2 windows are told.
    pub events: Vec<Event>,
}

/// v2's acknowledgement of a message; a message without an id gets none.
pub fn ack(ack: Ack, in_reply_to: Option<&str>) -> Option<Event> {
    let in_reply_to = in_reply_to?.to_owned();
    Some(Event::Ack(Box::new(Ack { in_reply_to, ..ack })))
}
