//! `POST /chat/{chat_id}/messages` and what else is done to a conversation: the same without a socket.

use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use kafka_common::access::{Access, Caller};
use kafka_common::api::actions::{By, FileIds, How};
use kafka_common::api::id::MessageId;
use kafka_common::api::relay::{ReplyBegun, Stopped};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::json::JsonBody;
use kafka_common::json::fields::Fields;
use kafka_common::long_work::{Kind, Lease};
use kafka_common::owner;
use kafka_common::query::Query;
use serde::Deserialize;

use crate::begin::{Outcome, begin, ids};
use crate::frame::FIELDS;
use crate::guarded::while_logged_in;
use crate::prompt::Prompt;
use crate::refused::Refused;
use crate::{branch, follow, reply, stop};

/// Stores a prompt and begins a reply. Answers with its ids, or where events are asked for with all there are until
/// the reply has ended.
pub async fn post(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    let streams = wants_events(request.headers());
    ask(access, chat, request, Asked::Message, streams).await
}

/// The same, and always answers with the events.
pub async fn post_stream(
    access: Access,
    Path(chat): Path<String>,
    request: Request,
) -> Result<Response> {
    ask(access, chat, request, Asked::Message, true).await
}

/// The same with a message that says better what another one says.
pub async fn edit(
    access: Access,
    Path((chat, message)): Path<(String, MessageId)>,
    request: Request,
) -> Result<Response> {
    let streams = wants_events(request.headers());
    ask(access, chat, request, Asked::Edit(message), streams).await
}

/// The same, and always answers with the events.
pub async fn edit_stream(
    access: Access,
    Path((chat, message)): Path<(String, MessageId)>,
    request: Request,
) -> Result<Response> {
    ask(access, chat, request, Asked::Edit(message), true).await
}

/// Begins another reply, without a new message.
pub async fn regenerate(
    access: Access,
    Path((chat, message)): Path<(String, MessageId)>,
    request: Request,
) -> Result<Response> {
    let streams = wants_events(request.headers());
    ask(access, chat, request, Asked::Reply(message), streams).await
}

/// The same, and always answers with the events.
pub async fn regenerate_stream(
    access: Access,
    Path((chat, message)): Path<(String, MessageId)>,
    request: Request,
) -> Result<Response> {
    ask(access, chat, request, Asked::Reply(message), true).await
}

/// What is asked for.
enum Asked {
    Message,
    Edit(MessageId),
    Reply(MessageId),
}

/// The body of [`edit`], beside how the reply is to be made.
#[derive(Deserialize)]
struct Text {
    prompt: String,
    file_ids: Option<FileIds>,
}

/// The body of [`select_branch`].
#[derive(Deserialize)]
struct Chosen {
    message_id: MessageId,
}

/// Reads fields of a body. Those that must be sent are refused in the shape of all endpoints, others as in frames.
fn read<'a, T: Deserialize<'a>>(body: &'a JsonBody) -> Result<T, Refused> {
    let fields = Fields {
        is_forgiving: true,
        ..body.fields()
    };
    fields.read().map_err(|wrong| match wrong.is_required {
        true => body.invalid(wrong).into(),
        false => Refused::wrong(wrong, ""),
    })
}

fn caller(access: &Access, body: &JsonBody) -> Result<Caller, Refused> {
    let By { user_id } = read(body)?;
    Ok(access.caller(user_id.as_ref().map(|id| id.0.as_str()))?)
}

async fn ask(
    access: Access,
    chat: String,
    request: Request,
    asked: Asked,
    streams: bool,
) -> Result<Response> {
    let body = JsonBody::read(request, FIELDS).await?;
    let outcome = async {
        let mut prompt = match asked {
            Asked::Message => Prompt::new(read(&body)?, How::default()),
            Asked::Edit(message) => {
                let Text { prompt, file_ids } = read(&body)?;
                Prompt::edit(message, prompt, file_ids, How::default())
            }
            Asked::Reply(message) => Prompt::regenerate(message, How::default()),
        };
        let caller = caller(&access, &body)?;
        prompt.how = read(&body)?;
        let lease = match streams {
            true => Lease::take(&caller, Kind::Stream).await?,
            false => None,
        };
        match begin(&chat, access.called(), &caller, prompt).await {
            Ok(outcome) => Ok((outcome, lease)),
            Err(refused) => {
                end(lease).await;
                match refused.is_missing_chat() {
                    true => Err(missing_chat(&mut Db::open().await?, &caller).await.into()),
                    false => Err(refused),
                }
            }
        }
    };
    let response = match outcome.await {
        Err(refused) => refused.into_response(),
        Ok((Outcome::NoModel, lease)) => {
            end(lease).await;
            Refused::model_not_found().into_response()
        }
        Ok((Outcome::Again(ids), lease)) if streams => match ids.generation_id {
            Some(reply) => follow::response(chat, reply, lease).await,
            None => Refused::not_found("Generation not found.").into_response(),
        },
        Ok((Outcome::Again(ids), _)) => accepted(&ids),
        Ok((Outcome::Begun(begun), lease)) if streams => reply::stream(&begun, lease).await,
        Ok((Outcome::Begun(begun), _)) => match reply::start(&begun).await {
            Ok(()) => accepted(&ids(&begun)),
            Err(refused) => refused.into_response(),
        },
    };
    Ok(while_logged_in(&access, response))
}

/// Nothing streams.
async fn end(lease: Option<Lease>) {
    if let Some(lease) = lease {
        lease.end().await;
    }
}

/// Why there is no such chat of the caller's.
async fn missing_chat(db: &mut Db, caller: &Caller) -> Error {
    owner::not_found(db, caller, Error::chat_not_found()).await
}

fn accepted(ids: &ReplyBegun) -> Response {
    let mut response = answer(ids);
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

fn wants_events(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/event-stream"))
}

/// Stops the chat's running reply. Stopping what has ended, or twice, is harmless.
pub async fn stop(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    let mut db = Db::open().await?;
    let stopped = stop::request_stop(&mut db, &chat, caller.user_id(), None).await?;
    if stopped.is_none() {
        let known: Option<String> = db
            .query_one_as(
                "SELECT id FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)",
                kafka_common::params![chat, caller.user_id()],
            )
            .await?;
        if known.is_none() {
            return Err(missing_chat(&mut db, &caller).await);
        }
    }
    Ok(answer(&Stopped {
        generation_id: stopped,
    }))
}

/// Makes the branch through a message the active one.
pub async fn select_branch(
    access: Access,
    Path(chat): Path<String>,
    request: Request,
) -> Result<Response> {
    let body = JsonBody::read(request, FIELDS).await?;
    let outcome = async {
        let Chosen { message_id } = read(&body)?;
        let caller = caller(&access, &body)?;
        let mut db = Db::open().await?;
        match branch::select(&mut db, &chat, &caller, &message_id).await {
            Err(refused) if refused.is_missing_chat() => {
                Err(missing_chat(&mut db, &caller).await.into())
            }
            outcome => outcome,
        }
    };
    Ok(match outcome.await {
        Ok(selected) => answer(&selected),
        Err(refused) => refused.into_response(),
    })
}
