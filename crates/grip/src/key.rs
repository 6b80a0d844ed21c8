//! A key that both sides have, and the JWTs that are signed with it: HS256, an issuer and an expiry (RFC 7519).
//!
//! Not `jsonwebtoken`: it reads the clock itself, so that neither the time nor the leeway could be the caller's, and it
//! brings every other algorithm along only for these few lines to forbid them.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Number;
use sha2::Sha256;
use std::fmt;

/// The header of every token that is made here.
const HEADER: &str = r#"{"alg":"HS256","typ":"JWT"}"#;
/// The longest token that is read, in bytes. A gateway's has an issuer and a time.
const MAX_BYTES: usize = 4096;

/// A shared secret, and the name of the side that signs with it.
#[derive(Clone)]
pub struct Key {
    issuer: Option<String>,
    mac: Hmac<Sha256>,
}

/// The reason why a token was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// It is no token, or was not signed with the key.
    Unsigned,
    /// It has expired, or never expires.
    Expired,
    /// It is of another issuer.
    Foreign,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Serialize, Deserialize)]
struct Claims {
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<String>,
    exp: Option<Number>,
}

impl Key {
    /// A key for tokens of `issuer`, or of any issuer.
    pub fn new(secret: &[u8], issuer: Option<String>) -> Self {
        // HMAC takes keys of any length; the library's signature does not express that.
        #[expect(clippy::expect_used, reason = "never fails for HMAC")]
        let mac = Hmac::new_from_slice(secret).expect("HMAC takes any key");
        Self { issuer, mac }
    }

    /// Makes a token that expires at `expires`, in seconds since 1970.
    pub fn sign(&self, expires: i64) -> String {
        let claims = Claims {
            iss: self.issuer.clone(),
            exp: Some(expires.into()),
        };
        // A text and a number have no reason to fail.
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        self.sign_parts(HEADER.as_bytes(), &claims)
    }

    fn sign_parts(&self, header: &[u8], claims: &[u8]) -> String {
        let encode = |part: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(part);
        let signed = format!("{}.{}", encode(header), encode(claims));
        let mac = self.mac.clone().chain_update(signed.as_bytes());
        format!("{signed}.{}", encode(&mac.finalize().into_bytes()))
    }

    /// Checks that a token was signed with this key, by its issuer if the key has one, and has not expired at `now`, in
    /// seconds since 1970.
    ///
    /// # Errors
    /// When it was not, or has. A token that names another algorithm, `none` above all, is refused, and so is one without
    /// an expiry.
    pub fn verify(&self, token: &str, now: i64) -> Result<(), Refusal> {
        let claims = self.claims(token).ok_or(Refusal::Unsigned)?;
        // Exact for every time before the year 280,000,000.
        let expires = claims.exp.and_then(|exp| exp.as_f64());
        if !expires.is_some_and(|expires| expires > now as f64) {
            return Err(Refusal::Expired);
        }
        match &self.issuer {
            Some(_) if claims.iss != self.issuer => Err(Refusal::Foreign),
            _ => Ok(()),
        }
    }

    /// The claims of a token whose signature is right.
    fn claims(&self, token: &str) -> Option<Claims> {
        if token.len() > MAX_BYTES {
            return None;
        }
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        if json::<Header>(header)?.alg != "HS256" {
            return None;
        }
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).ok()?;
        let mac = self.mac.clone().chain_update(signed.as_bytes());
        // Compares in constant time.
        mac.verify_slice(&signature).ok()?;
        json(claims)
    }
}

impl fmt::Debug for Key {
    /// Without the secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({:?})", self.issuer)
    }
}

/// A part of a token.
fn json<T: DeserializeOwned>(part: &str) -> Option<T> {
    serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::{HEADER, Key, Refusal};
    use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};

    /// The example of RFC 7515, appendix A.1.
    const RFC: &str = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.\
        eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.\
        dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    const RFC_KEY: &str =
        "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    fn key(secret: &[u8], issuer: &str) -> Key {
        let issuer = Some(issuer.to_owned()).filter(|issuer| !issuer.is_empty());
        Key::new(secret, issuer)
    }

    #[test]
    fn the_rfcs_example_verifies_until_it_expires() {
        let secret = BASE64_URL_SAFE_NO_PAD.decode(RFC_KEY).unwrap();
        let (joes, anyones) = (key(&secret, "joe"), key(&secret, ""));
        assert_eq!(joes.verify(RFC, 1_300_819_379), Ok(()));
        assert_eq!(anyones.verify(RFC, 1_300_819_379), Ok(()));
        assert_eq!(joes.verify(RFC, 1_300_819_380), Err(Refusal::Expired));
        let janes = key(&secret, "jane");
        assert_eq!(janes.verify(RFC, 1_300_819_379), Err(Refusal::Foreign));
        let another = key(&secret[1..], "joe");
        assert_eq!(another.verify(RFC, 1_300_819_379), Err(Refusal::Unsigned));
    }

    #[test]
    fn a_token_is_good_for_its_key_issuer_and_time() {
        let mine = key(b"secret", "kafka");
        let token = mine.sign(2000);
        assert_eq!(mine.verify(&token, 1999), Ok(()));
        assert_eq!(key(b"secret", "").verify(&token, 1999), Ok(()));
        assert_eq!(mine.verify(&token, 2000), Err(Refusal::Expired));
        let other = key(b"secret", "other");
        assert_eq!(other.verify(&token, 1999), Err(Refusal::Foreign));
        let forger = key(b"guess", "kafka");
        assert_eq!(forger.verify(&token, 1999), Err(Refusal::Unsigned));
    }

    #[test]
    fn other_algorithms_and_no_algorithm_are_refused() {
        let key = key(b"key", "");
        for header in [
            r#"{"alg":"none"}"#,
            r#"{"alg":"None"}"#,
            r#"{"alg":"HS512"}"#,
            r#"{"alg":["HS256"]}"#,
            r#"{"typ":"JWT"}"#,
            "[]",
            "",
        ] {
            // Rightly signed, which must not matter.
            let token = key.sign_parts(header.as_bytes(), br#"{"exp":2000}"#);
            assert_eq!(key.verify(&token, 1), Err(Refusal::Unsigned), "{header}");
            let (signed, _) = token.rsplit_once('.').unwrap();
            let unsigned = format!("{signed}.");
            assert_eq!(key.verify(&unsigned, 1), Err(Refusal::Unsigned), "{header}");
        }
    }

    #[test]
    fn a_changed_or_malformed_token_is_refused() {
        let a = key(b"key", "a").sign(2000);
        let b = key(b"key", "b").sign(2000);
        let (_, signature) = a.rsplit_once('.').unwrap();
        let (signed, _) = b.rsplit_once('.').unwrap();
        let swapped = format!("{signed}.{signature}");
        let unsigned = format!("{signed}.");
        let long = format!("{a}{}", "x".repeat(5000));
        for bad in [
            swapped.as_str(),
            &unsigned,
            signed,
            &long,
            "",
            ".",
            "..",
            "a.b",
            "a.b.c",
        ] {
            let verdict = key(b"key", "").verify(bad, 1);
            assert_eq!(verdict, Err(Refusal::Unsigned), "{bad}");
        }
    }

    #[test]
    fn a_token_without_a_sensible_expiry_is_refused() {
        let key = key(b"key", "");
        for claims in ["{}", r#"{"exp":"2000"}"#, r#"{"exp":null}"#, "[]", "2000"] {
            let token = key.sign_parts(HEADER.as_bytes(), claims.as_bytes());
            assert!(key.verify(&token, 1).is_err(), "{claims}");
        }
    }
}
