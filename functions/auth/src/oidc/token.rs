//! An ID token before anything of it is believed: three parts, a header, claims (RFC 7515 and 7519).
//!
//! By hand: a JWT library takes the time from its own clock, keeps no claim for the log, and checks an ID token less
//! strictly than [`Token::check`].

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::Value;

use super::signature::Algorithm;

/// The longest token that is looked at, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// How far the provider's clock may be from ours, in seconds.
const LEEWAY: f64 = 60.0;

/// A part of a token.
fn decoded(part: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(part).ok()
}

/// A token's parts.
#[derive(Debug)]
pub struct Token<'a> {
    /// What is signed: header and claims as they were sent.
    pub signed: &'a str,
    pub signature: Vec<u8>,
    pub algorithm: Algorithm,
    /// Which of the provider's keys signed it.
    pub key_id: Option<String>,
    claims: Value,
}

impl<'a> Token<'a> {
    /// Takes a token apart; the error is for the log.
    pub fn parse(token: &'a str) -> Result<Self, &'static str> {
        if token.len() > MAX_BYTES {
            return Err("it is too long");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("it has no signature")?;
        let (header, claims) = signed.split_once('.').ok_or("it has no claims")?;
        let json = |part: &str| decoded(part).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let header: Value = json(header).ok_or("its header can't be read")?;
        let claims: Value = json(claims).ok_or("its claims can't be read")?;
        let algorithm = header.get("alg").and_then(Value::as_str);
        // Extensions that must be understood (RFC 7515, section 4.1.11); none is.
        if header.get("crit").is_some() {
            return Err("its header has critical extensions");
        }
        Ok(Self {
            signed,
            signature: decoded(signature).ok_or("its signature can't be read")?,
            algorithm: algorithm
                .and_then(Algorithm::of)
                .ok_or("its algorithm is neither RS256 nor ES256")?,
            key_id: header.get("kid").and_then(Value::as_str).map(str::to_owned),
            claims,
        })
    }

    /// Whether the claims are `issuer`'s, for `audience`, and good at `now`, in seconds since 1970 (OpenID Connect Core
    /// 1.0, section 3.1.3.7); the error is for the log.
    pub fn check(&self, issuer: &str, audience: &str, now: i64) -> Result<(), &'static str> {
        // Exact for every time that a clock shows.
        let now = now as f64;
        let time = |name| self.claims.get(name).map(Value::as_f64);
        if self.text("iss") != Some(issuer) {
            return Err("it is from another issuer");
        }
        let is_for_us = match self.claims.get("aud") {
            Some(Value::String(one)) => one == audience,
            Some(Value::Array(several)) => several.iter().any(|one| one == audience),
            _ => false,
        };
        if !is_for_us {
            return Err("it is for another audience");
        }
        if self.text("azp").is_some_and(|party| party != audience) {
            return Err("it was given to another party");
        }
        if !matches!(time("exp"), Some(Some(expires)) if expires + LEEWAY > now) {
            return Err("it has expired, or never does");
        }
        if self
            .claims
            .get("nonce")
            .is_some_and(|nonce| !nonce.is_string() && !nonce.is_null())
        {
            return Err("its nonce is no text");
        }
        match time("nbf") {
            None => Ok(()),
            Some(Some(begins)) if begins - LEEWAY <= now => Ok(()),
            Some(_) => Err("it is not good yet"),
        }
    }

    /// What tells it from all others: what the issuer calls it, or itself. (Not with the signature, of which there may be
    /// several.)
    pub fn id(&self) -> String {
        match self.text("jti") {
            Some(id) => format!("jti\n{id}"),
            None => format!("token\n{}", self.signed),
        }
    }

    /// What the login began with, if it began with something.
    pub fn nonce(&self) -> Option<&str> {
        self.text("nonce")
    }

    /// When [`Self::check`] refuses it from, in milliseconds since 1970.
    pub fn expires_at(&self) -> i64 {
        let expires = self.claims.get("exp").and_then(Value::as_f64);
        // What is too large for the type becomes its largest number.
        ((expires.unwrap_or_default() + LEEWAY) * 1000.0).ceil() as i64
    }

    /// Its `email`.
    pub fn email(&self) -> &str {
        self.text("email").unwrap_or_default()
    }

    /// Whether the provider says that the address is this person's; some write the boolean as a text.
    pub fn email_is_verified(&self) -> bool {
        match self.claims.get("email_verified") {
            Some(Value::Bool(verified)) => *verified,
            Some(Value::String(verified)) => verified == "true",
            _ => false,
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }
}
