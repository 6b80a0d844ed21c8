//! Sessions: opaque tokens, of which only the hash is stored (docs/decisions.md#open-mode-and-token-mode).

use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, header};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::cookie;
use super::cookie::Renewal;
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
///
/// 500 where the platform gives no random numbers.
pub fn new_token() -> Result<String> {
    Ok(BASE64_URL_SAFE_NO_PAD.encode(random_bytes::<TOKEN_BYTES>()?))
}

/// So many random bytes, which nobody can guess.
///
/// 500 where the platform gives no random numbers.
pub fn random_bytes<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)
        .map_err(|error| Error::internal(anyhow::anyhow!("no random numbers: {error}")))?;
    Ok(bytes)
}

/// What is stored of a secret: whoever reads the database can't use it. A token has too much randomness to be guessed
/// from its hash, so no slow hash is needed.
pub fn hash(secret: &str) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(secret.as_bytes()))
}

/// What a request shows to prove whose it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// `Authorization: Bearer <token>`.
    Bearer(String),
    /// The cookie, which a browser sends along whoever's page makes it.
    Cookie(String),
}

impl Credential {
    /// Of a header and a cookie the header counts. 401 for one that can't be read.
    pub fn of(headers: &HeaderMap) -> Result<Option<Self>> {
        let mut values = headers.get_all(header::AUTHORIZATION).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => bearer(value).map(Some).ok_or_else(Error::session_ended),
            // Of two, one is a lie.
            (Some(_), Some(_)) => Err(Error::session_ended()),
            (None, _) => match cookie::value(headers) {
                Some(token) => Ok(Some(Self::Cookie(token.to_owned()))),
                None if cookie::is_there(headers) => Err(Error::session_ended()),
                None => Ok(None),
            },
        }
    }

    pub(super) fn is_cookie(&self) -> bool {
        matches!(self, Self::Cookie(_))
    }

    fn token(&self) -> &str {
        match self {
            Self::Bearer(token) | Self::Cookie(token) => token,
        }
    }
}

fn bearer(value: &HeaderValue) -> Option<Credential> {
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| Credential::Bearer(token.trim().to_owned()))
}

/// A session that is good.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Session {
    /// Its id, which is no secret.
    pub id: String,
    /// Whose it is.
    pub user_id: String,
    /// How it is found again once its token has been shown, without being shown again. Nobody can guess it.
    pub token_hash: String,
    /// How many bytes that user has stored.
    pub(super) stored_bytes: u64,
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
    /// The session that `credential` is the token of, unless it has expired.
    pub async fn find(credential: &Credential) -> db::Result<Option<Self>> {
        Self::by_hash(&hash(credential.token())).await
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

    /// Extends the session if that was not done for a day; a browser gets its cookie anew.
    pub(super) async fn extend_if_old(
        &self,
        request: &Parts,
        credential: &Credential,
    ) -> Result<()> {
        let expires_at = clock::unix_millis() + SESSION_LASTS;
        if self.expires_at > expires_at - DAY {
            return Ok(());
        }
        let mut db = Db::open().await?;
        let extended = db
            .execute(
                "UPDATE session SET expires_at = ?2, extended_at = ?3 WHERE id = ?1",
                params![self.id.as_str(), expires_at, clock::now()],
            )
            .await;
        // It is good all the same, and whoever has it may be about to make room.
        if let Err(db::Error::Full(_) | db::Error::ReadOnly(_)) = extended {
            return Ok(());
        }
        extended?;
        if let Credential::Cookie(token) = credential {
            give_cookie(request, token);
        }
        Ok(())
    }
}

/// Lets the answer to `request` give a browser the cookie of a session that has just begun, or was extended.
pub fn give_cookie(request: &Parts, token: &str) {
    if let Some(cookie) = cookie::set(request, token, SESSION_LASTS / 1000) {
        Renewal::leave(request, cookie);
    }
}

/// Lets the answer to `request` take the cookie away.
pub fn take_cookie(request: &Parts) {
    if let Some(cookie) = cookie::set(request, "", 0) {
        Renewal::leave(request, cookie);
    }
}

#[cfg(test)]
mod tests {
    use super::{Credential, hash, new_token};
    use axum::http::HeaderMap;

    fn credential(headers: &[(&'static str, &str)]) -> Result<Option<Credential>, ()> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        Credential::of(&map).map_err(drop)
    }

    #[test]
    fn a_token_is_in_a_header_or_in_the_cookie() {
        let bearer = Ok(Some(Credential::Bearer("t".to_owned())));
        assert_eq!(credential(&[("authorization", "Bearer t")]), bearer);
        assert_eq!(credential(&[("authorization", "bearer  t")]), bearer);
        let cookie = ("cookie", "kafka_session=c");
        let of_cookie = Ok(Some(Credential::Cookie("c".to_owned())));
        assert_eq!(credential(&[cookie]), of_cookie);
        assert_eq!(credential(&[cookie, ("authorization", "Bearer t")]), bearer);
        assert_eq!(credential(&[]), Ok(None));
        assert_eq!(credential(&[("cookie", "a=b")]), Ok(None));
    }

    #[test]
    fn what_is_not_clear_is_refused() {
        for headers in [
            &[("authorization", "Basic dA==")][..],
            &[("authorization", "t")],
            &[("authorization", "Bearer t"), ("authorization", "Bearer u")],
            &[("cookie", "kafka_session=t; kafka_session=u")],
            &[("cookie", "kafka_session=t"), ("authorization", "t")],
        ] {
            assert_eq!(credential(headers), Err(()), "{headers:?}");
        }
    }

    #[test]
    fn tokens_are_long_and_their_hashes_say_nothing() {
        let (one, two) = (new_token().unwrap(), new_token().unwrap());
        assert_ne!(one, two);
        assert_eq!(one.len(), 43);
        assert_ne!(hash(&one), one);
        assert_eq!(hash(&one), hash(&one));
    }
}
