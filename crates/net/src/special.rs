//! The table of special addresses: what a URL that a stranger chose must not lead to.
//!
//! It has all blocks of IANA's IPv4 and IPv6 Special-Purpose Address Registries (RFC 6890), also the few that are
//! called globally reachable there: they belong to protocols, and no public server has one. Added is what other
//! registries set aside: multicast, and all of IPv6 that is not handed out.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

/// The special ranges of IPv4.
const V4: [Ipv4Net; 17] = [
    // This network.
    v4([0, 0, 0, 0], 8),
    // Private use.
    v4([10, 0, 0, 0], 8),
    // Shared by the customers of a provider.
    v4([100, 64, 0, 0], 10),
    // Loopback.
    v4([127, 0, 0, 0], 8),
    // Link-local, with the metadata services of clouds.
    v4([169, 254, 0, 0], 16),
    // Private use.
    v4([172, 16, 0, 0], 12),
    // IETF protocol assignments.
    v4([192, 0, 0, 0], 24),
    // Documentation (TEST-NET-1).
    v4([192, 0, 2, 0], 24),
    // AS112: answers to DNS queries about private addresses.
    v4([192, 31, 196, 0], 24),
    // Automatic multicast tunneling.
    v4([192, 52, 193, 0], 24),
    // Relays between 6to4 and IPv6, deprecated.
    v4([192, 88, 99, 0], 24),
    // Private use.
    v4([192, 168, 0, 0], 16),
    // AS112, by delegation.
    v4([192, 175, 48, 0], 24),
    // Benchmarking.
    v4([198, 18, 0, 0], 15),
    // Documentation (TEST-NET-2, TEST-NET-3).
    v4([198, 51, 100, 0], 24),
    v4([203, 0, 113, 0], 24),
    // Multicast (224/4), reserved (240/4), and the broadcast address.
    v4([224, 0, 0, 0], 3),
];

/// All of IPv6 that is handed out. Outside are, among others: unspecified `::`, loopback `::1`, addresses that have one
/// of IPv4 inside (`::/96`, `::ffff:0:0/96`, `64:ff9b::/96` and `64:ff9b:1::/48` of NAT64), discard `100::/64`, dummy
/// `100:0:0:1::/64`, SRv6 segments `5f00::/16`, unique local `fc00::/7`, link-local `fe80::/10`, site-local
/// `fec0::/10`, and multicast `ff00::/8`.
const HANDED_OUT: Ipv6Net = v6([0x2000, 0, 0], 3);

/// The special ranges within [`HANDED_OUT`].
const V6: [Ipv6Net; 5] = [
    // IETF protocol assignments: Teredo (2001::/32), anycast of single protocols (2001:1::/32), benchmarking
    // (2001:2::/48), multicast tunneling (2001:3::/32), AS112 (2001:4:112::/48), ORCHID (2001:10::/28 and
    // 2001:20::/28), drones (2001:30::/28).
    v6([0x2001, 0, 0], 23),
    // Documentation.
    v6([0x2001, 0xdb8, 0], 32),
    // 6to4, which has an address of IPv4 inside.
    v6([0x2002, 0, 0], 16),
    // AS112, by delegation.
    v6([0x2620, 0x4f, 0x8000], 48),
    // Documentation.
    v6([0x3fff, 0, 0], 20),
];

const fn v4(octets: [u8; 4], bits: u8) -> Ipv4Net {
    let [a, b, c, d] = octets;
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), bits)
}

const fn v6(beginning: [u16; 3], bits: u8) -> Ipv6Net {
    let [a, b, c] = beginning;
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0), bits)
}

/// Whether an address is anything but an ordinary one of the public internet. `::ffff:a.b.c.d` is `a.b.c.d`.
pub fn is_special(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => V4.iter().any(|block| block.contains(&address)),
        IpAddr::V6(address) => {
            !HANDED_OUT.contains(&address) || V6.iter().any(|block| block.contains(&address))
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

    use ipnet::IpNet;

    use super::is_special;

    /// The registries, as IANA has them.
    const REGISTRIES: &str = "
        0.0.0.0/8 0.0.0.0/32 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.0.0/29
        192.0.0.8/32 192.0.0.9/32 192.0.0.10/32 192.0.0.170/32 192.0.0.171/32 192.0.2.0/24 192.31.196.0/24
        192.52.193.0/24 192.88.99.0/24 192.88.99.2/32 192.168.0.0/16 192.175.48.0/24 198.18.0.0/15 198.51.100.0/24
        203.0.113.0/24 240.0.0.0/4 255.255.255.255/32
        ::1/128 ::/128 64:ff9b::/96 64:ff9b:1::/48 100::/64 100:0:0:1::/64 2001::/23 2001::/32 2001:1::1/128
        2001:1::2/128 2001:1::3/128 2001:2::/48 2001:3::/32 2001:4:112::/48 2001:10::/28 2001:20::/28 2001:30::/28
        2001:db8::/32 2002::/16 2620:4f:8000::/48 3fff::/20 5f00::/16 fc00::/7 fe80::/10";

    /// Other reserved ranges.
    const OTHERS: &str =
        "224.0.0.0/4 ::/96 ::ffff:0:0:0/96 fec0::/10 ff00::/8 4000::/2 c000::/3 1000::/4";

    #[test]
    fn every_block_is_special_from_its_first_address_to_its_last() {
        for text in REGISTRIES
            .split_whitespace()
            .chain(OTHERS.split_whitespace())
        {
            let block: IpNet = text.parse().expect(text);
            for address in [block.network(), block.broadcast()] {
                assert!(is_special(address), "{address} of {text}");
            }
        }
    }

    #[test]
    fn neighbours_are_not() {
        for address in [
            "1.0.0.0",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "169.253.255.255",
            "169.255.0.0",
            "172.15.255.255",
            "172.32.0.0",
            "191.255.255.255",
            "192.0.1.0",
            "192.0.3.0",
            "192.31.195.255",
            "192.31.197.0",
            "192.52.192.255",
            "192.52.194.0",
            "192.88.98.255",
            "192.88.100.0",
            "192.167.255.255",
            "192.169.0.0",
            "192.175.47.255",
            "192.175.49.0",
            "198.17.255.255",
            "198.20.0.0",
            "198.51.99.255",
            "198.51.101.0",
            "203.0.112.255",
            "203.0.114.0",
            "223.255.255.255",
            "2000::",
            "2001:200::",
            "2001:db7:ffff::",
            "2001:db9::",
            "2001:ffff::",
            "2003::",
            "2606:4700:4700::1111",
            "2620:4f:7fff::",
            "2620:4f:8001::",
            "3ffe::",
            "3fff:1000::",
            "3fff:ffff::",
        ] {
            assert!(!is_special(address.parse().expect(address)), "{address}");
        }
    }

    #[test]
    fn ipv4_inside_ipv6_is_ipv4() {
        let mapped = |address: &str| -> IpAddr {
            let address: Ipv4Addr = address.parse().expect(address);
            address.to_ipv6_mapped().into()
        };
        assert!(is_special(mapped("127.0.0.1")) && is_special(mapped("192.88.99.1")));
        assert!(!is_special(mapped("1.1.1.1")));
        // What leads to one elsewhere is special, whichever it is.
        for text in ["64:ff9b::101:101", "2002:101:101::", "::101:101"] {
            let address: Ipv6Addr = text.parse().expect(text);
            assert!(is_special(address.into()), "{text}");
        }
    }
}
