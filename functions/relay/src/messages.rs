//! `POST /chat/{chat_id}/messages` and `POST /chat/{chat_id}/stop`: the same without a socket.

use axum::extract::{Path, Request};
use axum::response::{IntoResponse, Response};
use futures::channel::mpsc::unbounded;
use http::{HeaderMap, StatusCode, header};
use kafka_common::access::Access;
use kafka_common::db::Db;
use kafka_common::error::{Result, json_response};
use kafka_common::json::JsonBody;
use kafka_common::owner;
use serde_json::json;

use crate::prompt::{Outcome, Prompt, begin, text_field};
use crate::refused::Refused;
use crate::reply::{self, rows};
use crate::{follow, sse};

/// Stores a prompt and begins a reply. Answers with its ids, or where events are asked for with all there are until
/// the reply has ended.
pub async fn post(access: Access, Path(chat): Path<String>, request: Request) -> Result<Response> {
    let streams = wants_events(request.headers());
    let body = JsonBody::read(request).await?;
    // Asked for here too, since over HTTP a missing field has a shape of its own.
    body.string("prompt")?;
    let fields = body.fields();
    let outcome = async {
        let user = text_field(fields, "user_id")?;
        let caller = access.caller(user.as_deref())?;
        let prompt = Prompt::parse(fields)?;
        let mut db = Db::open().await?;
        match begin(&mut db, &chat, &caller, prompt).await {
            Err(refused) if refused.is_missing_chat() => {
                let missing = kafka_common::error::Error::chat_not_found();
                Err(owner::not_found(&mut db, &caller, missing).await.into())
            }
            outcome => outcome,
        }
    };
    Ok(match outcome.await {
        Err(refused) => refused.into_response(),
        Ok(Outcome::NoModel) => Refused::model_not_found().into_response(),
        Ok(Outcome::Again(ids)) if streams => match ids.generation_id {
            Some(reply) => follow::response(chat, None, reply).await,
            None => Refused::not_found("Generation not found.").into_response(),
        },
        Ok(Outcome::Again(ids)) => accepted(&ids.named()),
        Ok(Outcome::Begun(begun)) if streams => {
            let (reader, events) = unbounded();
            let events = follow::told(chat, begun.reply.clone(), events);
            reply::start(*begun, Some(reader));
            sse::response(events)
        }
        Ok(Outcome::Begun(begun)) => {
            let ids = begun.ids();
            reply::start(*begun, None);
            accepted(&ids.named())
        }
    })
}

fn accepted(ids: &serde_json::Value) -> Response {
    json_response(StatusCode::ACCEPTED, ids)
}

fn wants_events(headers: &HeaderMap) -> bool {
    headers
        .get_all(header::ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .any(|value| value.contains("text/event-stream"))
}

/// Stops the chat's running reply. Stopping what has ended, or twice, is harmless.
pub async fn stop(access: Access, Path(chat): Path<String>) -> Result<Response> {
    let caller = access.caller(None)?;
    let mut db = Db::open().await?;
    let stopped = rows::request_stop(&mut db, &chat, caller.user_id(), None).await?;
    if stopped.is_none() {
        let known = db
            .query_one(
                "SELECT 1 FROM chat WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)",
                kafka_common::params![chat, caller.user_id()],
            )
            .await?;
        if known.is_none() {
            return Err(kafka_common::error::Error::chat_not_found());
        }
    }
    let body = json!({ "generation_id": stopped });
    Ok(json_response(StatusCode::OK, &body))
}
