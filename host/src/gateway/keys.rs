//! The keys between the gateway and the components.

use anyhow::{Context, bail};
use base64::{Engine, prelude::BASE64_STANDARD};
use http::{HeaderValue, Uri};
use kafka_grip::{Address, Key, ORIGINS, Refusal};
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

/// Scheme, host and port of each GRIP URL.
///
/// # Errors
/// When one is no URL, or there are more than variables for their origins.
pub fn origins(urls: &str) -> anyhow::Result<Vec<Uri>> {
    let origin = |url: &str| {
        // What is after the address may be a key.
        let address = url.split_once('?').map_or(url, |(address, _)| address);
        let parts = address.parse::<Uri>().map(Uri::into_parts);
        let parts = parts.with_context(|| format!("grip_url: {address:?} is no URL"))?;
        let (Some(scheme), Some(authority)) = (parts.scheme, parts.authority) else {
            bail!("grip_url: {address:?} has no host");
        };
        let origin = Uri::builder().scheme(scheme).authority(authority);
        Ok(origin.path_and_query("/").build()?)
    };
    let origins = urls.split_whitespace().map(origin);
    let origins = origins.collect::<anyhow::Result<Vec<_>>>()?;
    if origins.len() > ORIGINS.len() {
        bail!("grip_url: there can be {} gateways at most", ORIGINS.len());
    }
    Ok(origins)
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
    /// Reads the keys of a GRIP URL, the first if there are several. Without the components' key, publish requests are
    /// not checked; without the gateway's, requests to components are not signed.
    ///
    /// # Errors
    /// When the text is no GRIP URL, or a key is not base64.
    pub fn of_grip_url(urls: &str) -> anyhow::Result<Self> {
        let addresses = Address::parse_all(urls).map_err(anyhow::Error::msg)?;
        let Some(address) = addresses.into_iter().next() else {
            return Ok(Self::default());
        };
        Ok(Self {
            components: address.components,
            gateway: address.gateway,
            signature: Mutex::default(),
        })
    }

    /// Whether publish requests are checked.
    pub fn check_publishers(&self) -> bool {
        self.components.is_some()
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
    use super::{Keys, Refusal, new_grip_url, origins};
    use http::HeaderValue;
    use kafka_grip::Key;

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
    fn an_origin_is_a_url_without_path_and_keys() {
        for (urls, expected) in [
            (
                "http://127.0.0.1:5561/?iss=a&key=b",
                &["http://127.0.0.1:5561/"][..],
            ),
            (
                "https://example.com  http://b:1/x?key=/",
                &["https://example.com/", "http://b:1/"],
            ),
            ("", &[]),
        ] {
            assert_eq!(origins(urls).expect(urls), expected);
        }
        let many = "http://a/ ".repeat(5);
        for wrong in ["/publish", "http://a/ /publish", "http://", &many] {
            assert!(origins(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn without_keys_nothing_is_checked_or_signed() {
        let none = Keys::of_grip_url("http://127.0.0.1:5561/").expect("valid");
        assert_eq!(none.check_publisher(None), Ok(()));
        assert!(none.signature().is_none());
        assert!(Keys::of_grip_url("http://h/?key=base64:*").is_err());
        assert!(!none.check_publishers());
    }

    #[test]
    fn of_several_urls_the_first_is_ours() {
        let keys = Keys::of_grip_url("http://a/?key=one http://b/?key=two").expect("valid");
        let by = |secret: &[u8]| bearer("Bearer", &Key::new(secret, None).sign(9_999_999_999));
        assert_eq!(keys.check_publisher(Some(&by(b"one"))), Ok(()));
        assert!(keys.check_publisher(Some(&by(b"two"))).is_err());
    }
}
