//! `PATCH /chat/rename`.

use axum::extract::Request;
use axum::http::StatusCode;
use axum::response::Response;
use kafka_common::access::Access;
use kafka_common::db::Db;
use kafka_common::error::{Error, Result, json_response};
use kafka_common::form::{Field, Form, FormSpec, NoFiles};
use kafka_common::owner::{MAX_ID_CHARS, MAX_NAME_CHARS};
use kafka_common::{clock, params};
use serde_json::json;

const FORM: &FormSpec = &[
    Field::text("chat_id").max_chars(MAX_ID_CHARS),
    Field::text("new_name").max_chars(MAX_NAME_CHARS),
];

/// Gives the chat a new name, which counts as a change of the chat.
pub(crate) async fn rename(access: Access, request: Request) -> Result<Response> {
    let mut form = Form::read(request, FORM, NoFiles).await?;
    let chat_id = form.text("chat_id");
    let name = form.text("new_name");
    let caller = access.caller(None)?;
    let now = clock::now();
    let renamed = Db::open()
        .await?
        .query_one(
            "UPDATE chat SET name = ?3, last_updated = ?4, rev = rev + 1
             WHERE id = ?1 AND (?2 IS NULL OR user_id = ?2)
             RETURNING id",
            params![
                chat_id.as_str(),
                caller.user_id(),
                name.as_str(),
                now.as_str()
            ],
        )
        .await?;
    if renamed.is_none() {
        return Err(Error::chat_not_found());
    }
    Ok(json_response(
        StatusCode::OK,
        &json!({ "chat_id": chat_id, "name": name, "last_updated": now }),
    ))
}
