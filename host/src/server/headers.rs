//! The request headers that Spin adds and components rely on.

use crate::manifest::Match;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use std::net::SocketAddr;

/// Where the request id travels, to the component and back to the client. A client's own value is replaced.
pub const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Replaces every `spin-*` header a client sent, which a component would believe, by the true ones.
pub fn add_spin_headers(headers: &mut HeaderMap, found: &Match<'_>, uri: &Uri, peer: SocketAddr) {
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().starts_with("spin-"))
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
    let mut set = |name: &str, value: &str| {
        let name = HeaderName::try_from(format!("spin-{name}"));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    };
    set("client-addr", &peer.to_string());
    set("full-url", &uri.to_string());
    set("base-path", "/");
    set("path-info", &found.path_info);
    set("matched-route", &found.matched_route);
    set("component-route", found.component_route);
    set("raw-component-route", found.raw_route);
    for (name, value) in &found.params {
        let name = name.to_ascii_lowercase().replace('_', "-");
        set(&format!("path-match-{name}"), value);
    }
}
