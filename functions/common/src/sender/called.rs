//! Under which address a client reaches the server: what addresses in answers begin with.

use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::http::uri::Authority;

use super::client::is_from_proxy;
use super::origins::own_host;
use crate::config::Config;

/// The variable `public_url`, else the scheme and the name by which the client called: those that a trusted proxy
/// forwards, or `http` and `Host`. Empty where that is not known: what follows it is a path.
pub(crate) fn address(request: &Parts, config: &Config) -> String {
    if let Some(url) = &config.public_url {
        return url.clone();
    }
    let headers = &request.headers;
    let proxied = is_from_proxy(headers, &config.trusted_proxies);
    let forwarded = |name| first(headers, name).filter(|_| proxied);
    let host = forwarded("x-forwarded-host").and_then(|host| host.parse::<Authority>().ok());
    let Some(host) = host.or_else(|| own_host(headers, &request.uri)) else {
        return String::new();
    };
    let scheme = match forwarded("x-forwarded-proto") {
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

    fn of(headers: &[(&str, &str)], public_url: Option<&str>) -> String {
        let mut request = Request::builder().uri("/");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let config = Config {
            trusted_proxies: vec!["127.0.0.0/8".parse().unwrap()],
            public_url: public_url.map(str::to_owned),
            ..Config::default()
        };
        address(&request.body(()).unwrap().into_parts().0, &config)
    }

    #[test]
    fn a_trusted_proxy_says_how_the_client_called() {
        let (near, far) = (
            ("spin-client-addr", "127.0.0.1:5"),
            ("spin-client-addr", "192.0.2.1:5"),
        );
        let host = ("host", "a.example:8000");
        let proxy = [
            ("x-forwarded-proto", "https, http"),
            ("x-forwarded-host", "b.example"),
        ];
        assert_eq!(of(&[near, host], None), "http://a.example:8000");
        assert_eq!(of(&[near, host, proxy[0]], None), "https://a.example:8000");
        assert_eq!(
            of(&[near, host, proxy[0], proxy[1]], None),
            "https://b.example"
        );
        assert_eq!(
            of(&[far, host, proxy[0], proxy[1]], None),
            "http://a.example:8000"
        );
        assert_eq!(
            of(&[near, host, ("x-forwarded-host", "b/c")], None),
            "http://a.example:8000"
        );
        assert_eq!(of(&[near], None), "");
        let url = "https://c.example/api";
        assert_eq!(of(&[near, host, proxy[1]], Some(url)), url);
    }
}
