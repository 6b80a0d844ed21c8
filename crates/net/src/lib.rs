//! Addresses and networks: which of them are special, and how networks are written. For components and host alike, so
//! it knows neither Spin nor wasmtime.
#![forbid(unsafe_code)]

mod special;

use std::net::IpAddr;

pub use ipnet::IpNet;
pub use special::is_special;

/// Reads a network such as `172.17.0.0/16`; an address is a network of one. Bits after the prefix don't matter.
pub fn network(text: &str) -> Option<IpNet> {
    match text.split_once('/') {
        Some((address, bits)) => IpNet::new(address.parse().ok()?, bits.parse().ok()?).ok(),
        None => text.parse::<IpAddr>().ok().map(IpNet::from),
    }
}

#[cfg(test)]
mod tests {
    use super::network;

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
