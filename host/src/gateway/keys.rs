//! The keys between the gateway and the components, and the JWTs that are made with them.
//!
//! HS256 only, on the HMAC that TLS brings along: a JWT library would bring a second set of cryptography for the
//! thirty lines it saves.

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD, prelude::BASE64_URL_SAFE_NO_PAD};
use http::{HeaderValue, Uri};
use parking_lot::Mutex;
use ring::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use serde_json::{Value, json};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The header of every token that is made here: `{"alg":"HS256","typ":"JWT"}`.
const HEADER: &str = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
/// How long a token is good for.
const VALID: Duration = Duration::from_secs(3600);
/// How old a token may get before a new one is made.
const RENEWED: Duration = Duration::from_secs(600);
/// How far clocks may be apart.
const LEEWAY: u64 = 30;
/// Bytes of a new key: a multiple of three, so that its base64 has no padding.
const KEY_BYTES: usize = 33;

/// A key, and who signs with it.
struct Key {
    issuer: String,
    secret: hmac::Key,
}

/// What a GRIP URL says: where to publish, and the keys.
#[derive(Default)]
pub struct Keys {
    publish: Option<Key>,
    sign: Option<Key>,
    signature: Mutex<Option<(SystemTime, HeaderValue)>>,
}

/// Why a publish request was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// No token, or none that was signed with the key.
    Unsigned,
    /// The token is over.
    Expired,
    /// Signed, but for somebody else.
    Foreign,
}

/// A GRIP URL with new keys for a gateway whose control listener is at `origin`.
///
/// # Errors
/// When the system has no random numbers.
pub fn new_grip_url(origin: &str) -> anyhow::Result<String> {
    Ok(format!(
        "{origin}/?iss=kafka&key=base64:{}&verify-iss=kafka-gateway&verify-key=base64:{}",
        random_key()?,
        random_key()?
    ))
}

/// A key in base64, of letters and digits only: nothing of it needs escaping in a URL.
fn random_key() -> anyhow::Result<String> {
    let random = SystemRandom::new();
    loop {
        let mut bytes = [0; KEY_BYTES];
        if random.fill(&mut bytes).is_err() {
            bail!("the system gives no random numbers");
        }
        let text = BASE64_STANDARD.encode(bytes);
        if text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(text);
        }
    }
}

impl Keys {
    /// Reads the keys of a GRIP URL: `key` with `iss` is what publish requests are signed with, `verify-key` with
    /// `verify-iss` what this gateway signs its requests with. Without a key, nothing is checked or signed.
    ///
    /// # Errors
    /// When the text is no URL, or a key is not base64.
    pub fn of_grip_url(url: &str) -> anyhow::Result<Self> {
        let uri: Uri = url.parse().context("the GRIP URL is no URL")?;
        let parameter = |name: &str| {
            uri.query()
                .unwrap_or_default()
                .split('&')
                .filter_map(|pair| pair.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| percent_decode(value))
        };
        let key = |key: &str, issuer: &str| -> anyhow::Result<Option<Key>> {
            let Some(secret) = parameter(key).filter(|secret| !secret.is_empty()) else {
                return Ok(None);
            };
            let secret = match secret.strip_prefix(b"base64:") {
                Some(encoded) => BASE64_STANDARD
                    .decode(encoded)
                    .with_context(|| format!("the {key} of the GRIP URL is not base64"))?,
                None => secret,
            };
            let issuer = parameter(issuer).unwrap_or_default();
            Ok(Some(Key {
                issuer: String::from_utf8_lossy(&issuer).into_owned(),
                secret: hmac::Key::new(hmac::HMAC_SHA256, &secret),
            }))
        };
        Ok(Self {
            publish: key("key", "iss")?,
            sign: key("verify-key", "verify-iss")?,
            signature: Mutex::default(),
        })
    }

    /// The `Grip-Sig` for a request to a component, if there is a key for it.
    pub fn signature(&self) -> Option<HeaderValue> {
        let key = self.sign.as_ref()?;
        let now = SystemTime::now();
        let mut last = self.signature.lock();
        if let Some((made, value)) = &*last
            && now.duration_since(*made).is_ok_and(|age| age < RENEWED)
        {
            return Some(value.clone());
        }
        let token = sign(key, seconds(now + VALID));
        let value = HeaderValue::try_from(token).ok()?;
        *last = Some((now, value.clone()));
        Some(value)
    }

    /// Checks the `Authorization` of a publish request.
    ///
    /// # Errors
    /// When there is a key and the request was not signed with it, or the token is over or somebody else's.
    pub fn check_publisher(&self, authorization: Option<&HeaderValue>) -> Result<(), Refusal> {
        let Some(key) = &self.publish else {
            return Ok(());
        };
        let token = authorization
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Refusal::Unsigned)?;
        verify(key, token, seconds(SystemTime::now()))
    }
}

fn sign(key: &Key, expires: u64) -> String {
    let claims = json!({ "iss": key.issuer, "exp": expires }).to_string();
    let signed = format!("{HEADER}.{}", BASE64_URL_SAFE_NO_PAD.encode(claims));
    let tag = hmac::sign(&key.secret, signed.as_bytes());
    format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(tag))
}

fn verify(key: &Key, token: &str, now: u64) -> Result<(), Refusal> {
    let (signed, tag) = token.rsplit_once('.').ok_or(Refusal::Unsigned)?;
    let (header, claims) = signed.split_once('.').ok_or(Refusal::Unsigned)?;
    let tag = BASE64_URL_SAFE_NO_PAD
        .decode(tag)
        .map_err(|_| Refusal::Unsigned)?;
    hmac::verify(&key.secret, signed.as_bytes(), &tag).map_err(|_| Refusal::Unsigned)?;
    let json = |part: &str| -> Result<Value, Refusal> {
        let bytes = BASE64_URL_SAFE_NO_PAD
            .decode(part)
            .map_err(|_| Refusal::Unsigned)?;
        serde_json::from_slice(&bytes).map_err(|_| Refusal::Unsigned)
    };
    if json(header)?["alg"] != "HS256" {
        return Err(Refusal::Unsigned);
    }
    let claims = json(claims)?;
    let expires = claims["exp"].as_f64().ok_or(Refusal::Expired)?;
    if expires < (now - LEEWAY) as f64 {
        return Err(Refusal::Expired);
    }
    if !key.issuer.is_empty() && claims["iss"] != key.issuer.as_str() {
        return Err(Refusal::Foreign);
    }
    Ok(())
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH)
        .map_or(LEEWAY, |since| since.as_secs().max(LEEWAY))
}

/// The bytes of a parameter. `+` is itself, as base64 has it.
fn percent_decode(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        bytes.extend_from_slice(before.as_bytes());
        match after
            .get(..2)
            .and_then(|hex| u8::from_str_radix(hex, 16).ok())
        {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(b'%');
                rest = after;
            }
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use super::{Key, Keys, Refusal, new_grip_url, sign, verify};
    use http::HeaderValue;
    use ring::hmac;

    fn key(issuer: &str, secret: &[u8]) -> Key {
        Key {
            issuer: issuer.to_owned(),
            secret: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
    }

    #[test]
    fn a_token_is_good_for_its_key_issuer_and_time() {
        let mine = key("kafka", b"secret");
        let token = sign(&mine, 2000);
        assert_eq!(verify(&mine, &token, 1000), Ok(()));
        assert_eq!(verify(&key("", b"secret"), &token, 1000), Ok(()));
        assert_eq!(verify(&mine, &token, 2100), Err(Refusal::Expired));
        let other = key("other", b"secret");
        assert_eq!(verify(&other, &token, 1000), Err(Refusal::Foreign));
        let forger = key("kafka", b"guess");
        assert_eq!(verify(&forger, &token, 1000), Err(Refusal::Unsigned));
        assert_eq!(verify(&mine, "", 1000), Err(Refusal::Unsigned));
        assert_eq!(verify(&mine, "a.b", 1000), Err(Refusal::Unsigned));
    }

    #[test]
    fn a_token_made_elsewhere_is_understood() {
        // {"alg":"HS256","typ":"JWT"} . {"sub":"1234567890","name":"John Doe","iat":1516239022}, jwt.io's example.
        let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIiwibmFtZSI6IkpvaG4gRG9lIiwiaWF0I\
            joxNTE2MjM5MDIyfQ.SflKxwRJSMeKKF2QT4fwpMeJf36POk6yJV_adQssw5c";
        let key = key("", b"your-256-bit-secret");
        assert_eq!(
            verify(&key, token, 1000),
            Err(Refusal::Expired),
            "it has no exp"
        );
    }

    #[test]
    fn no_algorithm_is_no_signature() {
        // {"alg":"none"} . {"iss":"kafka","exp":9999999999}
        let token = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJrYWZrYSIsImV4cCI6OTk5OTk5OTk5OX0.";
        let verdict = verify(&key("kafka", b"secret"), token, 1000);
        assert_eq!(verdict, Err(Refusal::Unsigned));
    }

    #[test]
    fn a_new_url_has_both_keys() {
        let url = new_grip_url("http://127.0.0.1:1").expect("random numbers");
        let keys = Keys::of_grip_url(&url).expect("valid");
        let bearer = |token: &str| HeaderValue::try_from(format!("Bearer {token}")).expect("ascii");
        let publish = keys.publish.as_ref().expect("a key");
        let token = bearer(&sign(publish, 9_999_999_999));
        assert_eq!(keys.check_publisher(Some(&token)), Ok(()));
        assert_eq!(keys.check_publisher(None), Err(Refusal::Unsigned));
        // The two keys are not the same, so neither side can pass for the other.
        let signature = keys.signature().expect("signs");
        let swapped = bearer(signature.to_str().expect("ascii"));
        assert_eq!(keys.check_publisher(Some(&swapped)), Err(Refusal::Unsigned));
    }

    #[test]
    fn keys_may_be_plain_escaped_or_missing() {
        let none = Keys::of_grip_url("http://127.0.0.1:5561/").expect("valid");
        assert_eq!(none.check_publisher(None), Ok(()));
        assert!(none.signature().is_none());
        for key in ["changeme", "base64:Y2hhbmdlbWU=", "base64%3AY2hhbmdlbWU%3D"] {
            let keys = Keys::of_grip_url(&format!("http://h/?key={key}")).expect(key);
            let token = sign(&super::tests::key("", b"changeme"), 9_999_999_999);
            let token = HeaderValue::try_from(format!("bearer {token}")).expect("ascii");
            assert_eq!(keys.check_publisher(Some(&token)), Ok(()), "{key}");
        }
        assert!(Keys::of_grip_url("http://h/?key=base64:*").is_err());
    }
}
