//! The keys between the gateway and the components.

use anyhow::bail;
use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use kafka_grip::{Address, Key, Refusal};
use parking_lot::Mutex;
use ring::rand::{SecureRandom, SystemRandom};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How long a token is good for.
const VALID: Duration = Duration::from_secs(3600);
/// How old a token may get before a new one is made.
const RENEWED: Duration = Duration::from_secs(600);
/// How far clocks may be apart, in seconds.
const LEEWAY: i64 = 30;
/// Bytes of a new key: a multiple of three, so that its base64 has no padding.
const KEY_BYTES: usize = 33;

/// The keys of a GRIP URL, and the gateway's last token.
#[derive(Default)]
pub struct Keys {
    components: Option<Key>,
    gateway: Option<Key>,
    signature: Mutex<Option<(SystemTime, HeaderValue)>>,
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
    /// Reads the keys of a GRIP URL. Without the components' key, publish requests are not checked; without the
    /// gateway's, requests to components are not signed.
    ///
    /// # Errors
    /// When the text is no GRIP URL, or a key is not base64.
    pub fn of_grip_url(url: &str) -> anyhow::Result<Self> {
        let Some(address) = Address::parse(url).map_err(anyhow::Error::msg)? else {
            return Ok(Self::default());
        };
        Ok(Self {
            components: address.components,
            gateway: address.gateway,
            signature: Mutex::default(),
        })
    }

    /// The `Grip-Sig` for a request to a component, if there is a key for it.
    pub fn signature(&self) -> Option<HeaderValue> {
        let key = self.gateway.as_ref()?;
        let now = SystemTime::now();
        let mut last = self.signature.lock();
        if let Some((made, value)) = &*last
            && now.duration_since(*made).is_ok_and(|age| age < RENEWED)
        {
            return Some(value.clone());
        }
        let token = key.sign(seconds(now + VALID));
        let value = HeaderValue::try_from(token).ok()?;
        *last = Some((now, value.clone()));
        Some(value)
    }

    /// Checks the `Authorization` of a publish request.
    ///
    /// # Errors
    /// When there is a key and the request was not signed with it, or the token has expired or is of another issuer.
    pub fn check_publisher(&self, authorization: Option<&HeaderValue>) -> Result<(), Refusal> {
        let Some(key) = &self.components else {
            return Ok(());
        };
        let token = authorization
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once(' '))
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, token)| token.trim())
            .ok_or(Refusal::Unsigned)?;
        key.verify(token, seconds(SystemTime::now()) - LEEWAY)
    }
}

/// Seconds since 1970.
fn seconds(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Keys, Refusal, new_grip_url};
    use http::HeaderValue;

    fn bearer(scheme: &str, token: &str) -> HeaderValue {
        HeaderValue::try_from(format!("{scheme} {token}")).expect("ascii")
    }

    #[test]
    fn a_new_url_has_two_keys() {
        let url = new_grip_url("http://127.0.0.1:1").expect("random numbers");
        let keys = Keys::of_grip_url(&url).expect("valid");
        let token = keys.components.as_ref().expect("a key").sign(9_999_999_999);
        for scheme in ["Bearer", "bearer"] {
            let token = bearer(scheme, &token);
            assert_eq!(keys.check_publisher(Some(&token)), Ok(()));
        }
        assert_eq!(keys.check_publisher(None), Err(Refusal::Unsigned));
        // They are not the same, so neither side can pass for the other.
        let signature = keys.signature().expect("signs");
        let swapped = bearer("Bearer", signature.to_str().expect("ascii"));
        assert_eq!(keys.check_publisher(Some(&swapped)), Err(Refusal::Unsigned));
    }

    #[test]
    fn without_keys_nothing_is_checked_or_signed() {
        let none = Keys::of_grip_url("http://127.0.0.1:5561/").expect("valid");
        assert_eq!(none.check_publisher(None), Ok(()));
        assert!(none.signature().is_none());
        assert!(Keys::of_grip_url("http://h/?key=base64:*").is_err());
    }
}
