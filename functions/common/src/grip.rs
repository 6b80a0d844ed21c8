//! The gateway that holds the sockets: its requests are believed only with its signature, and what the clients of a chat
//! are to receive is published to it. How both are written is in [`kafka_grip`] (docs/grip.md).

mod publish;

use std::sync::OnceLock;

use axum::http::HeaderMap;
use kafka_grip::{Address, GRIP_SIG};

pub use kafka_grip::publish::{Item, close, item};

use crate::clock;
use crate::config::{AuthMode, auth_mode, misconfigured, unusable, variable};
use crate::error::Result;

/// The channel of a chat's clients that speak v1.
pub fn channel_v1(chat_id: &str) -> String {
    format!("chat-{chat_id}-v1")
}

/// The channel of a chat's clients that speak v2.
pub fn channel_v2(chat_id: &str) -> String {
    format!("chat-{chat_id}-v2")
}

/// The channel of all clients of a session.
pub fn channel_session(session_id: &str) -> String {
    format!("session-{session_id}")
}

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
    /// There is no key to check a signature with. Only open mode allows that, where every client may do everything.
    Unsigned,
    /// It has no signature, or a forged or expired one: 401.
    Refused,
}

impl Grip {
    /// The gateway of this instance; `None` if `grip_url` is empty: there is no gateway.
    ///
    /// 503 if the variable makes no sense, or lacks the verify key that every mode but the open one needs.
    pub async fn get() -> Result<Option<&'static Self>> {
        static GRIP: OnceLock<Result<Option<Grip>, String>> = OnceLock::new();
        let grip = match GRIP.get() {
            // A request that only announces goes on without a gateway: the problem is logged once and not for each.
            Some(grip) => grip.as_ref().map_err(|_| misconfigured())?,
            None => {
                let open = auth_mode().await? == AuthMode::Open;
                let url = variable("grip_url").await?;
                let grip = GRIP.get_or_init(|| Self::parse(&url, open));
                grip.as_ref().map_err(|problem| unusable(problem))?
            }
        };
        Ok(grip.as_ref())
    }

    fn parse(url: &str, open: bool) -> Result<Option<Self>, String> {
        let Some(address) = Address::parse(url)? else {
            return Ok(None);
        };
        if address.gateway.is_none() && !open {
            return Err(
                "grip_url: without a verify-key every client could pass for the gateway; only open mode allows that"
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
        let Some(key) = &self.address.gateway else {
            return Verdict::Unsigned;
        };
        let mut signatures = headers.get_all(GRIP_SIG).iter();
        // Of two signatures, one is forged.
        let (Some(signature), None) = (signatures.next(), signatures.next()) else {
            return Verdict::Refused;
        };
        match signature.to_str().map(|token| key.verify(token, now)) {
            Ok(Ok(())) => Verdict::Signed,
            _ => Verdict::Refused,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Grip, Verdict};
    use axum::http::HeaderMap;
    use kafka_grip::Key;

    const NOW: i64 = 1_800_000_000;
    const URL: &str = "http://127.0.0.1:5561/?iss=kafka&key=base64:cHVibGlzaA==&verify-iss=pushpin&verify-key=base64:c2VjcmV0";

    fn grip(url: &str) -> Grip {
        Grip::parse(url, true).unwrap().unwrap()
    }

    fn sign(secret: &[u8], issuer: Option<&str>, expires: i64) -> String {
        Key::new(secret, issuer.map(str::to_owned)).sign(expires)
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
        let good = sign(b"secret", Some("pushpin"), NOW + 60);
        assert_eq!(verdict(URL, &[&good]), Verdict::Signed);
        let refused: [&[&str]; 7] = [
            &[],
            &[""],
            &["nonsense"],
            &[&sign(b"wrong", Some("pushpin"), NOW + 60)],
            &[&sign(b"secret", Some("another"), NOW + 60)],
            &[&sign(b"secret", Some("pushpin"), NOW)],
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
            let token = sign(b"secret", issuer, NOW + 60);
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
