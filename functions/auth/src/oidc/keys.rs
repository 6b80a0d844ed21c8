//! The identity provider's public keys: fetched when they are needed, and kept in the database for all instances.

use std::time::Duration;

use kafka_common::{
    clock::{self, Moment},
    db::Db,
    error::{Error, Result},
    params,
};
use serde::Deserialize;
use serde_json::Value;

use super::discovery::{Discovery, get};
use super::signature::{Algorithm, PublicKey};

/// How long keys are used without being fetched again, in milliseconds.
const FRESH: i64 = 60 * 60 * 1000;

/// How long they are used while they can't be fetched.
const STALE: i64 = 24 * FRESH;

/// A key that is not known is asked for at most so often: anybody can name one.
const BETWEEN_FETCHES: i64 = 60 * 1000;

/// How long a provider that did not answer is left in peace by this instance.
const AFTER_FAILURE: Duration = Duration::from_secs(5);

/// When a provider failed last. Otherwise every token that a client sends while it is down would cause a request.
static FAILED: Moment = Moment::never();

/// The keys of one provider.
#[derive(Debug)]
pub struct Keys<'a> {
    issuer: &'a str,
}

/// A JWK set as it was fetched once.
#[derive(Deserialize)]
struct Kept {
    keys: String,
    fetched_at: i64,
}

/// A JWK set (RFC 7517, section 5). Of each key it shows later whether it is one that we know.
#[derive(Deserialize)]
struct KeySet {
    keys: Vec<Value>,
}

impl<'a> Keys<'a> {
    /// The keys of the provider that calls itself so.
    pub fn of(issuer: &'a str) -> Self {
        Self { issuer }
    }

    /// The key that signed a token with this header. 503 where the provider can't be asked.
    pub async fn find(&self, kid: Option<&str>, algorithm: Algorithm) -> Result<Option<PublicKey>> {
        let kept = self.kept().await?;
        // Keys of the future are old ones, too: the clock has been set back.
        let age = kept.as_ref().map_or(i64::MAX, |kept| {
            (clock::unix_millis() - kept.fetched_at).saturating_abs()
        });
        let keys = kept.and_then(|kept| parse(kept.keys.as_bytes()).ok());
        let known = keys.and_then(|keys| chosen(&keys, kid, algorithm));
        let enough = match known {
            Some(_) => age < FRESH,
            None => age < BETWEEN_FETCHES,
        };
        if enough {
            return Ok(known);
        }
        if !FAILED.is_within(AFTER_FAILURE) {
            match self.fetch().await {
                Ok(keys) => return Ok(chosen(&keys, kid, algorithm)),
                Err(problem) => tracing::error!(
                    "the identity provider (oidc_issuer, oidc_origin, oidc_keys_origin): {problem}"
                ),
            }
            FAILED.is_now();
        }
        match known {
            Some(known) if age < STALE => Ok(Some(known)),
            _ => Err(Error::unavailable(
                "The identity provider can't be asked now. Please try again later.",
            )),
        }
    }

    async fn kept(&self) -> Result<Option<Kept>> {
        let find = "SELECT keys, fetched_at FROM identity_provider WHERE issuer = ?1";
        let mut db = Db::open().await?;
        Ok(db.query_one_as(find, params![self.issuer]).await?)
    }

    /// Asks the provider where its keys are, fetches and keeps them.
    async fn fetch(&self) -> Result<Vec<Value>, String> {
        let jwks_uri = Discovery::of(self.issuer).await?.jwks_uri;
        let text = get(&jwks_uri).await?;
        let keys = parse(&text).map_err(|error| format!("its keys: {error}"))?;
        self.keep(&text).await.map_err(|error| error.to_string())?;
        Ok(keys)
    }

    async fn keep(&self, text: &[u8]) -> kafka_common::db::Result<()> {
        let mut db = Db::open().await?;
        db.execute(
            "INSERT INTO identity_provider (issuer, keys, fetched_at) VALUES (?1, ?2, ?3)
             ON CONFLICT (issuer) DO UPDATE SET keys = excluded.keys, fetched_at = excluded.fetched_at",
            params![
                self.issuer,
                String::from_utf8_lossy(text).into_owned(),
                clock::unix_millis()
            ],
        )
        .await
    }
}

fn parse(text: &[u8]) -> serde_json::Result<Vec<Value>> {
    serde_json::from_slice(text).map(|set: KeySet| set.keys)
}

/// The key that a token names; a token that names none can only mean the only one. Keys for something else, or of a
/// kind that is not known, are passed over.
fn chosen(keys: &[Value], id: Option<&str>, algorithm: Algorithm) -> Option<PublicKey> {
    let named = |key: &&Value| id.is_none() || key.get("kid").and_then(Value::as_str) == id;
    let mut fitting = keys
        .iter()
        .filter(named)
        .filter_map(|key| PublicKey::of_jwk(key, algorithm));
    let first = fitting.next()?;
    (id.is_some() || fitting.next().is_none()).then_some(first)
}
