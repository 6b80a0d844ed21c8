//! What clients do to a chat's files: `upload_file`, `delete_file`, `revert_version`.

pub mod delete;
pub mod revert;
pub mod upload;

use kafka_common::access::Caller;
use kafka_common::api::actions::Action;
use kafka_common::api::events::{Ack, Event, EventV1, FileChanged};
use kafka_common::links::{self, Called};

use crate::refused::Refused;

/// What an action did.
#[derive(Debug)]
pub struct ActionDone {
    /// v1's answer.
    pub answer: EventV1,
    /// What v2's acknowledgement names.
    pub file: FileChanged,
    /// The events for the v2 clients.
    pub events: Vec<Event>,
}

/// Does what an action asks that is about a file.
pub async fn file(
    chat: &str,
    called: &Called,
    caller: &Caller,
    action: Action<'_>,
) -> Result<ActionDone, Refused> {
    let mut done = match action {
        Action::UploadFile {
            filename,
            file_data,
        } => upload::upload(chat, caller, &filename.0, file_data).await?,
        Action::DeleteFile { file_id } => delete::delete(chat, caller, file_id.0).await?,
        Action::RevertVersion {
            version_id,
            filename,
        } => revert::revert(chat, caller, &version_id.0, filename.0).await?,
        other => return Err(Refused::unknown_action(other.into())),
    };
    links::publish(called, &mut done.events).await;
    Ok(done)
}

/// v2's acknowledgement of a message; a message without an id gets none.
pub fn ack(ack: Ack, in_reply_to: Option<&str>) -> Option<Event> {
    let in_reply_to = in_reply_to?.to_owned();
    Some(Event::Ack(Box::new(Ack { in_reply_to, ..ack })))
}
