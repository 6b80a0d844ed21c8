//! Addresses and networks: which of them are special, and how networks are written. For components and host alike, so
//! it knows neither Spin nor wasmtime.
#![forbid(unsafe_code)]

mod special;

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

pub use ipnet::IpNet;
pub use special::is_special;

/// Reads a network such as `172.17.0.0/16`; an address is a network of one. Bits after the prefix don't matter.
pub fn network(text: &str) -> Option<IpNet> {
    match text.split_once('/') {
        Some((address, bits)) => IpNet::new(address.parse().ok()?, bits.parse().ok()?).ok(),
        None => text.parse::<IpAddr>().ok().map(IpNet::from),
    }
}

/// Reads an address such as `203.0.113.7` or `2001:db8::7`, either with a port. IPv4 inside IPv6 is IPv4.
pub fn address(text: &str) -> Option<IpAddr> {
    let address = match text.parse::<SocketAddr>() {
        Ok(with_port) => with_port.ip(),
        Err(_) => text.parse().ok()?,
    };
    Some(address.to_canonical())
}

/// The host of a URL, without the brackets around an address of IPv6.
pub fn without_brackets(host: &str) -> &str {
    let inside = host.strip_prefix('[');
    inside
        .and_then(|inside| inside.strip_suffix(']'))
        .unwrap_or(host)
}

/// The address that a request came from, whose connection is `peer`'s: the nearest that is no trusted proxy's, by the
/// lines of `X-Forwarded-For`, the last one first. Beyond a hop that can't be read there is nothing to believe.
pub fn client_behind<'a>(
    peer: IpAddr,
    lines: impl Iterator<Item = &'a str>,
    is_trusted: impl Fn(&IpAddr) -> bool,
) -> IpAddr {
    let mut nearest = peer.to_canonical();
    for hop in lines.flat_map(|line| line.rsplit(',')) {
        if !is_trusted(&nearest) {
            break;
        }
        match address(without_brackets(hop.trim())) {
            Some(address) => nearest = address,
            None => break,
        }
    }
    nearest
}

/// What counts as one address: of IPv6 the network whose addresses begin with the same 56 bits, because that is what one
/// customer gets (RFC 6177, section 2).
pub fn customer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 72)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::{customer, network};

    #[test]
    fn a_customer_of_ipv6_is_a_network() {
        let of = |text: &str| customer(text.parse().expect(text));
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), of("2001:db8:1:ff::9"));
        assert_ne!(of("2001:db8:1:2::1"), of("2001:db8:1:102::1"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
    }

    #[test]
    fn networks_and_addresses_are_read() {
        for (text, inside, outside) in [
            ("10.1.2.3/8", "10.255.0.1", "11.0.0.1"),
            ("10.1.2.3", "10.1.2.3", "10.1.2.4"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("fd00::/8", "fdff::1", "fe00::1"),
            ("::/0", "ffff::1", "1.1.1.1"),
            ("::1", "::1", "::2"),
        ] {
            let network = network(text).expect(text);
            let contains = |address: &str| {
                let address: std::net::IpAddr = address.parse().expect(address);
                network.contains(&address)
            };
            assert!(contains(inside) && !contains(outside), "{text}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "::/129",
            "10.0.0.0/",
            "/8",
            "10.0.0/8",
            "010.0.0.0/8",
            "example.com",
            "10.0.0.0/8/8",
            "[::1]",
            " 10.0.0.0/8",
        ] {
            assert_eq!(network(text), None, "{text:?}");
        }
    }
}
