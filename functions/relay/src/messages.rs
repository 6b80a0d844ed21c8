//! `POST /chat/{chat_id}/messages` and what else is done to a conversation: the same without a socket.

use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};
use kafka_common::access::{Access, Caller};
use kafka_common::api::relay::{ReplyBegun, Stopped};
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, answer};
use kafka_common::json::JsonBody;
use kafka_common::long_work::{Kind, Lease};
use kafka_common::owner;
use kafka_common::query::Query;

use crate::begin::{Outcome, begin, ids};
use crate::frame::FIELDS;
use crate::guarded::while_logged_in;
use crate::prompt::{Prompt, text_field};
use crate::refused::Refused;
use crate::{branch, follow, reply, stop};

/// Stores a prompt and begins a reply. Answers with its ids, or where events are asked for with all there are until
/// the reply has ended.
pub async fn post(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    ask(access, chat, request, Asked::Message).await
}

/// The same with a message that says better what another one says.
pub async fn edit(
    access: Access,
    Path((chat, message)): Path<(String, String)>,
    request: Request,
) -> Result<Response> {
    ask(access, chat, request, Asked::Edit(message)).await
}

/// Begins another reply, without a new message.
pub async fn regenerate(
    access: Access,
    Path((chat, message)): Path<(String, String)>,
    request: Request,
) -> Result<Response> {
    ask(access, chat, request, Asked::Reply(message)).await
}

/// What is asked for.
enum Asked {
    Message,
    Edit(String),
    Reply(String),
}

async fn ask(access: Access, chat: String, request: Request, asked: Asked) -> Result<Response> {
    let streams = wants_events(request.headers());
    let body = JsonBody::read(request, FIELDS).await?;
    if !matches!(asked, Asked::Reply(_)) {
        // Asked for here too, since over HTTP a missing field has a shape of its own.
        body.string("prompt")?;
    }
    let fields = body.fields();
    let outcome = async {
        let user = text_field(fields, "user_id")?;
        let caller = access.caller(user.as_deref())?;
        let prompt = match asked {
            Asked::Message => Prompt::parse(fields)?,
            Asked::Edit(message) => Prompt::edit(fields, message)?,
            Asked::Reply(message) => Prompt::regenerate(fields, message)?,
        };
        let lease = match streams {
            true => Lease::take(&caller, Kind::Stream).await?,
            false => None,
        };
        let mut db = Db::open().await?;
        match begin(&mut db, &chat, &caller, prompt).await {
            Err(refused) if refused.is_missing_chat() => {
                Err(missing_chat(&mut db, &caller).await.into())
            }
            outcome => outcome.map(|outcome| (outcome, lease)),
        }
    };
    let response = match outcome.await {
        Err(refused) => refused.into_response(),
        Ok((Outcome::NoModel, _)) => Refused::model_not_found().into_response(),
        Ok((Outcome::Again(ids), lease)) if streams => match ids.generation_id {
            Some(reply) => follow::response(chat, reply.into(), lease).await,
            None => Refused::not_found("Generation not found.").into_response(),
        },
        Ok((Outcome::Again(ids), _)) => accepted(&ids),
        Ok((Outcome::Begun(begun), lease)) if streams => reply::stream(&begun, lease).await,
        Ok((Outcome::Begun(begun), _)) => {
            reply::start(&begun).await;
            accepted(&ids(&begun))
        }
    };
    Ok(while_logged_in(&access, response))
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
    let generation_id = stopped;
    Ok(answer(&Stopped { generation_id }))
}

/// Makes the branch through a message the active one.
pub async fn select_branch(
    access: Access,
    Path(chat): Path<String>,
    request: Request,
) -> Result<Response> {
    let body = JsonBody::read(request, FIELDS).await?;
    let message = body.string("message_id")?;
    let outcome = async {
        let user = text_field(body.fields(), "user_id")?;
        let caller = access.caller(user.as_deref())?;
        let mut db = Db::open().await?;
        match branch::select(&mut db, &chat, &caller, &message).await {
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
