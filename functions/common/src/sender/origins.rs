//! Which web pages may call, by the `Origin` that browsers send (docs/decisions.md#foreign-origins-are-refused).

use axum::http::request::Parts;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, Uri, header};

use super::client::is_loopback_name;

/// The variable `allowed_origins`: which origins may call besides the application's own host, which always may.
///
/// Empty, the default: `localhost`, `127.0.0.1` and `[::1]` on any port, so that a frontend under development just
/// works. Set, it replaces that: entries such as `https://app.example.com` or `http://localhost:*` (any port).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<Pattern>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    /// Any scheme and port of a loopback name.
    Loopback,
    /// Exactly this origin.
    Exact(String),
    /// This scheme and host, `http://localhost`, with any port or none.
    AnyPort(String),
}

impl Default for AllowedOrigins {
    fn default() -> Self {
        Self(vec![Pattern::Loopback])
    }
}

impl AllowedOrigins {
    /// Reads the entries of the variable; the error names the one that is no origin.
    pub(crate) fn parse<'a>(entries: impl Iterator<Item = &'a str>) -> Result<Self, String> {
        let patterns = entries.map(Pattern::parse).collect::<Result<Vec<_>, _>>()?;
        Ok(if patterns.is_empty() {
            Self::default()
        } else {
            Self(patterns)
        })
    }
}

impl Pattern {
    fn parse(entry: &str) -> Result<Self, String> {
        let lower = entry.to_ascii_lowercase();
        let (origin, any_port) = match lower.strip_suffix(":*") {
            Some(origin) => (origin, true),
            None => (lower.as_str(), false),
        };
        match split(origin) {
            Some((_, authority)) if any_port && authority.port().is_none() => {
                Ok(Self::AnyPort(origin.to_owned()))
            }
            // Browsers leave a default port out.
            Some(("https", _)) if !any_port => Ok(Self::Exact(without_port(origin, ":443"))),
            Some(_) if !any_port => Ok(Self::Exact(without_port(origin, ":80"))),
            _ => Err(format!(
                "allowed_origins: {entry:?} is no origin such as https://app.example.com"
            )),
        }
    }

    fn matches(&self, origin: &str, authority: &Authority) -> bool {
        match self {
            Self::Loopback => is_loopback_name(authority),
            Self::Exact(allowed) => origin == allowed,
            Self::AnyPort(allowed) => origin
                .strip_prefix(allowed.as_str())
                .is_some_and(|port| port.is_empty() || port.starts_with(':')),
        }
    }
}

/// What a request says about the web page that sent it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// No page, or one of the application's own under `GET`: nothing is said.
    None,
    /// A page that may call and read the answer; echoed in CORS headers.
    Allowed(HeaderValue),
    /// Any other page. It may read why it was refused, under the origin that it names; of several it gets to read
    /// nothing.
    Foreign(Option<HeaderValue>),
}

impl Origin {
    /// Judges the header `Origin`. `null`, which sandboxed pages and local files send, is foreign.
    pub(crate) fn of(request: &Parts, allowed: &AllowedOrigins) -> Self {
        let mut values = request.headers.get_all(header::ORIGIN).iter();
        let value = match (values.next(), values.next()) {
            (None, _) => return Self::None,
            (Some(value), None) => value,
            (Some(_), Some(_)) => return Self::Foreign(None),
        };
        let origin = value.to_str().unwrap_or_default().to_ascii_lowercase();
        let Some((scheme, authority)) = split(&origin) else {
            return Self::Foreign(Some(value.clone()));
        };
        let own = own_host(&request.headers, &request.uri)
            .is_some_and(|host| is_same_host(scheme, &authority, &host));
        if own
            || allowed
                .0
                .iter()
                .any(|pattern| pattern.matches(&origin, &authority))
        {
            Self::Allowed(value.clone())
        } else {
            Self::Foreign(Some(value.clone()))
        }
    }
}

/// Whether the web page that sent the request came over a network without encryption, so that anybody on its way may
/// have written it. Not even our own host's may have what the cookie opens, which is for encrypted connections.
pub(crate) fn is_unencrypted(headers: &HeaderMap) -> bool {
    let mut origins = headers.get_all(header::ORIGIN).iter();
    origins.any(|origin| {
        let origin = origin.to_str().unwrap_or_default().to_ascii_lowercase();
        split(&origin).is_some_and(|(scheme, page)| scheme == "http" && !is_loopback_name(&page))
    })
}

/// Scheme and authority of `http://host[:port]` or `https://host[:port]`; nothing else is an origin.
fn split(origin: &str) -> Option<(&str, Authority)> {
    let (scheme, authority) = origin.split_once("://")?;
    let authority: Authority = authority.parse().ok()?;
    let host = authority.host();
    let is_port = |port: &str| {
        port.strip_prefix(':')
            .is_some_and(|port| port.parse::<u16>().is_ok())
    };
    let rest = authority.as_str().strip_prefix(host)?;
    let plain = !host.is_empty() && !host.contains('*') && (rest.is_empty() || is_port(rest));
    (plain && matches!(scheme, "http" | "https")).then_some((scheme, authority))
}

fn without_port(origin: &str, default: &str) -> String {
    origin.strip_suffix(default).unwrap_or(origin).to_owned()
}

/// The name and port under which the client called.
pub(crate) fn own_host(headers: &HeaderMap, uri: &Uri) -> Option<Authority> {
    match headers.get(header::HOST) {
        Some(host) => host.as_bytes().try_into().ok(),
        None => uri.authority().cloned(),
    }
}

/// The origins under which the client may have called; behind a proxy that ends TLS the scheme is not known.
pub fn own_origins(headers: &HeaderMap, uri: &Uri) -> Vec<String> {
    let host = own_host(headers, uri);
    host.map(|host| vec![format!("http://{host}"), format!("https://{host}")])
        .unwrap_or_default()
}

/// The scheme is left aside: behind a proxy that ends TLS the application can't know its own. The page's default port
/// may be spelled out or not.
fn is_same_host(scheme: &str, page: &Authority, own: &Authority) -> bool {
    let default = if scheme == "https" { 443 } else { 80 };
    page.host().eq_ignore_ascii_case(own.host())
        && page.port_u16().unwrap_or(default) == own.port_u16().unwrap_or(default)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, Request};

    use super::{AllowedOrigins, Origin};

    fn foreign(origin: &'static str) -> Origin {
        Origin::Foreign(Some(HeaderValue::from_static(origin)))
    }

    fn judge(origins: &[&str], host: &str, allowed: &str) -> Origin {
        let mut builder = Request::builder().uri("/").header("host", host);
        for origin in origins {
            builder = builder.header("origin", *origin);
        }
        let allowed = AllowedOrigins::parse(allowed.split_whitespace()).unwrap();
        Origin::of(&builder.body(()).unwrap().into_parts().0, &allowed)
    }

    fn is_allowed(origin: &str, host: &str, allowed: &str) -> bool {
        matches!(judge(&[origin], host, allowed), Origin::Allowed(echo) if echo == origin)
    }

    #[test]
    fn a_default_port_may_be_spelled_out() {
        for (origin, allowed) in [
            ("https://app.example", "https://app.example:443"),
            ("http://app.example", "http://app.example:80"),
        ] {
            assert!(is_allowed(origin, "127.0.0.1:8000", allowed), "{allowed}");
        }
        let page = "http://app.example";
        assert!(!is_allowed(
            page,
            "127.0.0.1:8000",
            "http://app.example:443"
        ));
    }

    #[test]
    fn by_default_own_host_and_loopback() {
        for origin in [
            "http://localhost:3000",
            "https://localhost",
            "http://127.0.0.1:5173",
            "http://[::1]:8080",
            "HTTP://LOCALHOST:3000",
        ] {
            assert!(is_allowed(origin, "127.0.0.1:8000", ""), "{origin}");
        }
        assert!(is_allowed("http://kafka.lan:8000", "kafka.lan:8000", ""));
        assert!(is_allowed("https://kafka.lan", "kafka.lan", ""));
        assert!(is_allowed("https://kafka.lan", "kafka.lan:443", ""));
        for origin in [
            "http://evil.example",
            "null",
            "",
            "http://localhost.evil.example",
            "http://kafka.lan:9000",
            "localhost",
            "file://localhost",
            "http://localhost@evil.example",
            "http://127.0.0.1.evil.example",
            "http://",
            "http://localhost:port",
            "http://localhost:",
            "http://localhost/",
            "http://evil.example#localhost",
            "http://localhost:3000, https://evil.example",
        ] {
            assert_eq!(
                judge(&[origin], "kafka.lan:8000", ""),
                foreign(origin),
                "{origin}"
            );
        }
        assert_eq!(judge(&[], "localhost", ""), Origin::None);
        assert_eq!(
            judge(&["http://localhost", "http://localhost"], "localhost", ""),
            Origin::Foreign(None)
        );
    }

    #[test]
    fn a_list_replaces_loopback_but_not_the_own_host() {
        let allowed = "https://app.example http://localhost:*";
        assert!(is_allowed("https://app.example", "api.example", allowed));
        assert!(is_allowed("http://localhost:1234", "api.example", allowed));
        assert!(is_allowed("http://localhost", "api.example", allowed));
        assert!(is_allowed("https://api.example", "api.example", allowed));
        for origin in [
            "http://app.example",
            "https://app.example:444",
            "https://app.example.evil",
            "http://127.0.0.1:1",
            "http://localhost.evil.example",
            "https://localhost:1",
        ] {
            assert_eq!(
                judge(&[origin], "api.example", allowed),
                foreign(origin),
                "{origin}"
            );
        }
    }

    #[test]
    fn entries_that_are_no_origins() {
        for entry in [
            "example.com",
            "*",
            "https://*",
            "ftp://a",
            "https://a/b",
            "http://a:1:*",
        ] {
            assert!(
                AllowedOrigins::parse([entry].into_iter()).is_err(),
                "{entry}"
            );
        }
    }
}
