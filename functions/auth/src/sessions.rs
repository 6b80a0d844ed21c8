//! Where somebody is logged in: `GET` and `DELETE /auth/sessions`, `POST /auth/logout`. A session that ends takes its
//! sockets along.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use http::StatusCode;
use kafka_common::{
    access::{Access, session},
    announce, clock,
    db::Db,
    error::{Error, Result, json_response, json_text_response},
    params,
};
use serde_json::json;

/// The sessions of the user ?1 that are good at ?3, oldest first, as JSON. ?2 is the one that asks.
const LIST: &str = "
    SELECT json_object('sessions', json_group_array(json_object(
        'id', id, 'created_at', created_at, 'extended_at', extended_at,
        'expires_at', strftime('%Y-%m-%dT%H:%M:%f000+00:00', expires_at / 1000.0, 'unixepoch'),
        'user_agent', user_agent, 'current', json(iif(id = ?2, 'true', 'false'))
    )))
    FROM (SELECT * FROM session WHERE user_id = ?1 AND expires_at > ?3 ORDER BY rowid)";

/// Answers `{"sessions": [{id, created_at, extended_at, expires_at, user_agent, current}, …]}`. There are at most a
/// hundred.
pub async fn list(access: Access) -> Result<Response> {
    let session = access.session()?;
    let parameters = params![
        session.user_id.as_str(),
        session.id.as_str(),
        clock::unix_millis()
    ];
    let row = Db::open().await?.query_one(LIST, parameters).await?;
    let answer = row.map(|mut row| row.text(0)).unwrap_or_default();
    Ok(json_text_response(StatusCode::OK, answer))
}

/// Ends one session.
pub async fn revoke(access: Access, Path(id): Path<String>) -> Result<Response> {
    let user = &access.session()?.user_id;
    let ended = end(
        "DELETE FROM session WHERE user_id = ?1 AND id = ?2 RETURNING id",
        params![user.as_str(), id],
    )
    .await?;
    if ended.is_empty() {
        return Err(Error::not_found("Session not found."));
    }
    Ok(done("Session revoked."))
}

/// Ends all sessions, that of the caller too.
pub async fn revoke_all(access: Access, request: Request) -> Result<Response> {
    let user = &access.session()?.user_id;
    end(
        "DELETE FROM session WHERE user_id = ?1 RETURNING id",
        params![user.as_str()],
    )
    .await?;
    session::take_cookie(&request.into_parts().0);
    Ok(done("All sessions revoked."))
}

/// Ends the session that asks.
pub async fn logout(access: Access, request: Request) -> Result<Response> {
    let session = access.session()?;
    end(
        "DELETE FROM session WHERE id = ?1 RETURNING id",
        params![session.id.as_str()],
    )
    .await?;
    session::take_cookie(&request.into_parts().0);
    Ok(done("Logged out."))
}

async fn end(sql: &str, parameters: Vec<kafka_common::db::Value>) -> Result<Vec<String>> {
    let rows = Db::open().await?.query(sql, parameters).await?;
    let ended: Vec<String> = rows.into_iter().map(|mut row| row.text(0)).collect();
    announce::sessions_ended(&ended).await;
    Ok(ended)
}

fn done(detail: &str) -> Response {
    json_response(StatusCode::OK, &json!({ "detail": detail }))
}
