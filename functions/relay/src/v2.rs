//! The streamed protocol: one message of a client, and its one acknowledgement or error.

use kafka_common::access::Caller;
use kafka_common::api::events::{Ack, Event};
use kafka_common::api::relay::{ReplyBegun, Stopped};
use kafka_common::db::Db;
use kafka_common::reply::audience;
use serde_json::{Map, Value};

use crate::actions::{ack, delete, revert, upload};
use crate::begin::{Outcome, begin, ids};
use crate::prompt::{Prompt, message_id, text_field};
use crate::refused::Refused;
use crate::{branch, frame, initial, reply, snapshot, stop};

/// Does what a frame asks, and returns what its sender is told: an acknowledgement if the message has an id, an error
/// in any case. What it changes, all windows are told.
/// Where there is no room for a long answer, what has one is refused.
pub async fn frame(chat: &str, caller: &Caller, frame: &str, has_room: bool) -> Option<Event> {
    let Some(fields) = frame::fields(frame) else {
        return Some(Refused::bad_request("A message must be a JSON object.").v2(None));
    };
    // Whatever is wrong with the rest, its sender is to know which message it was.
    let id = fields.get("id").and_then(Value::as_str);
    let answer = match frame::check_length(frame, &fields) {
        Ok(()) => answer(chat, caller, &fields, id, has_room).await,
        Err(refused) => Err(refused),
    };
    answer.unwrap_or_else(|refused| Some(refused.v2(id)))
}

async fn answer(
    chat: &str,
    caller: &Caller,
    fields: &Map<String, Value>,
    id: Option<&str>,
    has_room: bool,
) -> Result<Option<Event>, Refused> {
    if fields
        .get("id")
        .is_some_and(|id| !id.is_string() && !id.is_null())
    {
        return Err(Refused::bad_request("id must be a string."));
    }
    let action = match fields.get("action") {
        Some(Value::String(action)) => action.as_str(),
        _ => return Err(Refused::bad_request("action must be a string.")),
    };
    let prompt = match action {
        "new_message" => Some(Prompt::parse(fields)?),
        "edit_message" => Some(Prompt::edit(fields, message_id(fields, action)?)?),
        "regenerate" => Some(Prompt::regenerate(fields, message_id(fields, action)?)?),
        _ => None,
    };
    if let Some(prompt) = prompt {
        let made = Ack {
            reply: Some(ask(chat, caller, prompt).await?),
            ..Ack::default()
        };
        return Ok(ack(made, id));
    }
    let done = match action {
        "select_branch" => {
            let message = message_id(fields, action)?;
            let mut db = Db::open().await?;
            let selected = branch::select(&mut db, chat, caller, &message).await?;
            let made = Ack {
                branch: Some(selected),
                ..Ack::default()
            };
            return Ok(ack(made, id));
        }
        "stop" => {
            let which = text_field(fields, "generation_id")?;
            let mut db = Db::open().await?;
            let stopped =
                stop::request_stop(&mut db, chat, caller.user_id(), which.as_deref()).await?;
            let made = Ack {
                stopped: Some(Stopped {
                    generation_id: stopped,
                }),
                ..Ack::default()
            };
            return Ok(ack(made, id));
        }
        "sync" if !has_room => return Err(Refused::too_much()),
        "sync" => return sync(chat, caller, fields, id).await.map(Some),
        "upload_file" => upload::upload(chat, caller, fields).await?,
        "delete_file" => delete::delete(chat, caller, fields).await?,
        "revert_version" => revert::revert(chat, caller, fields).await?,
        other => return Err(Refused::unknown_action(other)),
    };
    audience::tell(chat, &done.events, Vec::new()).await;
    let made = Ack {
        file: Some(done.file),
        ..Ack::default()
    };
    Ok(ack(made, id))
}

async fn ask(chat: &str, caller: &Caller, prompt: Prompt) -> Result<ReplyBegun, Refused> {
    let mut db = Db::open().await?;
    match begin(&mut db, chat, caller, prompt).await? {
        Outcome::Begun(begun) => {
            reply::start(&begun).await;
            Ok(ids(&begun))
        }
        Outcome::Again(ids) => Ok(ids),
        Outcome::NoModel => Err(Refused::model_not_found()),
    }
}

/// What the client missed. It is the answer itself: there is nothing to acknowledge.
async fn sync(
    chat: &str,
    caller: &Caller,
    fields: &Map<String, Value>,
    id: Option<&str>,
) -> Result<Event, Refused> {
    let since = match fields.get("rev") {
        Some(rev) => rev.as_i64(),
        None => None,
    };
    let since = since.ok_or_else(|| Refused::bad_request("rev must be an integer."))?;
    let snapshot = snapshot::load(chat, caller.user_id(), Some(since)).await?;
    let snapshot = snapshot.ok_or_else(Refused::chat_not_found)?;
    let mut sync = initial::sync(chat, snapshot, since).await?;
    sync.in_reply_to = id.map(str::to_owned);
    Ok(sync.into())
}
