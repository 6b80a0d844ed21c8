//! One-time codes: who reads the mail of an address is the person (`POST /auth/code`, then `POST /auth/login`).
//!
//! A code is good for ten minutes, for five tries and for one login. Whether somebody has the address already makes no
//! difference to any answer.

use axum::{extract::Request, response::Response};
use http::StatusCode;
use kafka_common::{
    access::{Visitor, session},
    clock,
    db::{Db, Transaction},
    email::Email,
    error::{Error, Result, json_response},
    json::JsonBody,
    limits::Limit,
    params,
};
use serde_json::json;

use crate::mail::Mail;

/// How long a code is good, in milliseconds.
const LASTS: i64 = 10 * 60 * 1000;

/// How often a code may be guessed.
const TRIES: i64 = 5;

/// How many codes there are: eight digits.
const CODES: u64 = 100_000_000;

/// Sends a code to the address, which replaces the one before.
pub async fn send(visitor: Visitor, request: Request) -> Result<Response> {
    if !visitor.must_log_in() {
        return Err(Error::no_sessions());
    }
    let email = JsonBody::read(request).await?.email("email")?;
    let mail = Mail::get().await?;
    visitor.count(Limit::Code, Some(email.as_str())).await?;
    let code = new_code()?;
    let mut db = Db::open().await?;
    db.execute(
        "INSERT INTO login_code (email, code_hash, expires_at, tries) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (email) DO UPDATE SET
             code_hash = excluded.code_hash, expires_at = excluded.expires_at, tries = excluded.tries",
        params![
            email.as_str(),
            hash(&email, &code),
            clock::unix_millis() + LASTS,
            TRIES
        ],
    )
    .await?;
    drop(db);
    mail.send_code(&email, &code).await?;
    let body = json!({ "detail": "A code is on its way to this address." });
    Ok(json_response(StatusCode::OK, &body))
}

/// Looks whether `code` was sent to `email`, which costs one of its tries; its hash. 401 otherwise.
pub async fn check(email: &Email, code: &str) -> Result<String> {
    let mut db = Db::open().await?;
    let row = db
        .query_one(
            "UPDATE login_code SET tries = tries - 1 WHERE email = ?1 AND expires_at > ?2 AND tries > 0
             RETURNING code_hash",
            params![email.as_str(), clock::unix_millis()],
        )
        .await?;
    let sent = row.map(|mut row| row.text(0)).ok_or_else(wrong)?;
    let hash = hash(email, code.trim());
    match hash == sent {
        true => Ok(hash),
        false => Err(wrong()),
    }
}

/// Uses a checked code up. 401 if somebody was faster.
pub async fn use_up(transaction: &mut Transaction<'_>, email: &Email, hash: &str) -> Result<()> {
    let used = transaction
        .query_one(
            "DELETE FROM login_code WHERE email = ?1 AND code_hash = ?2 RETURNING email",
            params![email.as_str(), hash],
        )
        .await?;
    used.map(drop).ok_or_else(wrong)
}

fn wrong() -> Error {
    Error::Unauthorized("The code is wrong or has expired.".into())
}

fn hash(email: &Email, code: &str) -> String {
    session::hash(&format!("{}\n{code}", email.as_str()))
}

fn new_code() -> Result<String> {
    let mut bytes = [0; 8];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(anyhow::anyhow!("no random numbers: {error}")))?;
    // 2^64 is so many times 10^8 that no code is noticeably likelier than another.
    Ok(format!("{:08}", u64::from_le_bytes(bytes) % CODES))
}
