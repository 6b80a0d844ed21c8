//! One-time codes: a user proves an address by reading its mail (`POST /auth/code`, then `POST /auth/login`).
//!
//! A code is valid for ten minutes and for one login, from any address. It stays valid when another one is requested. A
//! client that tries wrong codes is slowed down at its own address ([`Limit::Guess`]), so a stranger can't lock the
//! user out. No answer reveals whether an address has an account. An ordinary hash of a code could be guessed, so the
//! stored hash needs the sealing key.

use axum::{extract::Request, response::Response};
use kafka_common::{
    access::{Visitor, session},
    api::Done,
    clock,
    db::{Db, Transaction, Value},
    email::Email,
    error::{Error, Result, answer},
    json::JsonBody,
    limits::{self, Limit, Subject},
    params,
    seal::Keys,
};
use serde::Deserialize;
use serde_json::json;

use crate::mail::Mail;

/// How long a code is good, in milliseconds.
const LASTS: i64 = 10 * 60 * 1000;

/// How many digits a code has.
const DIGITS: usize = 10;

/// And how many after guesses from thousands of addresses, each of which may try one.
const MANY_DIGITS: usize = 20;

const STORE: &str = include_str!("code.sql");

/// The body of a request that names an address.
#[derive(Deserialize)]
pub struct Address {
    pub email: Email,
}

/// Sends a code to the address.
pub async fn send(visitor: Visitor, request: Request) -> Result<Response> {
    if !visitor.must_log_in() {
        return Err(Error::no_sessions());
    }
    let Address { email } = JsonBody::read(request, &["email"]).await?.get()?;
    let mail = Mail::get().await?;
    let keys = Keys::get().await?;
    visitor
        .count(&[Limit::Code], Subject::Email(email.as_str()))
        .await?;
    let codes = [new_code(DIGITS)?, new_code(MANY_DIGITS)?];
    let [usual, long] = codes
        .each_ref()
        .map(|code| keys.hash(PURPOSE, &text(&email, code)));
    let (hammered, later) = limits::hammered(email.as_str());
    let mut db = Db::open().await?;
    let stored: Option<String> = db
        .query_one_as(
            STORE,
            params![
                email.as_str(),
                usual,
                long.as_str(),
                clock::unix_millis() + LASTS,
                hammered,
                later
            ],
        )
        .await?;
    drop(db);
    let is_long = stored.is_some_and(|stored| stored == long);
    let code = &codes[usize::from(is_long)];
    mail.send_code(&email, code).await?;
    Ok(answer(&Done {
        detail: "A code is on its way to this address.",
    }))
}

/// Whether the code of ?1 with one of the hashes ?2 is good at ?3. One that is good for much longer than codes are is
/// from before the clock was set back.
macro_rules! good {
    () => {
        "email = ?1 AND code_hash IN (SELECT value FROM json_each(?2)) AND expires_at BETWEEN ?3 + 1 AND ?3 + ?4"
    };
}
const FIND: &str = concat!("SELECT email FROM login_code WHERE ", good!());
const USE_UP: &str = concat!("DELETE FROM login_code WHERE ", good!(), " RETURNING email");

/// A code that a client has sent.
#[derive(Debug)]
pub struct Shown {
    pub email: Email,
    /// Its possible stored hashes, one for each key.
    hashes: Vec<String>,
    /// The answer if it is wrong.
    if_wrong: Error,
}

impl Shown {
    /// Counts the try: 429 after too many.
    pub async fn count(visitor: &Visitor, email: Email, code: &str) -> Result<Self> {
        let keys = Keys::get().await?;
        let if_wrong = visitor.count_guess(email.as_str()).await?;
        let wrong = || Error::Unauthorized("The code is wrong or has expired.".into());
        Ok(Self {
            hashes: keys.hashes(PURPOSE, &text(&email, code.trim())),
            email,
            if_wrong: if_wrong.unwrap_or_else(wrong),
        })
    }

    /// 401 unless the code is good now. It is not used up by that.
    pub async fn check(self, db: &mut Db) -> Result<Self> {
        match db.query_one_as::<String>(FIND, self.parameters()).await? {
            Some(_) => Ok(self),
            None => Err(self.if_wrong),
        }
    }

    fn parameters(&self) -> Vec<Value> {
        params![
            self.email.as_str(),
            json!(self.hashes).to_string(),
            clock::unix_millis(),
            2 * LASTS
        ]
    }

    /// Uses the code up, and forgets the wrong ones that were tried before. 401 if none was sent, or it has expired, or
    /// another request has used it.
    pub async fn use_up(self, transaction: &mut Transaction<'_>) -> Result<()> {
        let used = transaction.query_one_as::<String>(USE_UP, self.parameters());
        match used.await? {
            Some(_) => Ok(limits::forget_guesses(transaction, self.email.as_str()).await?),
            None => Err(self.if_wrong),
        }
    }
}

/// The purpose of the hash of a code.
const PURPOSE: &str = "a login code";

/// The text that is hashed for a code: for another address, the same code has another hash.
fn text(email: &Email, code: &str) -> String {
    format!("{}\n{code}", email.as_str())
}

fn new_code(digits: usize) -> Result<String> {
    let random = u128::from_le_bytes(session::random_bytes()?);
    // 2^128 is so many times 10^20 that no code is noticeably likelier than another.
    let digit = |place| char::from(b'0' + (random / 10u128.pow(place) % 10) as u8);
    Ok((0..digits as u32).map(digit).collect())
}
