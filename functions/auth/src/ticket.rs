//! `POST /ws/ticket`: opens one socket, for clients that can send neither a header nor a cookie with the handshake
//! (docs/websocket.md#opening).

use axum::response::Response;
use http::StatusCode;
use kafka_common::{
    access::{Access, session},
    clock,
    db::Db,
    error::{Error, Result, json_response},
    params,
};
use serde_json::json;

/// How long a ticket is good, in seconds.
const LASTS: i64 = 60;

/// Answers `{"ticket", "expires_in"}`; it goes into the query of the socket's address, and can be used once.
pub async fn create(access: Access) -> Result<Response> {
    let session = access.session()?;
    let ticket = session::new_token()?;
    let made = Db::open()
        .await?
        .query_one(
            // The session may have ended meanwhile.
            "INSERT INTO ws_ticket (ticket_hash, session_id, expires_at)
             SELECT ?1, id, ?3 FROM session WHERE id = ?2 RETURNING session_id",
            params![
                session::hash(&ticket),
                session.id.as_str(),
                clock::unix_millis() + LASTS * 1000
            ],
        )
        .await?;
    made.ok_or_else(Error::session_ended)?;
    let body = json!({ "ticket": ticket, "expires_in": LASTS });
    Ok(json_response(StatusCode::OK, &body))
}
