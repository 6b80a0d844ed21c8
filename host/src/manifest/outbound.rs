//! Which hosts a component may call, in the notation of Spin's `allowed_outbound_hosts`.

use anyhow::{Context, anyhow, bail};
use kafka_net::IpNet;
use std::{net::IpAddr, ops::Range};

/// The hosts that one component's `allowed_outbound_hosts` grants. The default grants none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OutboundHosts(Vec<Entry>);

/// `<scheme>://<host>[:<port>]`.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// `None` is any.
    scheme: Option<String>,
    host: Host,
    ports: Ports,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Host {
    Any,
    /// With the dot in front.
    Below(String),
    Name(String),
    Network(IpNet),
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ports {
    Any,
    One(u16),
    /// Without the end, as in Spin.
    Range(Range<u16>),
}

impl OutboundHosts {
    /// Reads a list of `<scheme>://<host>[:<port>]`. Scheme, host and port can each be `*`; the host can be
    /// `*.example.com` (what is below it) or a network such as `10.0.0.0/8`, the port a range such as
    /// `8000..8010` (without its end). A port that is not given is the scheme's usual one.
    ///
    /// # Errors
    /// When an entry is anything else. `self`, the application's own address, is not supported by this host.
    pub fn parse(entries: &[String]) -> anyhow::Result<Self> {
        entries
            .iter()
            .map(|entry| Entry::parse(entry))
            .collect::<anyhow::Result<_>>()
            .map(Self)
    }

    /// Whether a request may go to this place. `host` is as in the URL, an IPv6 address in brackets; `scheme` is in
    /// lower case. Other spellings of an address (decimal, octal) are not the same as the one in the list.
    pub fn allows(&self, scheme: &str, host: &str, port: u16) -> bool {
        let host = host.to_ascii_lowercase();
        self.0.iter().any(|entry| {
            entry
                .scheme
                .as_ref()
                .is_none_or(|allowed| allowed == scheme)
                && entry.host.allows(&host)
                && entry.ports.allow(port)
        })
    }
}

/// Checks one entry that has no variables.
pub fn check(entry: &str) -> anyhow::Result<()> {
    Entry::parse(entry).map(|_| ())
}

impl Entry {
    fn parse(text: &str) -> anyhow::Result<Self> {
        let read = || {
            let (scheme, place) = text.trim().split_once("://").ok_or_else(|| {
                anyhow!("it must be <scheme>://<host>[:<port>], each of which can be *")
            })?;
            let (host, port) = place.rsplit_once(':').unwrap_or((place, ""));
            let port = match port.split_once('/') {
                Some((port, "")) => port,
                Some(_) => bail!("it can't have a path"),
                None => port,
            };
            if scheme != "*" && !scheme.chars().all(char::is_alphabetic) {
                bail!("its scheme must be letters or *");
            }
            Ok(Self {
                scheme: (scheme != "*").then(|| scheme.to_owned()),
                host: Host::parse(host.trim())?,
                ports: Ports::parse(port, scheme)?,
            })
        };
        read().with_context(|| format!("{text:?} can't be used in allowed_outbound_hosts"))
    }
}

impl Host {
    fn parse(text: &str) -> anyhow::Result<Self> {
        if text == "*" {
            return Ok(Self::Any);
        }
        if text == "self" || text == "self.alt" {
            bail!("calls to the application itself are not supported by this host");
        }
        if let Some(network) = kafka_net::network(text) {
            return Ok(Self::Network(network));
        }
        let name = text.trim_end_matches('/');
        if name.contains('/') {
            bail!("it can't have a path");
        }
        if name.is_empty() || name.starts_with('{') {
            bail!("its host must be a name, an address, a network or *");
        }
        let (below, rest) = match name.strip_prefix("*.") {
            Some(domain) => (true, domain),
            None => (false, name),
        };
        if rest.contains('*') {
            bail!("* is possible only for the whole host or its first part");
        }
        let rest = rest.to_ascii_lowercase();
        Ok(if below {
            Self::Below(format!(".{rest}"))
        } else {
            Self::Name(rest)
        })
    }

    fn allows(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Below(suffix) => host.ends_with(suffix),
            Self::Name(name) => name == host,
            Self::Network(network) => {
                let bare = kafka_net::without_brackets(host);
                bare.parse::<IpAddr>()
                    .is_ok_and(|address| network.contains(&address))
            }
        }
    }
}

impl Ports {
    fn parse(text: &str, scheme: &str) -> anyhow::Result<Self> {
        let number = |text: &str| {
            text.parse::<u16>()
                .map_err(|_| anyhow!("its port {text:?} is no number"))
        };
        match text {
            "" => usual_port(scheme)
                .map(Self::One)
                .ok_or_else(|| anyhow!("it needs a port, as its scheme has no usual one")),
            "*" => Ok(Self::Any),
            _ => match text.split_once("..") {
                Some((start, end)) => Ok(Self::Range(number(start)?..number(end)?)),
                None => Ok(Self::One(number(text)?)),
            },
        }
    }

    fn allow(&self, port: u16) -> bool {
        match self {
            Self::Any => true,
            Self::One(allowed) => *allowed == port,
            Self::Range(range) => range.contains(&port),
        }
    }
}

fn usual_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        "postgres" => Some(5432),
        "mysql" => Some(3306),
        "redis" => Some(6379),
        "mqtt" => Some(1883),
        _ => None,
    }
}

#[cfg(test)]
#[path = "outbound_tests.rs"]
mod tests;
