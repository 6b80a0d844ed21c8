//! `POST /auth/oidc/start`: what a login with the provider begins with, where the frontend wants it.
//!
//! The frontend sends the nonce along when it asks the provider for an ID token, which then has it as a claim (OpenID
//! Connect Core 1.0, section 3.1.2.1). So a token that was made for another occasion, or was shown before, is no good.

use axum::response::Response;
use http::StatusCode;
use kafka_common::{
    access::{Visitor, session},
    clock,
    db::{Db, Transaction},
    error::{Error, Result, json_response},
    limits::{Limit, Who},
    params,
};
use serde_json::json;

use super::Provider;

/// How long a nonce is good, in seconds: a person logs in meanwhile.
const LASTS: i64 = 10 * 60;

/// Answers `{"nonce", "expires_in"}`.
pub async fn start(visitor: Visitor) -> Result<Response> {
    if !visitor.must_log_in() {
        return Err(Error::no_sessions());
    }
    Provider::get().await?;
    visitor.count(&[Limit::Login], Who::Nobody).await?;
    let nonce = session::new_token()?;
    Db::open()
        .await?
        .execute(
            "INSERT INTO login_nonce (nonce_hash, expires_at) VALUES (?1, ?2)",
            params![session::hash(&nonce), clock::unix_millis() + LASTS * 1000],
        )
        .await?;
    let body = json!({ "nonce": nonce, "expires_in": LASTS });
    Ok(json_response(StatusCode::OK, &body))
}

/// Uses the nonce up; whether it was one of ours that is good.
pub(super) async fn use_up(transaction: &mut Transaction<'_>, nonce: &str) -> Result<bool> {
    let used = transaction
        .query_one(
            "DELETE FROM login_nonce WHERE nonce_hash = ?1 RETURNING expires_at",
            params![session::hash(nonce)],
        )
        .await?;
    Ok(used.is_some_and(|row| row.int(0) > clock::unix_millis()))
}
