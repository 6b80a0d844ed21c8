//! `POST /ws/ticket`: opens one socket, for clients that can send neither a header nor a cookie with the handshake
//! (docs/websocket.md#opening).

use axum::response::Response;
use kafka_common::{
    access::{Access, session},
    api::auth::Ticket,
    clock,
    db::Db,
    error::{Error, Result, answer},
    params,
};

/// How long a ticket is good, in seconds.
const LASTS: u32 = 60;

/// Makes a ticket; it goes into the query of the socket's address, and can be used once.
pub async fn create(access: Access) -> Result<Response> {
    let session = access.session()?;
    let ticket = session::new_token()?;
    let made = Db::open()
        .await?
        .query_one_as::<String>(
            // The session may have ended meanwhile.
            "INSERT INTO ws_ticket (ticket_hash, session_id, expires_at)
             SELECT ?1, id, ?3 FROM session WHERE id = ?2 RETURNING session_id",
            params![
                session::hash(&ticket),
                session.id.as_str(),
                clock::unix_millis() + i64::from(LASTS) * 1000
            ],
        )
        .await?;
    made.ok_or_else(Error::session_ended)?;
    let expires_in = LASTS.into();
    Ok(answer(&Ticket { ticket, expires_in }))
}
