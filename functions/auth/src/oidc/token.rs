//! An ID token that is not verified yet: three parts, a header, claims (RFC 7515 and 7519).
//!
//! By hand: a JWT library takes the time from its own clock, gives fewer reasons for the log, and checks
//! an ID token less strictly than [`Token::check`].

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

use super::signature::Algorithm;

/// The longest token that is looked at, in bytes.
const MAX_BYTES: usize = 16 * 1024;

/// How far the provider's clock may be from ours, in seconds.
const LEEWAY: f64 = 60.0;

/// A token's parts.
#[derive(Debug)]
pub struct Token<'a> {
    /// The signed text: header and claims, unchanged.
    pub signed: &'a str,
    pub signature: Vec<u8>,
    pub header: Header,
    pub claims: Claims,
}

/// How a token is signed.
#[derive(Debug, Deserialize)]
pub struct Header {
    #[serde(rename = "alg")]
    pub algorithm: Algorithm,
    /// Which of the provider's keys signed it.
    #[serde(rename = "kid")]
    pub key_id: Option<String>,
    /// Extensions that must be understood (RFC 7515, section 4.1.11); none is.
    #[serde(rename = "crit")]
    extensions: Option<IgnoredAny>,
}

/// The claims of a token.
#[derive(Debug, Deserialize)]
pub struct Claims {
    iss: String,
    /// One audience, or an array of several.
    aud: Value,
    azp: Option<String>,
    exp: f64,
    nbf: Option<f64>,
    jti: Option<String>,
    /// What the login began with, if it began with something.
    pub nonce: Option<String>,
    pub email: Option<String>,
    /// Some providers write the boolean as a text.
    #[serde(default)]
    email_verified: Value,
}

/// A part of a token.
fn decoded(part: &str) -> Option<Vec<u8>> {
    BASE64_URL_SAFE_NO_PAD.decode(part).ok()
}

fn json<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&decoded(part)?).ok()
}

impl<'a> Token<'a> {
    /// Takes a token apart; the error is for the log.
    pub fn parse(token: &'a str) -> Result<Self, &'static str> {
        if token.len() > MAX_BYTES {
            return Err("it is too long");
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("it has no signature")?;
        let (header, claims) = signed.split_once('.').ok_or("it has no claims")?;
        let unreadable = "its header can't be read, or its algorithm is neither RS256 nor ES256";
        let header: Header = json(header).ok_or(unreadable)?;
        if header.extensions.is_some() {
            return Err("its header has critical extensions");
        }
        Ok(Self {
            signed,
            signature: decoded(signature).ok_or("its signature can't be read")?,
            header,
            claims: json(claims).ok_or("its claims are incomplete or can't be read")?,
        })
    }

    /// Whether the claims are `issuer`'s, for `audience`, and good at `now`, in seconds since 1970 (OpenID Connect Core
    /// 1.0, section 3.1.3.7); the error is for the log.
    pub fn check(&self, issuer: &str, audience: &str, now: i64) -> Result<(), &'static str> {
        let claims = &self.claims;
        // Exact for every time that a clock shows.
        let now = now as f64;
        let several = claims.aud.as_array();
        if claims.iss != issuer {
            Err("it is from another issuer")
        } else if claims.aud != audience
            && !several.is_some_and(|several| several.iter().any(|one| one == audience))
        {
            Err("it is for another audience")
        } else if claims.azp.as_ref().is_some_and(|party| party != audience) {
            Err("it was given to another party")
        } else if claims.exp + LEEWAY <= now {
            Err("it has expired")
        } else if claims.nbf.is_some_and(|begins| begins - LEEWAY > now) {
            Err("it is not good yet")
        } else {
            Ok(())
        }
    }

    /// Its identity: the id of the issuer, or the token itself. (Without the signature, of which there may be several.)
    pub fn id(&self) -> String {
        match &self.claims.jti {
            Some(id) => format!("jti\n{id}"),
            None => format!("token\n{}", self.signed),
        }
    }

    /// When [`Self::check`] refuses it from, in milliseconds since 1970.
    pub fn expires_at(&self) -> i64 {
        // A larger number becomes the largest of the type.
        ((self.claims.exp + LEEWAY) * 1000.0).ceil() as i64
    }

    /// Whether the provider has verified that the address is this user's.
    pub fn email_is_verified(&self) -> bool {
        self.claims.email_verified == true || self.claims.email_verified == "true"
    }
}
