//! An ID token is valid for one login, so a copy in a log or a browser's history is worthless.
//!
//! A frontend that got no answer sends the same token once more, and must get the same session. Only the
//! hash of the session's token is stored; so that token can be computed again, from the ID token, the sealing key and a
//! salt. The salt is forgotten after ten seconds, and with it the way from one token to the other.

use kafka_common::{
    access::session, clock, db::Transaction, email::Email, error::Result, params, seal::Keys,
};
use serde::Deserialize;

use super::{nonce, refused};

/// How long the same token is answered with the same session, in milliseconds. Clocks of several servers may differ by
/// as much.
const AGAIN: i64 = 10 * 1000;

/// Remembers a token, if it is new.
const REMEMBER: &str = "
    INSERT INTO used_id_token (token_hash, salt, used_at, expires_at) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (token_hash) DO NOTHING RETURNING salt";

/// A token that was used.
#[derive(Deserialize)]
struct Used {
    /// Forgotten after a while.
    salt: Option<String>,
    used_at: i64,
}

const FIND: &str = "SELECT salt, used_at FROM used_id_token WHERE token_hash = ?1";

/// Whether the session with the token's hash ?1 is that person's, and good at ?3.
const SESSION: &str = r#"SELECT session.id FROM session JOIN "user" ON "user".id = session.user_id
    WHERE session.token_hash = ?1 AND "user".email_key = ?2 AND session.expires_at > ?3"#;

/// What a provider's word proves, once.
#[derive(Debug)]
pub struct Word {
    pub email: Email,
    pub(super) keys: &'static Keys,
    /// The token, without its signature: of the same there may be several.
    pub(super) signed: String,
    /// The identity of the token.
    pub(super) id: String,
    pub(super) nonce: Option<String>,
    /// When it is no good any more anyway, in milliseconds since 1970.
    pub(super) expires_at: i64,
}

/// The session that a login answers with.
#[derive(Debug)]
pub enum Login {
    /// It has this token, and is to be made.
    New(String),
    /// It has this token, and was made a moment ago.
    Again(String),
}

impl Word {
    /// Uses the token up, and the nonce that it has. 401 if one of them was used before.
    pub async fn use_up(self, transaction: &mut Transaction<'_>) -> Result<Login> {
        let now = clock::unix_millis();
        let hash = session::hash(&self.id);
        let salt = session::new_token()?;
        let remember = params![hash.as_str(), salt.as_str(), now, self.expires_at];
        if transaction
            .query_one_as::<String>(REMEMBER, remember)
            .await?
            .is_some()
        {
            if let Some(nonce) = &self.nonce
                && !nonce::use_up(transaction, nonce).await?
            {
                return Err(refused(
                    "its nonce is none of ours, or was used, or has expired",
                ));
            }
            return Ok(Login::New(self.token(&salt)));
        }
        let used = || refused("it has been used for a login before");
        let found: Option<Used> = transaction.query_one_as(FIND, params![hash]).await?;
        let found = found.filter(|it| (-AGAIN..=AGAIN).contains(&(now - it.used_at)));
        let salt = found.and_then(|it| it.salt).ok_or_else(used)?;
        let token = self.token(&salt);
        let session = params![session::hash(&token), self.email.key(), now];
        let session: Option<String> = transaction.query_one_as(SESSION, session).await?;
        session.map(|_| Login::Again(token)).ok_or_else(used)
    }

    fn token(&self, salt: &str) -> String {
        let text = format!("{salt}\n{}", self.signed);
        self.keys.hash("the session of an ID token", &text)
    }
}
