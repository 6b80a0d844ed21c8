//! Under which address a client reaches the server: what addresses in answers begin with.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::http::uri::Authority;

use super::client::is_from_proxy;
use super::hosts::is_plain;
use super::origins::own_host;
use crate::config::Config;

/// The variable `public_url`, else the scheme and the name by which the client called: those that a trusted proxy
/// forwards, or those of the request. Empty where that is not known: what follows it is a path.
///
/// A name is what a stranger says: one that `allowed_hosts` does not allow is not taken from a proxy (in `Host` it was
/// refused before), and none with anything beside a name or address and its port.
pub(crate) fn address(request: &Parts, config: &Config) -> String {
    if let Some(url) = &config.public_url {
        return url.clone();
    }
    let headers = &request.headers;
    let proxied = is_from_proxy(headers, &config.trusted_proxies);
    let forwarded = |name| first(headers, name).filter(|_| proxied);
    let host = forwarded("x-forwarded-host")
        .and_then(|host| host.parse::<Authority>().ok())
        .filter(|host| is_plain(host) && config.allowed_hosts.may_be(host));
    let own = || own_host(headers, &request.uri).filter(is_plain);
    let Some(host) = host.or_else(own) else {
        return String::new();
    };
    let scheme = forwarded("x-forwarded-proto").or_else(|| request.uri.scheme_str());
    let scheme = match scheme {
        Some(scheme) if scheme.eq_ignore_ascii_case("https") => "https",
        _ => "http",
    };
    format!("{scheme}://{host}")
}

/// The first entry of a header that proxies append to: what the one next to the client said.
fn first<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let entry = headers.get(name)?.to_str().ok()?.split(',').next()?.trim();
    Some(entry).filter(|entry| !entry.is_empty())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::address;
    use crate::config::Config;
    use crate::sender::hosts::AllowedHosts;

    const NEAR: (&str, &str) = ("spin-client-addr", "127.0.0.1:5");
    const FAR: (&str, &str) = ("spin-client-addr", "192.0.2.1:5");
    const HOST: (&str, &str) = ("host", "a.example:8000");
    const PROTO: (&str, &str) = ("x-forwarded-proto", "https, http");
    const FORWARDED: (&str, &str) = ("x-forwarded-host", "b.example");

    fn of(headers: &[(&str, &str)], change: impl FnOnce(&mut Config)) -> String {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut config = Config {
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            ..Config::default()
        };
        change(&mut config);
        address(&request.body(()).unwrap().into_parts().0, &config)
    }

    fn plainly(headers: &[(&str, &str)]) -> String {
        of(headers, |_| {})
    }

    #[test]
    fn a_trusted_proxy_says_how_the_client_called() {
        assert_eq!(plainly(&[NEAR, HOST]), "http://a.example:8000");
        assert_eq!(plainly(&[NEAR, HOST, PROTO]), "https://a.example:8000");
        let forwarded = plainly(&[NEAR, HOST, PROTO, FORWARDED]);
        assert_eq!(forwarded, "https://b.example");
        let untrusted = plainly(&[FAR, HOST, PROTO, FORWARDED]);
        assert_eq!(untrusted, "http://a.example:8000");
        assert_eq!(plainly(&[HOST, PROTO, FORWARDED]), "http://a.example:8000");
        assert_eq!(plainly(&[NEAR]), "");
    }

    #[test]
    fn the_operator_says_it_better() {
        let url = "https://c.example/api";
        let public = of(&[NEAR, HOST, FORWARDED], |config| {
            config.public_url = Some(url.to_owned());
        });
        assert_eq!(public, url);
    }

    #[test]
    fn only_allowed_names_are_forwarded() {
        for (allowed, base) in [
            ("a.example:8000", "http://a.example:8000"),
            ("a.example b.example", "http://b.example"),
        ] {
            let called = of(&[NEAR, HOST, FORWARDED], |config| {
                let names = allowed.split_whitespace();
                config.allowed_hosts = AllowedHosts::parse(names).unwrap();
            });
            assert_eq!(called, base);
        }
    }

    #[test]
    fn what_is_no_plain_name_is_no_address() {
        for host in [
            "b.example/c",
            "b.example:x",
            "b.example:",
            "b.example:*",
            "a@b.example",
            "b.example'onload='x",
            "b(example)",
            "[::1",
            "*",
        ] {
            let forwarded = plainly(&[NEAR, HOST, ("x-forwarded-host", host)]);
            assert_eq!(forwarded, "http://a.example:8000", "{host}");
            assert_eq!(plainly(&[NEAR, ("host", host)]), "", "{host}");
        }
        for host in [
            "B.example",
            "b_c.example:1",
            "[2001:db8::7]:8000",
            "192.0.2.7",
        ] {
            let base = format!("http://{host}");
            assert_eq!(plainly(&[NEAR, ("host", host)]), base);
        }
    }
}
