//! `POST /models/{id}/test`: does a model answer? One tiny completion.

use std::time::Duration;

use axum::extract::{Path, Request};
use axum::response::Response;
use http::StatusCode;
use kafka_common::access::Access;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::limits::Limit;
use kafka_common::model::{self, Event, Message, Role, Timeouts};
use kafka_common::object;
use kafka_common::query::Query;
use kafka_common::{owner, params};
use serde_json::Value;

use crate::begin::Model;
use crate::reply::context::Reachable;
use crate::settings::Settings;

/// A person waits for the answer.
const TIMEOUTS: Timeouts = Timeouts {
    connect: Duration::from_secs(10),
    first_byte: Duration::from_secs(30),
    between_bytes: Duration::from_secs(30),
};

/// Answers `{"ok": true}`, or `{"ok": false, "error": …}` with what to do about it.
pub async fn test(access: Access, Path(id): Path<String>, request: Request) -> Result<Response> {
    let caller = Query::caller(&request, &access)?;
    caller.count(Limit::Message).await?;
    let mut db = Db::open().await?;
    let row = db
        .query_one(
            "SELECT name, base_url, ak, user_id FROM model WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)",
            params![id.as_str(), caller.user_id()],
        )
        .await?;
    let Some(mut row) = row else {
        return Err(owner::not_found(&mut db, &caller, Error::model_not_found()).await);
    };
    let model = Model {
        id,
        name: row.text(0),
        base_url: row.text(1),
        sealed_key: row.text(2),
        owner: row.text(3),
    };
    drop(db);
    let answer = match ask(&model).await {
        Ok(()) => object!({ "ok": true, "error": Value::Null }),
        Err(error) => object!({ "ok": false, "error": error }),
    };
    Ok(json_response(StatusCode::OK, &answer))
}

async fn ask(model: &Model) -> Result<(), String> {
    let model = Reachable::check(model, &Settings::get().await).await?;
    let messages = [Message {
        role: Role::User,
        content: "Answer with the word: yes".to_owned(),
    }];
    let sent = model::send(model.call(&messages), TIMEOUTS).await;
    let mut reply = sent.map_err(|failure| failure.message)?;
    // Its first word is enough; dropping the reply hangs up.
    match reply.next().await {
        Some(Event::Error(failure)) => Err(failure.message),
        Some(_) | None => Ok(()),
    }
}
