//! The protocol of the original's frontends: one frame of theirs, and what its sender gets.

use kafka_common::access::Caller;
use kafka_common::announce::{fitted, text};
use kafka_common::api::actions::Action;
use kafka_common::db::Db;
use kafka_common::links::Called;
use kafka_common::reply::audience;

use crate::actions::{self, ActionDone};
use crate::begin::{Outcome, begin};
use crate::echo::echo;
use crate::frame::Frame;
use crate::prompt::Prompt;
use crate::refused::Refused;
use crate::reply;

/// Does what a frame asks. Returns what its sender is told now; the reply to a prompt is sent to all clients, later.
/// Where there is no room for a long answer, what has one is refused.
pub async fn frame(
    chat: &str,
    called: &Called,
    caller: &Caller,
    frame: &str,
    has_room: bool,
) -> Option<String> {
    match answer(chat, called, caller, frame, has_room).await {
        Ok(answer) => answer,
        Err(refused) => Some(text(&refused.v1())),
    }
}

async fn answer(
    chat: &str,
    called: &Called,
    caller: &Caller,
    said: &str,
    has_room: bool,
) -> Result<Option<String>, Refused> {
    // An object with an action is that action, anything else is something said. Where an action can't be read, a model
    // would get its file data for a prompt.
    let frame = match Frame::read(said) {
        Some(frame) if frame.has_action() => frame,
        None if Frame::looks_like_action(said) => {
            return Err(Refused::bad_request("This action is no valid JSON."));
        }
        _ => return say(chat, called, caller, said.to_owned()).await,
    };
    let done = match frame.action()? {
        Action::NewMessage(message) => {
            return match ask(chat, called, caller, Prompt::new(message, frame.how()?)).await? {
                true => Ok(None),
                false => Err(Refused::model_not_found()),
            };
        }
        Action::RevertVersion { .. } if !has_room => return Err(Refused::too_much()),
        other => actions::file(chat, called, caller, other).await?,
    };
    let ActionDone { answer, events, .. } = done;
    audience::tell(chat, &events, Vec::new()).await;
    Ok(Some(fitted(answer)))
}

/// Plain text: a prompt for the model that is set or else the newest, or where there is none an echo.
async fn say(
    chat: &str,
    called: &Called,
    caller: &Caller,
    text: String,
) -> Result<Option<String>, Refused> {
    if ask(chat, called, caller, Prompt::plain(text.clone())).await? {
        return Ok(None);
    }
    let mut db = Db::open().await?;
    echo(&mut db, chat, caller, &text).await.map(Some)
}

/// Begins a reply. False where the frame names no model and the user has none.
async fn ask(
    chat: &str,
    called: &Called,
    caller: &Caller,
    prompt: Prompt,
) -> Result<bool, Refused> {
    match begin(chat, called, caller, prompt).await? {
        Outcome::Begun(begun) => {
            reply::start(&begun).await?;
            Ok(true)
        }
        Outcome::Again(_) => Ok(true),
        Outcome::NoModel => Ok(false),
    }
}
