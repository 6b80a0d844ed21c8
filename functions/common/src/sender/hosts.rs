//! By which names the server may be called (variable `allowed_hosts`).
//!
//! A web page can make its own name mean this server's address (DNS rebinding), and is then no foreign page to the browser
//! of the browser's user. But what it calls has its name in `Host`. So in open mode, where reaching the server is enough,
//! `Host` must be a name of this machine, or one that the operator listed.

use std::net::IpAddr;

use axum::http::header;
use axum::http::request::Parts;
use axum::http::uri::Authority;

use super::client::is_loopback_name;
use crate::api::AuthMode;
use crate::error::{Error, Result};

/// The variable `allowed_hosts`: entries such as `kafka.lan:8000`, `[2001:db8::7]:8000` or, for any port, `kafka.lan`.
/// What names this machine (`localhost` and loopback addresses) need not be listed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<Name>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Name {
    host: Host,
    /// `None` is any.
    port: Option<u16>,
}

/// A name in lower case, or an address in whichever spelling.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Name(String),
    Address(IpAddr),
}

impl AllowedHosts {
    /// Reads the entries of the variable; the error names the one that is no name.
    pub(crate) fn parse<'a>(entries: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let name = |entry: &str| {
            Name::parse(entry).ok_or_else(|| {
                format!("allowed_hosts: {entry:?} is no name such as kafka.lan:8000")
            })
        };
        entries.map(name).collect::<Result<_, _>>().map(Self)
    }

    /// Whether this can be a name of the server: unless some are listed, any can.
    pub(crate) fn may_be(&self, called: &Authority) -> bool {
        *self == Self::default() || is_loopback_name(called) || self.allows(called)
    }

    fn allows(&self, called: &Authority) -> bool {
        let host = Host::of(called.host());
        self.0
            .iter()
            .any(|name| name.host == host && name.has_port(called.port_u16()))
    }
}

impl Name {
    fn parse(entry: &str) -> Option<Self> {
        let address = |entry: &str| entry.parse::<IpAddr>().ok();
        if let Some(address) = address(entry) {
            let host = Host::Address(address.to_canonical());
            return Some(Self { host, port: None });
        }
        let authority: Authority = entry.parse().ok()?;
        let host = authority.host();
        let port = match authority.as_str().strip_prefix(host)? {
            "" | ":*" => None,
            port => Some(port.strip_prefix(':')?.parse().ok()?),
        };
        let is_name = |host: &str| {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
            !host.is_empty() && host.bytes().all(is_plain)
        };
        let host = Host::of(host);
        match &host {
            Host::Name(name) if !is_name(name) => None,
            _ => Some(Self { host, port }),
        }
    }

    /// Whether this may be the port in `Host`, which leaves out that of the scheme; which scheme that was, only a proxy
    /// in front knows.
    fn has_port(&self, called: Option<u16>) -> bool {
        match (self.port, called) {
            (None, _) | (Some(80 | 443), None) => true,
            (port, called) => port == called,
        }
    }
}

impl Host {
    /// The host of an authority, an address of IPv6 in brackets.
    fn of(host: &str) -> Self {
        let bare = host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
            .unwrap_or(host);
        match bare.parse::<IpAddr>() {
            Ok(address) => Self::Address(address.to_canonical()),
            Err(_) => Self::Name(host.to_ascii_lowercase()),
        }
    }
}

/// Refuses (403) a request that calls the server by a name which is none of its own.
///
/// Open mode always asks, and answers no request as long as it lets other machines in (`open_clients`) and no variable says by
/// which names they call. Token mode asks where names are listed: there a page that rebinds its name has no cookie.
pub(crate) fn check(
    request: &Parts,
    allowed: &AllowedHosts,
    mode: AuthMode,
    lets_others_in: bool,
) -> Result<()> {
    let is_open = mode == AuthMode::Open;
    if is_open && lets_others_in && *allowed == AllowedHosts::default() {
        return Err(Error::forbidden(
            "This server runs in open mode and lets other machines call (variable open_clients). A web page that is \
             opened on one of them could call it, too, under a name of its own. List the names by which the server is \
             called in the variable allowed_hosts, such as kafka.lan:8000.",
        ));
    }
    if !is_open && *allowed == AllowedHosts::default() {
        return Ok(());
    }
    let is_ours = |name: &Authority| is_loopback_name(name) || allowed.allows(name);
    if names(request).is_some_and(|names| !names.is_empty() && names.iter().all(is_ours)) {
        return Ok(());
    }
    Err(Error::forbidden(if is_open {
        "This server runs in open mode and answers only under the names localhost, 127.0.0.1 and [::1], and those in \
         the variable allowed_hosts. To use another name, list it there, and the networks that may call in the \
         variable open_clients."
    } else {
        "This server answers only under the names that are listed in its variable allowed_hosts."
    }))
}

/// Whether this is a name or an address with a port or without, and nothing else.
pub(crate) fn is_plain(called: &Authority) -> bool {
    let is_any_port = called.as_str().ends_with('*');
    Name::parse(called.as_str()).is_some_and(|name| name.port == called.port_u16()) && !is_any_port
}

/// The names by which the server is called; `None` if one can't be read. Platforms carry the name as header, as the URI's
/// authority or as both.
fn names(request: &Parts) -> Option<Vec<Authority>> {
    let headers = request.headers.get_all(header::HOST).iter();
    let headers = headers.map(|host| host.as_bytes().try_into().ok());
    headers
        .chain(request.uri.authority().cloned().map(Some))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::AllowedHosts;

    fn allows(list: &str, host: &str) -> bool {
        let allowed = AllowedHosts::parse(list.split_whitespace()).unwrap();
        allowed.allows(&host.parse().unwrap())
    }

    #[test]
    fn names_and_ports() {
        for (list, host) in [
            ("kafka.lan:8000", "kafka.lan:8000"),
            ("Kafka.LAN:8000", "KAFKA.lan:8000"),
            ("kafka.lan", "kafka.lan"),
            ("kafka.lan", "kafka.lan:8000"),
            ("kafka.lan:*", "kafka.lan:8000"),
            ("kafka.lan:443", "kafka.lan"),
            ("kafka.lan:80", "kafka.lan"),
            ("a.example kafka.lan", "kafka.lan"),
            ("192.168.1.5:8000", "192.168.1.5:8000"),
            ("[2001:db8::7]:8000", "[2001:DB8:0::7]:8000"),
            ("2001:db8::7", "[2001:db8::7]:8000"),
        ] {
            assert!(allows(list, host), "{list} {host}");
        }
        for (list, host) in [
            ("", "kafka.lan"),
            ("kafka.lan:8000", "kafka.lan"),
            ("kafka.lan:8000", "kafka.lan:8001"),
            ("kafka.lan:443", "kafka.lan:80"),
            ("kafka.lan", "evil.example"),
            ("kafka.lan", "kafka.lan.evil.example"),
            ("kafka.lan", "a.kafka.lan"),
            ("kafka.lan", "kafka.lan."),
            ("192.168.1.5", "192.168.1.50"),
        ] {
            assert!(!allows(list, host), "{list} {host}");
        }
    }

    #[test]
    fn entries_that_are_no_names() {
        for entry in [
            "*",
            "*.lan",
            "http://kafka.lan",
            "kafka.lan/",
            "kafka.lan:port",
            "kafka.lan:",
            "user@kafka.lan",
            ":8000",
            "kafka.lan:70000",
            "[kafka.lan]",
            "bücher.example",
        ] {
            let error = AllowedHosts::parse([entry].into_iter()).unwrap_err();
            assert!(error.contains(entry), "{error}");
        }
    }
}
