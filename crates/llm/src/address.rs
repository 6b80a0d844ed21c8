//! Which base URLs may be called, decided from the URL alone.
//!
//! `url` reads them as browsers do, so `http://2130706433/` and `http://0x7f.1/` are what they mean, 127.0.0.1, and
//! what is called is what was checked. The rules on top refuse what that standard would repair or translate: a person
//! should see in the URL which machine it names. What a name resolves to is not known here; our own host checks the
//! address again after it has resolved the name.

use std::net::{Ipv4Addr, Ipv6Addr};

use http::Uri;
use kafka_net::is_special;
use url::{Host, Url};

/// The longest base URL, in bytes.
const MAX_LENGTH: usize = 2048;

/// The longest name that DNS has.
const MAX_NAME: usize = 253;

/// Names that only mean something inside a network: those below these, and all that have one label.
const PRIVATE_NAMES: [&str; 4] = ["localhost", "local", "internal", "home.arpa"];

/// Names that Spin answers itself, from inside the application.
const SPIN_NAMES: [&str; 2] = ["spin.internal", "self.alt"];

/// What the operator allows.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// This application's own origins, which are never called: those of the gateways (variables
    /// `grip_origin`, …; empty: there is none), and those under which the application itself is known to answer.
    pub own: Vec<String>,
    /// Whether a model may be on this machine or in a private network (variable `allow_private_models`).
    pub allow_private: bool,
}

/// A base URL that may be called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl(Uri);

impl BaseUrl {
    /// Where completions are asked for.
    pub fn chat_completions(&self) -> &Uri {
        &self.0
    }
}

/// Checks a base URL that a user chose: when it is saved, and again before every call, because the policy may have
/// changed since.
///
/// # Errors
/// The reason why an address is not valid, as a sentence for the user who entered it.
pub fn check_base_url(text: &str, policy: &Policy) -> Result<BaseUrl, String> {
    let mut url = parse(text.trim()).map_err(|what| format!("The base URL {what}."))?;
    let (host, port) = place_of(&url).ok_or("The base URL has no host.")?;
    if let Host::Domain(name) = &host
        && is_below(name, &SPIN_NAMES)
    {
        return Err("The base URL is an address of this server's own parts.".to_owned());
    }
    let own = policy
        .own
        .iter()
        .filter_map(|origin| Url::parse(origin).ok());
    let mut own = own.filter_map(|origin| place_of(&origin));
    let is_same = |own: &Host| *own == host || (is_this_machine(own) && is_this_machine(&host));
    if own.any(|(own, own_port)| own_port == port && is_same(&own)) {
        return Err("The base URL is an address of this server itself.".to_owned());
    }
    if !policy.allow_private && is_private(&host) {
        return Err(
            "The base URL is in a private network or on this server's machine, \
             which is not allowed here (allow_private_models)."
                .to_owned(),
        );
    }
    // People paste the whole address of the endpoint too.
    let path = url.path().trim_end_matches('/');
    let path = path.strip_suffix("/chat/completions").unwrap_or(path);
    let path = format!("{}/chat/completions", path.trim_end_matches('/'));
    url.set_path(&path);
    let uri = url.as_str().parse();
    uri.map(BaseUrl)
        .map_err(|error| format!("The base URL can't be called: {error}."))
}

/// Fails with the reason, as the end of a sentence.
fn parse(text: &str) -> Result<Url, String> {
    if text.len() > MAX_LENGTH {
        return Err(format!("must have at most {MAX_LENGTH} characters"));
    }
    // The parser would drop tabs and line ends and read a backslash as a slash.
    if text.contains(|c: char| c.is_control() || c.is_whitespace() || c == '\\') {
        return Err("must not contain spaces or backslashes".to_owned());
    }
    if !text.is_ascii() {
        return Err("must be ASCII; write a name with other letters as xn--…".to_owned());
    }
    let (scheme, rest) = text.split_once("://").unwrap_or_default();
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err("must begin with http:// or https://".to_owned());
    }
    if rest.contains(['?', '#']) {
        return Err(
            "must not contain ? or #; what follows the ? is the model's setting `query`".to_owned(),
        );
    }
    let authority = rest.split('/').next().unwrap_or_default();
    if authority.contains('@') {
        return Err("must not contain a user name or password".to_owned());
    }
    if authority.is_empty() {
        return Err("has no host".to_owned());
    }
    let url = Url::parse(text).map_err(|error| format!("can't be read: {error}"))?;
    let name = url
        .domain()
        .map(|name| name.strip_suffix('.').unwrap_or(name));
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if authority.contains('%')
        || name.is_some_and(|name| {
            name.len() > MAX_NAME
                || !name.bytes().all(is_plain)
                || name.split('.').any(str::is_empty)
        })
    {
        return Err("has a host that is no name".to_owned());
    }
    if url.port() == Some(0) {
        return Err("must not have the port 0".to_owned());
    }
    Ok(url)
}

/// Host and port, the host without its several spellings: names without the dot at the end, IPv4 inside IPv6 as IPv4.
fn place_of(url: &Url) -> Option<(Host, u16)> {
    let host = match url.host()? {
        Host::Domain(name) => Host::Domain(name.trim_end_matches('.').to_owned()),
        Host::Ipv4(address) => Host::Ipv4(address),
        Host::Ipv6(address) => address
            .to_ipv4_mapped()
            .map_or(Host::Ipv6(address), Host::Ipv4),
    };
    Some((host, url.port_or_known_default()?))
}

fn is_this_machine(host: &Host) -> bool {
    let is_v4 = |address: Ipv4Addr| address.is_loopback() || address.octets()[0] == 0;
    match host {
        Host::Domain(name) => is_below(name, &["localhost"]),
        Host::Ipv4(address) => is_v4(*address),
        Host::Ipv6(address) => address.is_loopback() || embedded_v4(*address).is_some_and(is_v4),
    }
}

fn is_private(host: &Host) -> bool {
    match host {
        Host::Domain(name) => !name.contains('.') || is_below(name, &PRIVATE_NAMES),
        Host::Ipv4(address) => is_special((*address).into()),
        Host::Ipv6(address) => is_special((*address).into()),
    }
}

/// Whether a name is one of these or below one.
fn is_below(name: &str, parents: &[&str]) -> bool {
    parents.iter().any(|parent| {
        name.strip_suffix(parent)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

/// The IPv4 address inside `64:ff9b::/96` or the obsolete `::/96`.
fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] | [0, 0, 0, 0, 0, 0, high, low] => {
            Some(Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
