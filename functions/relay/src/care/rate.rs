//! `PATCH /chat/{chat_id}/messages/{message_id}`: what its reader thinks of a reply.

use axum::extract::{Path, Request};
use axum::response::Response;
use kafka_common::access::{Access, Caller};
use kafka_common::api::events::Event;
use kafka_common::api::id::MessageId;
use kafka_common::api::relay::{MAX_NOTE_CHARS, RatedMessage};
use kafka_common::api::words::Rating;
use kafka_common::db::Db;
use kafka_common::error::{FieldError, Result};
use kafka_common::json::JsonBody;
use kafka_common::limits::Limit;
use kafka_common::reply::audience;
use kafka_common::{conversation, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::respond;
use crate::refused::Refused;

const FIELDS: &[&str] = &["note", "rating", "user_id"];

/// What is to be changed; what stays is `None`.
struct Change {
    rating: Option<Option<Rating>>,
    note: Option<Option<String>>,
}

#[derive(Deserialize)]
struct Found {
    is_there: bool,
    is_reply: bool,
}

#[derive(Deserialize)]
struct Rated {
    rating: Option<Rating>,
    note: Option<String>,
}

/// Keeps what was sent beside the reply.
pub async fn rate(
    access: Access,
    Path((chat, message)): Path<(String, MessageId)>,
    request: Request,
) -> Result<Response> {
    let body = JsonBody::read(request, FIELDS).await?;
    let change = Change::read(&body)?;
    let caller = super::caller(&access, &body)?;
    caller.count(Limit::Create).await?;
    let mut db = Db::open().await?;
    let rated = store(&mut db, &chat, &caller, &message, change).await;
    if let Ok(rated) = &rated {
        let event = Event::MessageRated {
            rev: rated.rev,
            message_id: rated.message_id.clone(),
            rating: rated.rating,
            note: rated.note.clone(),
        };
        audience::tell(&chat, &[event], Vec::new()).await;
    }
    respond(&mut db, &caller, rated).await
}

impl Change {
    fn read(body: &JsonBody) -> Result<Self> {
        let values = body.fields().values;
        let rating = match values.get("rating") {
            None => None,
            Some(Value::Null) => Some(None),
            Some(sent) => {
                let known = Rating::ALL.iter().find(|rating| sent == rating.as_str());
                let wrong = || {
                    let msg = "Input should be 'good' or 'bad'";
                    let error = FieldError::new("literal_error", "rating", msg, sent.clone());
                    error.with_ctx(json!({ "expected": "'good' or 'bad'" }))
                };
                Some(Some(*known.ok_or_else(wrong)?))
            }
        };
        let note = match values.get("note") {
            None => None,
            Some(Value::Null) => Some(None),
            Some(Value::String(note)) if note.chars().count() > MAX_NOTE_CHARS => {
                let shown: String = note.chars().take(MAX_NOTE_CHARS).collect();
                return Err(FieldError::too_long("note", MAX_NOTE_CHARS, shown.into()).into());
            }
            Some(Value::String(note)) => Some(Some(note.clone()).filter(|note| !note.is_empty())),
            Some(other) => return Err(FieldError::not_a_string("note", other.clone()).into()),
        };
        Ok(Self { rating, note })
    }
}

async fn store(
    db: &mut Db,
    chat: &str,
    caller: &Caller,
    message: &MessageId,
    change: Change,
) -> Result<RatedMessage, Refused> {
    let mut tx = db.begin().await?;
    let asked = params![chat, caller.user_id(), message];
    let found: Option<Found> = tx.query_one_as(include_str!("rate.sql"), asked).await?;
    let found = found.ok_or_else(Refused::chat_not_found)?;
    if !found.is_there {
        return Err(Refused::not_found("Message not found."));
    }
    if !found.is_reply {
        return Err(Refused::conflict("Only a reply can be rated."));
    }
    let rev = conversation::raise(&mut tx, chat, 1).await?;
    let rated: Option<Rated> = tx
        .query_one_as(
            "UPDATE chat_conversation SET rev = ?2, rating = iif(?3, ?4, rating), note = iif(?5, ?6, note)
             WHERE id = ?1 RETURNING rating, note",
            params![
                message,
                rev,
                i64::from(change.rating.is_some()),
                change.rating.flatten().map(Rating::as_str),
                i64::from(change.note.is_some()),
                change.note.flatten()
            ],
        )
        .await?;
    let rated = rated.ok_or_else(|| Refused::not_found("Message not found."))?;
    tx.commit().await?;
    Ok(RatedMessage {
        message_id: message.clone(),
        rating: rated.rating,
        note: rated.note,
        rev,
    })
}
