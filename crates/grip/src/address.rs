//! The variable `grip_url`: the control addresses of the gateways, each with its keys as parameters, as the GRIP libraries
//! write it.

use crate::{encoding::from_base64, key::Key};
use http::Uri;
use std::collections::HashMap;

/// The variables with the origins of the gateways, in their order: one each, because a host that a component may call is
/// one variable in `spin.toml`. There are no more gateways than these.
pub const ORIGINS: [&str; 4] = [
    "grip_origin",
    "grip_origin_2",
    "grip_origin_3",
    "grip_origin_4",
];

/// One gateway of `grip_url`.
#[derive(Debug)]
pub struct Address {
    /// Where to publish.
    pub publish: Uri,
    /// The components' key, of the parameters `key` and `iss`: they sign with it what they publish.
    pub components: Option<Key>,
    /// The gateway's key, of `verify-key` and `verify-iss`: it signs its requests with it.
    pub gateway: Option<Key>,
}

impl Address {
    /// Reads the variable: addresses, separated by white space. None if it is empty.
    ///
    /// # Errors
    /// When one is no address, a key is no shared secret, or there are too many. The message has no key in it.
    pub fn parse_all(urls: &str) -> Result<Vec<Self>, String> {
        let addresses = urls.split_whitespace().map(Self::parse);
        let addresses = addresses.collect::<Result<Vec<_>, _>>()?;
        match addresses.len() > ORIGINS.len() {
            true => Err(format!(
                "grip_url: there can be {} gateways at most",
                ORIGINS.len()
            )),
            false => Ok(addresses),
        }
    }

    fn parse(url: &str) -> Result<Self, String> {
        let (base, query) = url.split_once('?').unwrap_or((url, ""));
        let parameters: HashMap<_, _> = form_urlencoded::parse(query.as_bytes()).collect();
        let key = |key: &str, issuer: &str| -> Result<Option<Key>, String> {
            match parameters.get(key) {
                None => Ok(None),
                Some(value) => {
                    let issuer = parameters.get(issuer).filter(|issuer| !issuer.is_empty());
                    let issuer = issuer.map(|issuer| issuer.clone().into_owned());
                    Ok(Some(Key::new(&secret(key, value)?, issuer)))
                }
            }
        };
        Ok(Self {
            publish: publish_address(base)?,
            components: key("key", "iss")?,
            gateway: key("verify-key", "verify-iss")?,
        })
    }
}

fn publish_address(base: &str) -> Result<Uri, String> {
    let is_http = base.starts_with("http://") || base.starts_with("https://");
    let uri = format!("{}/publish/", base.trim_end_matches('/')).parse::<Uri>();
    match uri {
        // A password in it would end up in logs.
        Ok(uri) if is_http && uri.authority().is_some_and(|it| !it.as_str().contains('@')) => {
            Ok(uri)
        }
        _ => Err(
            "grip_url: not an address such as http://127.0.0.1:5561/?iss=…&key=base64:…".to_owned(),
        ),
    }
}

fn secret(name: &str, value: &str) -> Result<Vec<u8>, String> {
    let secret = match value.strip_prefix("base64:") {
        Some(encoded) => {
            // A query's reader has made spaces of plus signs.
            let encoded = encoded.replace(' ', "+");
            from_base64(&encoded).ok_or_else(|| format!("grip_url: {name} is not base64"))?
        }
        None => value.as_bytes().to_vec(),
    };
    // A public key is no secret: everyone could sign with it.
    let is_public = secret.trim_ascii_start().starts_with(b"-----BEGIN")
        || secret.windows(5).any(|part| part == b"\"kty\"");
    if secret.is_empty() || is_public {
        return Err(format!("grip_url: {name} is not a shared secret (HS256)"));
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::Address;
    use crate::key::Key;

    fn parse(url: &str) -> Address {
        let [address] = Address::parse_all(url).unwrap().try_into().unwrap();
        address
    }

    /// Whether `key` is this one, of this issuer.
    fn is(key: &Option<Key>, secret: &[u8], issuer: Option<&str>) -> bool {
        let token = Key::new(secret, issuer.map(str::to_owned)).sign(2000);
        let key = key.as_ref().expect("a key");
        key.sign(2000) == token && key.verify(&token, 1000) == Ok(())
    }

    #[test]
    fn all_parameters() {
        let address = parse(
            "http://127.0.0.1:5561/?iss=kafka&key=base64:a2V5fg%3D%3D&verify-iss=pushpin&verify-key=changeme&other=1",
        );
        assert_eq!(address.publish, "http://127.0.0.1:5561/publish/");
        assert!(is(&address.components, b"key~", Some("kafka")));
        assert!(is(&address.gateway, b"changeme", Some("pushpin")));
    }

    #[test]
    fn none_of_them_and_any_path() {
        let address = parse("https://api.example.com/service/abc");
        let publish = "https://api.example.com/service/abc/publish/";
        assert_eq!(address.publish, publish);
        assert!(address.components.is_none() && address.gateway.is_none());
        for empty in ["", " "] {
            assert!(Address::parse_all(empty).unwrap().is_empty());
        }
    }

    #[test]
    fn several_have_keys_of_their_own() {
        let urls = " http://a:1/?key=one\thttps://b/?key=two&verify-key=three\n http://c/ ";
        let [a, b, c] = Address::parse_all(urls).unwrap().try_into().unwrap();
        assert_eq!(a.publish, "http://a:1/publish/");
        assert!(is(&a.components, b"one", None) && a.gateway.is_none());
        assert_eq!(b.publish, "https://b/publish/");
        assert!(is(&b.components, b"two", None) && is(&b.gateway, b"three", None));
        assert!(c.components.is_none());
        // One that is wrong spoils all: what was meant is not known.
        assert!(Address::parse_all("http://a/ b").is_err());
        let many = ["http://a/"; super::ORIGINS.len()].join(" ");
        assert!(Address::parse_all(&many).is_ok());
        assert!(Address::parse_all(&format!("{many} http://a/")).is_err());
    }

    #[test]
    fn a_key_may_be_plain_escaped_or_in_either_alphabet() {
        for key in ["changeme", "base64:Y2hhbmdlbWU=", "base64%3AY2hhbmdlbWU%3D"] {
            let address = parse(&format!("http://h/?key={key}"));
            assert!(is(&address.components, b"changeme", None), "{key}");
        }
        for key in ["--__AQ", "++//AQ==", "%2B%2B//AQ"] {
            let address = parse(&format!("http://h/?iss=&key=base64:{key}"));
            let secret = [0xfb, 0xef, 0xff, 1];
            assert!(is(&address.components, &secret, None), "{key}");
        }
        let brace = parse("http://a/?key=base64:ewEC");
        assert!(is(&brace.components, b"{\x01\x02", None));
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
            let problem = Address::parse_all(url).unwrap_err();
            assert!(problem.starts_with("grip_url: "), "{problem}");
            assert!(!problem.contains("hunter2") && !problem.contains("password"));
        }
        let debug = format!("{:?}", parse("http://a/?key=hunter2"));
        assert!(!debug.contains("hunter2"));
    }
}
