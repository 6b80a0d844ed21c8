//! Sessions: opaque tokens, of which only the hash is stored (docs/decisions.md#open-mode-and-token-mode).

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use crate::clock;
use crate::db::{self, Db};
use crate::error::{Error, Result};
use crate::params;

/// How long a session is good without being used, in milliseconds: 30 days.
pub const SESSION_LASTS: i64 = 30 * DAY;

/// A session that is used is extended, at most once a day, so that most requests write nothing.
const DAY: i64 = 24 * 60 * 60 * 1000;

/// Bytes of randomness in a token.
const TOKEN_BYTES: usize = 32;

/// A new secret for a session or a ticket; the caller shows it once and stores its [`hash`].
pub fn new_token() -> Result<String> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random_bytes::<TOKEN_BYTES>()?))
}

/// So many random bytes, which can't be guessed.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::Internal(anyhow::anyhow!("no random numbers: {error}")))?;
    Ok(bytes)
}

/// What is stored of a secret: a reader of the database can't use it. A token has too much randomness to be guessed
/// from its hash, so no slow hash is needed.
pub fn hash(secret: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

/// A session that is good.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// Its id, which is no secret.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// How it is found again once its token has been shown, without being shown again. It can't be guessed.
    pub token_hash: String,
    /// How many bytes that user has stored.
    pub stored_bytes: u64,
    /// How many bytes that user may store, if the operator has set that for this user.
    pub quota_bytes: Option<u64>,
    expires_at: i64,
}

const FIND: &str = include_str!("session.sql");

/// Uses a ticket up.
const USE_TICKET: &str = "DELETE FROM ws_ticket WHERE ticket_hash = ?1
    RETURNING (SELECT token_hash FROM session WHERE id = session_id) AS token_hash, expires_at";

/// A ticket that was used up.
#[derive(Deserialize)]
struct Ticket {
    /// Of its session, unless that has ended.
    token_hash: Option<String>,
    expires_at: i64,
}

/// Tickets are good for a minute, in milliseconds. One that is good for much longer is from before the clock was set back.
const TICKET_LASTS: i64 = 60 * 1000;

fn is_good(ticket_expires_at: i64) -> bool {
    (1..=2 * TICKET_LASTS).contains(&(ticket_expires_at - clock::unix_millis()))
}

impl Session {
    /// The session with this token, unless it has expired.
    pub async fn find(token: &impl AsRef<str>) -> db::Result<Option<Self>> {
        Self::by_hash(&hash(token.as_ref())).await
    }

    /// The session of this [`Self::token_hash`], unless it has ended since.
    pub async fn by_hash(token_hash: &str) -> db::Result<Option<Self>> {
        let mut db = Db::open().await?;
        db.query_one_as(FIND, params![token_hash, clock::unix_millis()])
            .await
    }

    /// The session that a ticket for a socket was made for; the ticket is used up.
    pub async fn by_ticket(ticket: &str) -> db::Result<Option<Self>> {
        let mut db = Db::open().await?;
        let used: Option<Ticket> = db.query_one_as(USE_TICKET, params![hash(ticket)]).await?;
        match used.filter(|ticket| is_good(ticket.expires_at)) {
            Some(Ticket {
                token_hash: Some(token_hash),
                ..
            }) => Self::by_hash(&token_hash).await,
            _ => Ok(None),
        }
    }

    /// Extends the session if that was not done for a day. Whether it was extended.
    pub async fn extend_if_old(&self) -> db::Result<bool> {
        let expires_at = clock::unix_millis() + SESSION_LASTS;
        if self.expires_at > expires_at - DAY {
            return Ok(false);
        }
        let mut db = Db::open().await?;
        let extended = db
            .execute(
                "UPDATE session SET expires_at = ?2, extended_at = ?3 WHERE id = ?1",
                params![self.id.as_str(), expires_at, clock::now()],
            )
            .await;
        match extended {
            Ok(()) => Ok(true),
            // It is good all the same, and its user may be about to make room.
            Err(db::Error::Full(_) | db::Error::ReadOnly(_)) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{hash, new_token};

    #[test]
    fn tokens_are_long_and_their_hashes_say_nothing() {
        let (one, two) = (new_token().unwrap(), new_token().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 43);
        assert_ne!(hash(&one), one);
        assert_eq!(hash(&one), hash(&one));
    }
}
