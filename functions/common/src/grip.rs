//! The gateway that holds the sockets: what it sends is believed only with its signature, and what it shall send on to
//! the windows of a chat is published to it (docs/grip.md).
//!
//! Spoken with Pushpin, Fastly's control API and our own gateway alike. Signatures are HS256 and nothing else. They are
//! made here, from `hmac` and `sha2`: a JWT library brings certificates and curves that no component has room for.

mod item;
mod jwt;
mod publish;
mod url;

use std::sync::OnceLock;

use axum::http::HeaderMap;

pub use self::item::{Item, channel_session, channel_v1, channel_v2, close, item};
use self::url::Address;
use crate::clock;
use crate::config::{AuthMode, auth_mode, unusable, variable};
use crate::error::Result;

/// The gateway, as the variable `grip_url` describes it.
#[derive(Debug)]
pub struct Grip {
    address: Address,
}

/// What [`Grip::verify`] says about a request that claims to come from the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It carries the gateway's signature: its `Meta-*` headers are what the relay once set.
    Signed,
    /// No signature was asked for, because there is no verify key. Fine in open mode only, where whoever may connect
    /// may do everything anyway.
    Unsigned,
    /// No, a forged or an expired signature: 401.
    Refused,
}

impl Grip {
    /// The gateway of this instance; `None` if `grip_url` is empty: there is no gateway.
    ///
    /// 503 if the variable makes no sense, or lacks the verify key that every mode but the open one needs.
    pub async fn get() -> Result<Option<&'static Self>> {
        static GRIP: OnceLock<Option<Grip>> = OnceLock::new();
        if let Some(grip) = GRIP.get() {
            return Ok(grip.as_ref());
        }
        let open = auth_mode().await? == AuthMode::Open;
        let url = variable("grip_url").await?;
        let grip = Self::parse(&url, open).map_err(|problem| unusable(&problem))?;
        Ok(GRIP.get_or_init(|| grip).as_ref())
    }

    fn parse(url: &str, open: bool) -> Result<Option<Self>, String> {
        let Some(address) = Address::parse(url)? else {
            return Ok(None);
        };
        if address.verify_key.is_none() && !open {
            return Err(
                "grip_url: without a verify-key anybody could pass for the gateway; only open mode does without"
                    .to_owned(),
            );
        }
        Ok(Some(Self { address }))
    }

    /// Whether a request comes from the gateway, by its header `Grip-Sig`.
    pub fn verify(&self, headers: &HeaderMap) -> Verdict {
        self.verify_at(headers, clock::unix_millis() / 1000)
    }

    fn verify_at(&self, headers: &HeaderMap, now: i64) -> Verdict {
        let Some(key) = &self.address.verify_key else {
            return Verdict::Unsigned;
        };
        let mut signatures = headers.get_all("grip-sig").iter();
        // Of two, one is a lie.
        let (Some(signature), None) = (signatures.next(), signatures.next()) else {
            return Verdict::Refused;
        };
        let issuer = self.address.verify_iss.as_deref();
        let genuine = signature
            .to_str()
            .is_ok_and(|token| jwt::is_genuine(token, key, issuer, now));
        if genuine {
            Verdict::Signed
        } else {
            Verdict::Refused
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Grip, Verdict, jwt};
    use axum::http::HeaderMap;

    const NOW: i64 = 1_800_000_000;
    const URL: &str = "http://127.0.0.1:5561/?iss=kafka&key=base64:cHVibGlzaA==&verify-iss=pushpin&verify-key=base64:c2VjcmV0";

    fn grip(url: &str) -> Grip {
        Grip::parse(url, true).unwrap().unwrap()
    }

    fn verdict(url: &str, signatures: &[&str]) -> Verdict {
        let mut headers = HeaderMap::new();
        for signature in signatures {
            headers.append("grip-sig", signature.parse().unwrap());
        }
        grip(url).verify_at(&headers, NOW)
    }

    #[test]
    fn only_the_gateways_own_fresh_signature_is_believed() {
        let good = jwt::sign(b"secret", Some("pushpin"), NOW + 60);
        assert_eq!(verdict(URL, &[&good]), Verdict::Signed);
        let refused: [&[&str]; 7] = [
            &[],
            &[""],
            &["nonsense"],
            &[&jwt::sign(b"wrong", Some("pushpin"), NOW + 60)],
            &[&jwt::sign(b"secret", Some("another"), NOW + 60)],
            &[&jwt::sign(b"secret", Some("pushpin"), NOW)],
            &[&good, &good],
        ];
        for signatures in refused {
            assert_eq!(verdict(URL, signatures), Verdict::Refused, "{signatures:?}");
        }
    }

    #[test]
    fn any_issuer_is_fine_where_none_is_named() {
        let url = "http://127.0.0.1:5561/?verify-key=secret";
        for issuer in [None, Some("anybody")] {
            let token = jwt::sign(b"secret", issuer, NOW + 60);
            assert_eq!(verdict(url, &[&token]), Verdict::Signed);
        }
    }

    #[test]
    fn without_a_verify_key_only_open_mode_goes_on() {
        let url = "http://127.0.0.1:5561/?iss=kafka&key=x";
        assert_eq!(verdict(url, &[]), Verdict::Unsigned);
        assert_eq!(verdict(url, &["forged"]), Verdict::Unsigned);
        assert!(Grip::parse(url, false).is_err());
        assert!(Grip::parse(URL, false).is_ok());
    }

    #[test]
    fn no_address_is_no_gateway() {
        for open in [true, false] {
            assert!(Grip::parse("", open).unwrap().is_none());
            assert!(Grip::parse(" ", open).unwrap().is_none());
        }
    }
}
