//! Whose socket it is (docs/websocket.md#opening; docs/decisions.md#open-mode-and-token-mode).
//!
//! The opening request shows a session's token, or a ticket in its query, which that uses up. What proves the session
//! from then on is kept by the gateway, which says it again with every request, and each time the session is looked up.

use axum::http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use kafka_common::access::session::Session;
use kafka_common::access::{Caller, Visitor, credential};
use kafka_common::error::{Error, Result};
use kafka_common::form::query_value;
use kafka_common::grip::channel_session;

/// Asks the gateway to remember the session.
const SET_META: HeaderName = HeaderName::from_static("set-meta-session");

/// What it remembers.
const META: HeaderName = HeaderName::from_static("meta-session");

/// A caller who may open this socket.
pub struct Admitted {
    pub caller: Caller,
    /// `None` in open mode.
    session: Option<Session>,
}

impl Admitted {
    /// Lets the gateway keep what proves the session.
    pub fn remember(&self, headers: &mut HeaderMap) {
        let hash = self.session.as_ref().map(|session| &session.token_hash);
        if let Some(value) = hash.and_then(|hash| HeaderValue::from_str(hash).ok()) {
            headers.insert(SET_META, value);
        }
    }

    /// The channel on which the socket hears that its session has ended.
    pub fn channel(&self) -> Option<String> {
        self.session
            .as_ref()
            .map(|session| channel_session(&session.id))
    }
}

/// Who sent a request that the gateway has signed. 401 without a session that is good.
pub async fn admit(visitor: Visitor, request: &Parts, opening: bool) -> Result<Admitted> {
    if let Some(access) = visitor.clone().without_session() {
        return Ok(Admitted {
            caller: access.caller(None)?,
            session: None,
        });
    }
    let session = match opening {
        // What the gateway remembers of a socket that opens just now was put there by its client.
        true => opened(request).await?,
        false => {
            Session::by_hash(remembered(&request.headers).ok_or_else(Error::not_authenticated)?)
                .await?
        }
    };
    let session = session.ok_or_else(Error::session_ended)?;
    let caller = visitor.with_session(session.clone()).caller(None)?;
    Ok(Admitted {
        caller,
        session: Some(session),
    })
}

/// A ticket counts before all else: a browser sends a cookie along even if its session has ended.
async fn opened(request: &Parts) -> Result<Option<Session>> {
    if let Some(ticket) = query_value(&request.uri, "ticket") {
        return Ok(Session::by_ticket(&ticket).await?);
    }
    Ok(Session::find(&credential(request)?).await?)
}

/// What the gateway remembers; of two, one is a lie.
fn remembered(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(META).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok(),
        _ => None,
    }
}
