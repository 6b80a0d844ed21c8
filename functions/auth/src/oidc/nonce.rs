//! `POST /auth/oidc/start`: the nonce with which a login with the provider can begin.
//!
//! The frontend sends the nonce along when it asks the provider for an ID token, which then has it as a claim (OpenID
//! Connect Core 1.0, section 3.1.2.1). So a token that was made for another occasion, or was sent before, is not valid.

use axum::extract::Request;
use axum::response::Response;
use kafka_common::{
    access::{Visitor, session},
    api::auth::{MAX_REDIRECT_CHARS, Nonce},
    clock,
    db::{Db, Transaction},
    error::{Error, Result, answer},
    limits::{Limit, Subject},
    params,
    query::Query,
};

use super::Provider;
use super::discovery::Discovery;

/// How long a nonce is good, in seconds: a person logs in meanwhile.
const LASTS: u32 = 10 * 60;

/// Makes a nonce.
pub async fn start(visitor: Visitor, request: Request) -> Result<Response> {
    let mut query = Query::of(&request);
    let redirect_uri = query.optional_text("redirect_uri", MAX_REDIRECT_CHARS);
    query.check()?;
    if !visitor.must_log_in() {
        return Err(Error::no_sessions());
    }
    let Provider { issuer, audience } = Provider::get().await?;
    visitor.count(&[Limit::Login], Subject::Nobody).await?;
    let nonce = session::new_token()?;
    Db::open()
        .await?
        .execute(
            "INSERT INTO login_nonce (nonce_hash, expires_at) VALUES (?1, ?2)",
            params![
                session::hash(&nonce),
                clock::unix_millis() + i64::from(LASTS) * 1000
            ],
        )
        .await?;
    let authorization_url = match redirect_uri {
        None => None,
        Some(redirect_uri) => {
            let found = Discovery::of(&issuer).await;
            let url = found.and_then(|it| it.authorization_url(&audience, &redirect_uri, &nonce));
            Some(url.map_err(|problem| {
                tracing::error!("the identity provider (oidc_issuer, oidc_origin): {problem}");
                Error::unavailable(
                    "The identity provider can't be asked now. Please try again later.",
                )
            })?)
        }
    };
    Ok(answer(&Nonce {
        nonce,
        authorization_url,
        expires_in: LASTS.into(),
    }))
}

/// Uses the nonce up; whether it was one of ours that is good.
pub(super) async fn use_up(transaction: &mut Transaction<'_>, nonce: &str) -> Result<bool> {
    let used: Option<i64> = transaction
        .query_one_as(
            "DELETE FROM login_nonce WHERE nonce_hash = ?1 RETURNING expires_at",
            params![session::hash(nonce)],
        )
        .await?;
    Ok(used.is_some_and(|expires_at| expires_at > clock::unix_millis()))
}
