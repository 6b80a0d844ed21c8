//! The sessions of a user: `GET` and `DELETE /auth/sessions`, `POST /auth/logout`. The sockets of a session end with
//! it.

use axum::{
    extract::{Path, Request},
    response::Response,
};
use kafka_common::{
    access::{Access, session},
    announce,
    api::{
        Done,
        auth::{Session, Sessions},
    },
    clock,
    db::{Db, Value},
    error::{Error, Result, answer},
    params,
};

const LIST: &str = include_str!("sessions.sql");

/// Where the caller is logged in. There are at most a hundred sessions.
pub async fn list(access: Access) -> Result<Response> {
    let session = access.session()?;
    let parameters = params![
        session.user_id.as_str(),
        session.id.as_str(),
        clock::unix_millis()
    ];
    let sessions: Vec<Session> = Db::open().await?.query_as(LIST, parameters).await?;
    Ok(answer(&Sessions { sessions }))
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

async fn end(sql: &str, parameters: Vec<Value>) -> Result<Vec<String>> {
    let ended: Vec<String> = Db::open().await?.query_as(sql, parameters).await?;
    announce::sessions_ended(&ended).await;
    Ok(ended)
}

fn done(detail: &'static str) -> Response {
    answer(&Done { detail })
}
