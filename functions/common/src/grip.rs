//! The gateways that hold the sockets: their requests are believed only with a signature of one of them, and what the
//! clients of a chat are to receive is published to each. How both are written is in [`kafka_grip`] (docs/grip.md).

mod gateway;
mod queue;

use std::sync::OnceLock;

use axum::http::HeaderMap;
use futures::future::select_ok;
use kafka_grip::{Address, GRIP_SIG, Key};

pub use kafka_grip::ORIGINS;
pub use kafka_grip::publish::{Item, close, item};

use self::gateway::Gateway;
use crate::clock;
use crate::config::{AuthMode, auth_mode, misconfigured, unusable, variable};
use crate::error::Result;
use crate::id::new_id;

/// The channel of a chat's clients that speak v1.
pub fn channel_v1(chat_id: &str) -> String {
    format!("chat-{chat_id}-v1")
}

/// The channel of a chat's clients that speak v2.
pub fn channel_v2(chat_id: &str) -> String {
    format!("chat-{chat_id}-v2")
}

/// The channel of the clients that follow a user's feed.
pub fn channel_feed(user_id: &str) -> String {
    format!("feed-{user_id}")
}

/// The channel of all clients of a session.
pub fn channel_session(session_id: &str) -> String {
    format!("session-{session_id}")
}

/// The gateways, as the variable `grip_url` describes them. There is at least one.
#[derive(Debug)]
pub struct Grip {
    gateways: Vec<Gateway>,
}

/// What [`Grip::verify`] says about a request that claims to come from a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It carries a gateway's signature: its `Meta-*` headers are what the relay once set.
    Signed,
    /// There is no key to check a signature with. Only open mode allows that, where every client may do everything.
    Unsigned,
    /// It has no signature, or a forged or expired one: 401.
    Refused,
}

impl Grip {
    /// The gateways, for this instance; `None` if `grip_url` is empty: there is no gateway.
    ///
    /// 503 if the variable makes no sense, or lacks a verify key, which every mode but the open one needs.
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
        let addresses = Address::parse_all(url)?;
        if addresses.iter().any(|address| address.gateway.is_none()) && !open {
            return Err(
                "grip_url: without a verify-key every client could pass for the gateway; only open mode allows that"
                    .to_owned(),
            );
        }
        let gateways: Vec<_> = addresses.into_iter().map(Gateway::new).collect();
        Ok(Some(Self { gateways }).filter(|grip| !grip.gateways.is_empty()))
    }

    /// Lets `items` go out to each gateway, behind what waits there already. Nothing waits for that, and no gateway for
    /// another.
    pub fn publish(&'static self, items: impl IntoIterator<Item = Item>) {
        self.to_each(named(items), Gateway::publish);
    }

    /// The same for what can wait: it goes with what is published next.
    pub fn publish_later(&'static self, items: impl IntoIterator<Item = Item>) {
        self.to_each(named(items), Gateway::publish_later);
    }

    /// The same as [`Self::publish`] for items that have ids already, and that others may publish, too. Without any, what
    /// waits goes out.
    pub fn publish_named(&'static self, items: Vec<Item>) {
        self.to_each(items, Gateway::publish);
    }

    fn to_each(&'static self, items: Vec<Item>, publish: fn(&'static Gateway, Vec<Item>)) {
        if let Some((last, others)) = self.gateways.split_last() {
            for gateway in others {
                publish(gateway, items.clone());
            }
            publish(last, items);
        }
    }

    /// Whether any gateway takes what is published: each is asked to publish nothing. The error is for the operator.
    ///
    /// One is enough: with the others away, the clients of that one are served.
    pub async fn check(&self) -> Result<(), String> {
        let checks = self.gateways.iter().map(|it| Box::pin(it.check()));
        select_ok(checks).await.map(|((), _)| ())
    }

    /// Whether a request comes from a gateway, by its header `Grip-Sig`.
    pub fn verify(&self, headers: &HeaderMap) -> Verdict {
        self.verify_at(headers, clock::unix_millis() / 1000)
    }

    fn verify_at(&self, headers: &HeaderMap, now: i64) -> Verdict {
        let mut signatures = headers.get_all(GRIP_SIG).iter();
        // Of two signatures, one is forged.
        let signature = match (signatures.next(), signatures.next()) {
            (Some(signature), None) => signature.to_str().ok(),
            _ => None,
        };
        let mut keys = self.gateways.iter().map(|it| it.address.gateway.as_ref());
        let is_of = |key: &Key| signature.is_some_and(|token| key.verify(token, now).is_ok());
        if keys.clone().flatten().any(is_of) {
            return Verdict::Signed;
        }
        match keys.all(|key| key.is_some()) {
            true => Verdict::Refused,
            // It may come from the one that does not sign.
            false => Verdict::Unsigned,
        }
    }
}

/// The items with ids of their own.
fn named(items: impl IntoIterator<Item = Item>) -> Vec<Item> {
    let named = items.into_iter().map(|item| Item {
        id: Some(new_id()),
        ..item
    });
    named.collect()
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
    fn each_gateway_signs_with_its_own_key() {
        let urls = format!("{URL} http://b/?verify-iss=b&verify-key=other");
        assert!(Grip::parse(&urls, false).is_ok());
        for (secret, issuer, expected) in [
            (&b"secret"[..], "pushpin", Verdict::Signed),
            (b"other", "b", Verdict::Signed),
            (b"other", "pushpin", Verdict::Refused),
            (b"wrong", "b", Verdict::Refused),
        ] {
            let token = sign(secret, Some(issuer), NOW + 60);
            assert_eq!(verdict(&urls, &[&token]), expected, "{issuer}");
        }
        assert_eq!(verdict(&urls, &[]), Verdict::Refused);
        // One without a key makes signatures no proof of anything.
        let without = format!("{URL} http://b/");
        assert!(Grip::parse(&without, false).is_err());
        assert_eq!(verdict(&without, &[]), Verdict::Unsigned);
        let signed = sign(b"secret", Some("pushpin"), NOW + 60);
        assert_eq!(verdict(&without, &[&signed]), Verdict::Signed);
    }

    #[test]
    fn no_address_is_no_gateway() {
        for open in [true, false] {
            assert!(Grip::parse("", open).unwrap().is_none());
            assert!(Grip::parse(" ", open).unwrap().is_none());
        }
    }
}
