//! Which base URLs may be called (DESIGN.md, D9), decided from the URL alone.
//!
//! What a name resolves to is not known here; the embedded host looks again after resolution. Hosts are read as
//! resolvers and browsers do, so that `http://2130706433/` and `http://0x7f.1/` are what they mean, 127.0.0.1, and what
//! is called is what was checked. A name beyond ASCII must be written as it is looked up, `xn--…`: the crate `url`, which
//! could translate it, would bring 200 KB of tables into each component.

mod host;

use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

use kafka_net::is_special;

use self::host::{Authority, Host};

/// Longer ones are no addresses.
const MAX_LENGTH: usize = 2048;

/// What the operator allows.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// This application's own origins, never to be called: the gateway's (variable `grip_origin`; empty: there is none),
    /// and where the application itself is known to answer.
    pub own: Vec<String>,
    /// Whether a model may be on this machine or in a private network (variable `allow_private_models`).
    pub allow_private: bool,
}

/// A base URL that may be called. Shows as it is called: normalised and without a slash at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(String);

impl BaseUrl {
    /// The address without a slash at the end.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where completions are asked for.
    pub fn chat_completions(&self) -> String {
        format!("{}/chat/completions", self.0)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Checks a base URL that a user chose: when it is saved, and again before every call, because the policy may have
/// changed since.
///
/// # Errors
/// What is wrong with it, as a sentence for the person who entered it.
pub fn check_base_url(text: &str, policy: &Policy) -> Result<BaseUrl, String> {
    let text = text.trim();
    if text.len() > MAX_LENGTH {
        return Err(format!(
            "The base URL must have at most {MAX_LENGTH} characters."
        ));
    }
    // The parser would drop tabs and line ends and read a backslash as a slash.
    if text
        .chars()
        .any(|c| c.is_control() || c.is_whitespace() || c == '\\')
    {
        return Err("The base URL must not contain spaces or backslashes.".to_owned());
    }
    if !text.is_ascii() {
        return Err(
            "The base URL must be ASCII; write a name with other letters as xn--….".to_owned(),
        );
    }
    let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
    let scheme = scheme.to_ascii_lowercase();
    let default_port = match scheme.as_str() {
        "http" => 80,
        "https" => 443,
        _ => return Err("The base URL must begin with http:// or https://.".to_owned()),
    };
    if rest.contains(['?', '#']) {
        return Err("The base URL must not contain ? or #.".to_owned());
    }
    let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("The base URL must not contain a user name or password.".to_owned());
    }
    let authority = Authority::parse(authority).map_err(|what| format!("The base URL {what}."))?;
    let port = authority.port.unwrap_or(default_port);
    check_host(&authority.host, port, policy)?;

    // People paste the whole address of the endpoint too.
    let path = path.trim_end_matches('/');
    let path = path
        .strip_suffix("/chat/completions")
        .unwrap_or(path)
        .trim_end_matches('/');
    let port = match port {
        port if port == default_port => String::new(),
        port => format!(":{port}"),
    };
    let base = BaseUrl(format!("{scheme}://{}{port}{path}", authority.host));
    match base.chat_completions().parse::<http::Uri>() {
        Ok(_) => Ok(base),
        Err(error) => Err(format!("The base URL can't be called: {error}.")),
    }
}

fn check_host(host: &Host, port: u16, policy: &Policy) -> Result<(), String> {
    if port == 0 {
        return Err("The base URL's port must not be 0.".to_owned());
    }
    let place = Place::of(host);
    // Spin answers these itself, from inside the application.
    if let Place::Name(name) = &place
        && ["spin.internal", "self.alt"]
            .iter()
            .any(|own| is_or_below(name, own))
    {
        return Err("The base URL is an address of this server's own parts.".to_owned());
    }
    let mut own = policy.own.iter().filter_map(|origin| place_of(origin));
    if own.any(|(own, own_port)| own_port == port && own.is_same_machine(&place)) {
        return Err("The base URL is an address of this server itself.".to_owned());
    }
    if !policy.allow_private && place.is_private() {
        return Err(
            "The base URL is in a private network or on this server's machine, \
                    which is not allowed here (allow_private_models)."
                .to_owned(),
        );
    }
    Ok(())
}

/// Host and port of an origin.
fn place_of(origin: &str) -> Option<(Place, u16)> {
    let (scheme, rest) = origin.trim().split_once("://")?;
    let authority = Authority::parse(rest.split('/').next()?).ok()?;
    let default_port = if scheme.eq_ignore_ascii_case("https") {
        443
    } else {
        80
    };
    let port = authority.port.unwrap_or(default_port);
    Some((Place::of(&authority.host), port))
}

/// A host without its several spellings.
#[derive(Debug, PartialEq, Eq)]
enum Place {
    /// In lower case, without the dot at the end.
    Name(String),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
}

impl Place {
    fn of(host: &Host) -> Self {
        match host {
            Host::Name(name) => Self::Name(name.trim_end_matches('.').to_owned()),
            Host::V4(address) => Self::V4(*address),
            Host::V6(address) => match address.to_ipv4_mapped() {
                Some(address) => Self::V4(address),
                None => Self::V6(*address),
            },
        }
    }

    /// Whether both certainly are the same machine: equal, or both this one.
    fn is_same_machine(&self, other: &Self) -> bool {
        self == other || (self.is_this_machine() && other.is_this_machine())
    }

    fn is_this_machine(&self) -> bool {
        match self {
            Self::Name(name) => is_or_below(name, "localhost"),
            Self::V4(address) => address.is_loopback() || address.octets()[0] == 0,
            Self::V6(address) => {
                let embedded = embedded_v4(*address);
                address.is_loopback()
                    || address.is_unspecified()
                    || embedded.is_some_and(|v4| Self::V4(v4).is_this_machine())
            }
        }
    }

    fn is_private(&self) -> bool {
        match self {
            // Names that only ever mean something inside: one label, and what is reserved for that.
            Self::Name(name) => {
                !name.contains('.')
                    || ["localhost", "local", "internal", "home.arpa"]
                        .iter()
                        .any(|inside| is_or_below(name, inside))
            }
            Self::V4(address) => is_special((*address).into()),
            Self::V6(address) => is_special((*address).into()),
        }
    }
}

fn is_or_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// The IPv4 address inside `64:ff9b::/96` or the obsolete `::/96`.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] => {
            let [[a, b], [c, d]] = [high.to_be_bytes(), low.to_be_bytes()];
            Some(Ipv4Addr::new(a, b, c, d))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
