//! The host and port of an address, read as those read them who will connect to it.

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The longest name that DNS has.
const MAX_NAME: usize = 253;

/// What stands between `//` and the path.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Authority {
    pub(super) host: Host,
    pub(super) port: Option<u16>,
}

/// A host. Shows as it is to be called.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Host {
    /// In lower case; a dot at its end stays.
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl Authority {
    /// Fails with what is wrong, as the end of a sentence.
    pub(super) fn parse(authority: &str) -> Result<Self, &'static str> {
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (address, port) = rest.split_once(']').ok_or("has a [ without a ]")?;
                // No zone either: it means an interface of this machine.
                let address = address
                    .parse()
                    .map_err(|_| "has no IPv6 address in its []")?;
                (Host::V6(address), port)
            }
            None => {
                let end = authority.find(':').unwrap_or(authority.len());
                let (host, port) = authority.split_at(end);
                (Host::parse(host)?, port)
            }
        };
        Ok(Self {
            host,
            port: parse_port(port)?,
        })
    }
}

/// `:8080`, or nothing.
fn parse_port(port: &str) -> Result<Option<u16>, &'static str> {
    let digits = match port.strip_prefix(':') {
        None if port.is_empty() => return Ok(None),
        Some("") => return Ok(None),
        Some(digits) if digits.bytes().all(|byte| byte.is_ascii_digit()) => digits,
        _ => return Err("has a port that is no number"),
    };
    digits
        .parse()
        .map(Some)
        .map_err(|_| "has a port above 65535")
}

impl Host {
    fn parse(host: &str) -> Result<Self, &'static str> {
        let name = host.to_ascii_lowercase();
        let labels = name.strip_suffix('.').unwrap_or(&name);
        if labels.is_empty() || labels.len() > MAX_NAME {
            return Err("has no host");
        }
        // Neither percent-encoding nor anything else that somebody could read in another way.
        let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        if !labels.bytes().all(is_plain) || labels.split('.').any(str::is_empty) {
            return Err("has a host that is no name");
        }
        let last = labels.rsplit('.').next().unwrap_or_default();
        if is_number(last) {
            return parse_v4(labels)
                .map(Self::V4)
                .ok_or("has a host that is no IPv4 address");
        }
        Ok(Self::Name(name))
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => f.write_str(name),
            Self::V4(address) => write!(f, "{address}"),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

/// Whether a name that ends in this label is an IPv4 address, in the eyes of a browser.
fn is_number(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_digit())
        || label
            .strip_prefix("0x")
            .is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// One to four parts, each decimal, octal (`0…`) or hexadecimal (`0x…`); the last one fills what the others leave.
fn parse_v4(text: &str) -> Option<Ipv4Addr> {
    let parts: Option<Vec<u64>> = text.split('.').map(parse_part).collect();
    let parts = parts?;
    let (last, before) = parts.split_last()?;
    if before.len() > 3 || before.iter().any(|part| *part > 255) {
        return None;
    }
    let room = 8 * (4 - before.len());
    if *last >= 1 << room {
        return None;
    }
    let high = before.iter().fold(0, |address, part| (address << 8) | part);
    u32::try_from((high << room) | last)
        .ok()
        .map(Ipv4Addr::from)
}

fn parse_part(part: &str) -> Option<u64> {
    let (digits, radix) = match part.strip_prefix("0x") {
        Some("") => ("0", 16),
        Some(hex) => (hex, 16),
        None if part.len() > 1 && part.starts_with('0') => (part, 8),
        None => (part, 10),
    };
    // `from_str_radix` would take a sign.
    if digits.starts_with(['+', '-']) {
        return None;
    }
    u64::from_str_radix(digits, radix).ok()
}

#[cfg(test)]
mod tests {
    use super::{Authority, Host};

    fn shown(authority: &str) -> String {
        match Authority::parse(authority) {
            Ok(Authority { host, port: None }) => host.to_string(),
            Ok(Authority {
                host,
                port: Some(port),
            }) => format!("{host} {port}"),
            Err(what) => what.to_owned(),
        }
    }

    #[test]
    fn every_spelling_of_an_ipv4_address_is_one() {
        for (authority, address) in [
            ("127.0.0.1", "127.0.0.1"),
            ("127.1", "127.0.0.1"),
            ("127.0.1", "127.0.0.1"),
            ("127.0.0.1.", "127.0.0.1"),
            ("2130706433", "127.0.0.1"),
            ("0x7f000001:80", "127.0.0.1 80"),
            ("0X7F.0x0.0.0x1", "127.0.0.1"),
            ("0177.0.0.01", "127.0.0.1"),
            ("017700000001", "127.0.0.1"),
            ("0", "0.0.0.0"),
            ("0x", "0.0.0.0"),
            ("1.0xffffff", "1.255.255.255"),
            ("4294967295", "255.255.255.255"),
        ] {
            assert_eq!(shown(authority), address, "{authority}");
        }
        for authority in [
            "4294967296",
            "256.1.1.1",
            "1.256.1",
            "1.2.3.4.5",
            "1.0x1000000",
            "08.0.0.1",
            "a.1",
            "1.-2.3.4",
            "a.0x1",
            "99999999999999999999",
        ] {
            assert_eq!(
                shown(authority),
                "has a host that is no IPv4 address",
                "{authority}"
            );
        }
    }

    #[test]
    fn names_and_ports() {
        assert_eq!(shown("Example.COM:8080"), "example.com 8080");
        assert_eq!(shown("example.com.:"), "example.com.");
        assert_eq!(shown("a_b-c.example"), "a_b-c.example");
        assert_eq!(shown("1a.0xg"), "1a.0xg");
        assert_eq!(shown("[2001:DB8::1]:1"), "[2001:db8::1] 1");
        for authority in [
            "",
            ".",
            ":80",
            "a..b",
            ".a",
            "a b",
            "a%2eb",
            "a,b",
            "a:b",
            "a:1:2",
            "a:65536",
            "a:+1",
            "[::1",
            "[::1]a",
            "[::1%25lo]",
            "[127.0.0.1]",
            "[]",
            "b\u{fc}cher.example",
        ] {
            assert!(Authority::parse(authority).is_err(), "{authority}");
        }
        let long = "a.".repeat(200);
        assert!(Host::parse(&long).is_err());
    }
}
