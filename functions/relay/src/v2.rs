//! The streamed protocol: one message of a client, and its one acknowledgement or error.

use kafka_common::access::Caller;
use kafka_common::api::actions::Action;
use kafka_common::api::events::{Ack, Event};
use kafka_common::api::relay::{ReplyBegun, Stopped};
use kafka_common::db::Db;
use kafka_common::links::Called;
use kafka_common::reply::audience;

use crate::actions::{self, ack};
use crate::begin::{Outcome, begin, ids};
use crate::frame::Frame;
use crate::prompt::Prompt;
use crate::refused::Refused;
use crate::{branch, initial, reply, snapshot, stop};

/// Does what a frame asks, and returns what its sender is told: an acknowledgement if the message has an id, an error
/// in any case. All clients are sent what it changes.
/// Where there is no room for a long answer, what has one is refused.
pub async fn frame(
    chat: &str,
    called: &Called,
    caller: &Caller,
    frame: &str,
    has_room: bool,
) -> Option<Event> {
    let Some(frame) = Frame::read(frame) else {
        return Some(Refused::bad_request("A message must be a JSON object.").v2(None));
    };
    let id = match frame.id() {
        Ok(id) => id,
        Err(refused) => return Some(refused.v2(None)),
    };
    // Whatever is wrong with the rest, its sender is to know which message it was.
    let answer = answer(chat, called, caller, &frame, id, has_room).await;
    answer.unwrap_or_else(|refused| Some(refused.v2(id)))
}

async fn answer(
    chat: &str,
    called: &Called,
    caller: &Caller,
    frame: &Frame,
    id: Option<&str>,
    has_room: bool,
) -> Result<Option<Event>, Refused> {
    let mut made = Ack::default();
    match frame.action()? {
        Action::NewMessage(message) => {
            let prompt = Prompt::new(message, frame.how()?);
            made.reply = Some(ask(chat, called, caller, prompt).await?);
        }
        Action::EditMessage {
            message_id,
            prompt,
            file_ids,
        } => {
            let prompt = Prompt::edit(message_id.0, prompt, file_ids, frame.how()?);
            made.reply = Some(ask(chat, called, caller, prompt).await?);
        }
        Action::Regenerate { message_id } => {
            let prompt = Prompt::regenerate(message_id.0, frame.how()?);
            made.reply = Some(ask(chat, called, caller, prompt).await?);
        }
        Action::SelectBranch { message_id } => {
            let mut db = Db::open().await?;
            made.branch = Some(branch::select(&mut db, chat, caller, &message_id.0).await?);
        }
        Action::Stop { generation_id } => {
            let which = generation_id.as_ref().map(|id| &id.0);
            let mut db = Db::open().await?;
            let generation_id = stop::request_stop(&mut db, chat, caller.user_id(), which).await?;
            made.stopped = Some(Stopped { generation_id });
        }
        Action::Sync { .. } if !has_room => return Err(Refused::too_much()),
        Action::Sync { rev } => return sync(chat, called, caller, rev, id).await.map(Some),
        other => {
            let done = actions::file(chat, called, caller, other).await?;
            audience::tell(chat, &done.events, Vec::new()).await;
            made.file = Some(done.file);
        }
    }
    Ok(ack(made, id))
}

async fn ask(
    chat: &str,
    called: &Called,
    caller: &Caller,
    prompt: Prompt,
) -> Result<ReplyBegun, Refused> {
    match begin(chat, called, caller, prompt).await? {
        Outcome::Begun(begun) => {
            reply::start(&begun).await?;
            Ok(ids(&begun))
        }
        Outcome::Again(ids) => Ok(ids),
        Outcome::NoModel => Err(Refused::model_not_found()),
    }
}

/// What the client missed. It is the answer itself: there is nothing to acknowledge.
async fn sync(
    chat: &str,
    called: &Called,
    caller: &Caller,
    since: i64,
    id: Option<&str>,
) -> Result<Event, Refused> {
    let snapshot = snapshot::load(chat, caller.user_id(), Some(since)).await?;
    let snapshot = snapshot.ok_or_else(Refused::chat_not_found)?;
    let mut sync = initial::sync(chat, snapshot, since, called).await?;
    sync.in_reply_to = id.map(str::to_owned);
    Ok(sync.into())
}
