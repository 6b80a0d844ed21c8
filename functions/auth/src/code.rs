//! One-time codes: who reads the mail of an address is the person (`POST /auth/code`, then `POST /auth/login`).
//!
//! A code is good for ten minutes and for one login, from wherever. Asking for another leaves it good, and who tries
//! wrong ones is slowed down where they are ([`Limit::Guess`]): a stranger can't keep the person out. Whether somebody
//! has the address already makes no difference to any answer.

use axum::{extract::Request, response::Response};
use http::StatusCode;
use kafka_common::{
    access::{Visitor, session},
    clock,
    db::{Db, Transaction},
    email::Email,
    error::{Error, Result, json_response},
    json::JsonBody,
    limits::{self, Limit, Who},
    params,
};
use serde_json::json;

use crate::mail::Mail;

/// How long a code is good, in milliseconds.
const LASTS: i64 = 10 * 60 * 1000;

/// How many codes there are: ten digits. Of many addresses, each may try a few (see [`Limit::everywhere`]).
const CODES: u64 = 10_000_000_000;

/// Sends a code to the address.
pub async fn send(visitor: Visitor, request: Request) -> Result<Response> {
    if !visitor.must_log_in() {
        return Err(Error::no_sessions());
    }
    let email = JsonBody::read(request).await?.email("email")?;
    let mail = Mail::get().await?;
    visitor
        .count(&[Limit::Code], Who::Email(email.as_str()))
        .await?;
    let code = new_code()?;
    let mut db = Db::open().await?;
    db.execute(
        "INSERT INTO login_code (email, code_hash, expires_at) VALUES (?1, ?2, ?3)
         ON CONFLICT (email, code_hash) DO UPDATE SET expires_at = excluded.expires_at",
        params![
            email.as_str(),
            hash(&email, &code),
            clock::unix_millis() + LASTS
        ],
    )
    .await?;
    drop(db);
    mail.send_code(&email, &code).await?;
    let body = json!({ "detail": "A code is on its way to this address." });
    Ok(json_response(StatusCode::OK, &body))
}

/// 401 unless the code with this [`hash`] is good.
pub async fn check(db: &mut Db, email: &Email, hash: &str) -> Result<()> {
    let good = db
        .query_one(
            "SELECT 1 FROM login_code WHERE email = ?1 AND code_hash = ?2 AND expires_at > ?3",
            params![email.as_str(), hash, clock::unix_millis()],
        )
        .await?;
    good.map(drop).ok_or_else(wrong)
}

fn wrong() -> Error {
    Error::Unauthorized("The code is wrong or has expired.".into())
}

/// Uses up the code with this [`hash`], and forgets the wrong ones that were tried before. 401 if none was sent, or it
/// has expired, or somebody was faster.
pub async fn use_up(transaction: &mut Transaction<'_>, email: &Email, hash: &str) -> Result<()> {
    let used = transaction
        .query_one(
            "DELETE FROM login_code WHERE email = ?1 AND code_hash = ?2 AND expires_at > ?3 RETURNING email",
            params![email.as_str(), hash, clock::unix_millis()],
        )
        .await?;
    if used.is_none() {
        return Err(wrong());
    }
    limits::forget(transaction, &[Limit::Guess], &[email.as_str()]).await
}

/// What is kept of a code.
pub fn hash(email: &Email, code: &str) -> String {
    session::hash(&format!("{}\n{}", email.as_str(), code.trim()))
}

fn new_code() -> Result<String> {
    let random = u64::from_le_bytes(session::random_bytes()?);
    // 2^64 is so many times 10^10 that no code is noticeably likelier than another.
    Ok(format!("{:010}", random % CODES))
}
