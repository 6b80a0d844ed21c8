//! `grip_url`: the gateway's control address with its keys as parameters, as the GRIP libraries write it.

use std::fmt;

use axum::http::Uri;

use crate::encoding::from_base64;
use crate::form::urlencoded;

/// What `grip_url` says.
pub(super) struct Address {
    /// Where to publish.
    pub(super) publish: Uri,
    /// Who we say we are, `iss`.
    pub(super) iss: Option<String>,
    /// What our publishing is signed with, `key`.
    pub(super) key: Option<Vec<u8>>,
    /// Who the gateway says it is, `verify-iss`.
    pub(super) verify_iss: Option<String>,
    /// What its requests are signed with, `verify-key`.
    pub(super) verify_key: Option<Vec<u8>>,
}

impl Address {
    /// `None` for the empty text. An error names what is wrong, and no key.
    pub(super) fn parse(url: &str) -> Result<Option<Self>, String> {
        let url = url.trim();
        if url.is_empty() {
            return Ok(None);
        }
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let mut address = Self {
            publish: publish_address(base)?,
            iss: None,
            key: None,
            verify_iss: None,
            verify_key: None,
        };
        for (name, value) in urlencoded::fields(query.as_bytes()) {
            match name.as_str() {
                "iss" => address.iss = Some(value),
                "key" => address.key = Some(key(&name, &value)?),
                "verify-iss" => address.verify_iss = Some(value),
                "verify-key" => address.verify_key = Some(key(&name, &value)?),
                _ => {}
            }
        }
        Ok(Some(address))
    }
}

impl fmt::Debug for Address {
    /// Without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({})", self.publish)
    }
}

fn publish_address(base: &str) -> Result<Uri, String> {
    let is_http = base.starts_with("http://") || base.starts_with("https://");
    let uri = format!("{}/publish/", base.trim_end_matches('/')).parse::<Uri>();
    match uri {
        // User-info would end up in logs.
        Ok(uri) if is_http && uri.authority().is_some_and(|it| !it.as_str().contains('@')) => {
            Ok(uri)
        }
        _ => Err(
            "grip_url: not an address such as http://127.0.0.1:5561/?iss=…&key=base64:…".to_owned(),
        ),
    }
}

fn key(name: &str, value: &str) -> Result<Vec<u8>, String> {
    let key = match value.strip_prefix("base64:") {
        Some(encoded) => {
            from_base64(encoded).ok_or_else(|| format!("grip_url: {name} is not base64"))?
        }
        None => value.as_bytes().to_vec(),
    };
    // Whoever verifies HS256 with a public key lets everybody sign.
    let is_public = key.trim_ascii_start().starts_with(b"-----BEGIN")
        || key.windows(5).any(|part| part == b"\"kty\"");
    if key.is_empty() || is_public {
        return Err(format!("grip_url: {name} is not a shared secret (HS256)"));
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::Address;

    fn parse(url: &str) -> Address {
        Address::parse(url).unwrap().unwrap()
    }

    #[test]
    fn all_parameters() {
        let address = parse(
            "http://127.0.0.1:5561/?iss=kafka&key=base64:a2V5fg%3D%3D&verify-iss=pushpin&verify-key=changeme&other=1",
        );
        assert_eq!(address.publish, "http://127.0.0.1:5561/publish/");
        assert_eq!(address.iss.as_deref(), Some("kafka"));
        assert_eq!(address.key.as_deref(), Some(&b"key~"[..]));
        assert_eq!(address.verify_iss.as_deref(), Some("pushpin"));
        assert_eq!(address.verify_key.as_deref(), Some(&b"changeme"[..]));
    }

    #[test]
    fn none_of_them_and_any_path() {
        let address = parse("https://api.example.com/service/abc");
        assert_eq!(
            address.publish,
            "https://api.example.com/service/abc/publish/"
        );
        assert!(address.key.is_none() && address.verify_key.is_none());
        assert!(Address::parse("").unwrap().is_none());
    }

    #[test]
    fn a_plus_of_base64_survives_the_query() {
        let plain = parse("http://a/?key=base64:--__AQ").key;
        assert_eq!(parse("http://a/?key=base64:++//AQ==").key, plain);
        assert!(plain.is_some());
    }

    #[test]
    fn a_random_key_may_begin_with_any_byte() {
        let brace = parse("http://a/?key=base64:ewEC").key;
        assert_eq!(brace.as_deref(), Some(&b"{\x01\x02"[..]));
    }

    #[test]
    fn nonsense_is_named_without_the_key() {
        for url in [
            "127.0.0.1:5561",
            "ftp://127.0.0.1/",
            "http://",
            "http://user:password@a/",
            "http://a/?key=base64:hunter2!",
            "http://a/?key=",
            "http://a/?verify-key=base64:",
            "http://a/?verify-key=-----BEGIN+PUBLIC+KEY-----",
            "http://a/?verify-key=%7B%22kty%22:%22EC%22%7D",
        ] {
            let problem = Address::parse(url).unwrap_err();
            assert!(problem.starts_with("grip_url: "), "{problem}");
            assert!(!problem.contains("hunter2") && !problem.contains("password"));
        }
        let debug = format!("{:?}", parse("http://a/?key=hunter2"));
        assert!(!debug.contains("hunter2"));
    }
}
