//! The addresses of clients: which of them count as one, and which client a proxy names.

use anyhow::Context;
use http::{HeaderMap, HeaderName};
use ipnet::IpNet;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The addresses a request came from.
pub const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// The proxies that are believed unless others are named: those on this machine.
pub const LOCAL_PROXIES: &str = "127.0.0.0/8 ::1";

/// Bits of an address of IPv6 that a provider gives to one customer.
const PREFIX: u32 = 56;

/// Addresses that count as one: of IPv6 a whole network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl Network {
    /// The network of an address.
    pub fn of(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => {
                let mask = u128::MAX << (u128::BITS - PREFIX);
                Ipv6Addr::from_bits(address.to_bits() & mask).into()
            }
            v4 => v4,
        })
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
                entry
                    .parse()
                    .or_else(|_| entry.parse::<IpAddr>().map(IpNet::from))
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
        let mut nearest = peer.to_canonical();
        let values: Vec<_> = headers.get_all(FORWARDED_FOR).iter().collect();
        let hops = values
            .iter()
            .rev()
            .flat_map(|value| value.to_str().unwrap_or_default().rsplit(','));
        for hop in hops {
            if !self.contains(nearest) {
                break;
            }
            match address(hop) {
                Some(address) => nearest = address,
                None => break,
            }
        }
        nearest
    }
}

/// `203.0.113.7`, `2001:db8::7`, the latter perhaps in brackets, either with a port.
fn address(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop
        .strip_prefix('[')
        .and_then(|hop| hop.strip_suffix(']'))
        .unwrap_or(hop);
    let address = match bare.parse::<SocketAddr>() {
        Ok(with_port) => with_port.ip(),
        Err(_) => bare.parse().ok()?,
    };
    Some(address.to_canonical())
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
