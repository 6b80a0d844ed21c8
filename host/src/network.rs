//! The addresses of clients: which of them count as one, and which client a proxy names.

use anyhow::Context;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use kafka_net::{client_behind, customer, network};
use std::net::IpAddr;

/// The addresses a request came from.
pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies that are believed unless others are named: those on this machine.
pub const LOCAL_PROXIES: &str = "127.0.0.0/8 ::1";

/// Addresses that count as one: of IPv6 a whole network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of an address.
    pub fn of(address: IpAddr) -> Self {
        Self(customer(address))
    }
}

/// The proxies whose word on where a request came from is believed.
#[derive(Debug, Clone, Default)]
pub struct Proxies(Vec<IpNet>);

impl Proxies {
    /// Reads addresses and networks, separated by commas or spaces.
    ///
    /// # Errors
    /// When one of them is neither.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        text.split(|c: char| c == ',' || c.is_whitespace())
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                network(entry)
                    .with_context(|| format!("{entry:?} is neither an address nor a network"))
            })
            .collect::<anyhow::Result<_>>()
            .map(Self)
    }

    /// Whether the address is one of theirs.
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// The client behind the proxies: the nearest address that is none of theirs, or the last that can be read.
    pub fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let lines = headers.get_all(FORWARDED_FOR).into_iter().rev();
        let lines = lines.map(|line| line.to_str().unwrap_or_default());
        client_behind(peer, lines, |address| self.contains(*address))
    }
}

#[cfg(test)]
mod tests {
    use super::{FORWARDED_FOR, Network, Proxies};
    use http::{HeaderMap, HeaderValue};
    use std::net::IpAddr;

    fn ip(text: &str) -> IpAddr {
        text.parse().expect(text)
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        let of = |text| Network::of(ip(text));
        assert_eq!(of("2001:db8:0:ff00::1"), of("2001:db8:0:ffff:1::2"));
        assert_ne!(of("2001:db8:0:ff00::1"), of("2001:db8:0:fe00::1"));
        assert_eq!(of("::ffff:192.0.2.1"), of("192.0.2.1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }

    #[test]
    fn only_the_header_of_a_trusted_proxy_is_believed() {
        let proxies = Proxies::parse("127.0.0.0/8, ::1 192.0.2.1").expect("valid");
        let client = |peer, hops: &'static str| {
            let value = HeaderValue::from_static(hops);
            let headers = HeaderMap::from_iter([(FORWARDED_FOR, value)]);
            proxies.client(&headers, ip(peer))
        };
        assert_eq!(client("127.0.0.1", "203.0.113.7"), ip("203.0.113.7"));
        assert_eq!(client("127.0.0.1", "[2001:db8::7]:80"), ip("2001:db8::7"));
        assert_eq!(
            client("::1", "10.0.0.1, 203.0.113.7, 192.0.2.1"),
            ip("203.0.113.7")
        );
        assert_eq!(client("192.0.2.2", "203.0.113.7"), ip("192.0.2.2"));
        assert_eq!(client("127.0.0.1", "203.0.113.7, x"), ip("127.0.0.1"));
        assert!(Proxies::parse("somewhere").is_err());
    }
}
