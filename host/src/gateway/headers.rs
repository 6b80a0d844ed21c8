//! Which headers pass through the gateway.

use crate::network::FORWARDED_FOR;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use kafka_grip::{
    BYTES_ACCEPTED, CONNECTION_ID, EXTENSIONS, GRIP_SIG, KEEP_ALIVE_INTERVAL, META, SET_META,
};
use std::net::IpAddr;

/// Headers about one connection, not about the message (RFC 9110, section 7.6.1, and its predecessors).
const HOP_BY_HOP: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// The elements of a list header, which may come in several lines (RFC 9110, section 5.6.1).
pub fn elements<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter();
    lines
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(','))
        .map(str::trim)
}

/// Removes the headers of one connection: the well-known names, and those that `Connection` names.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = elements(headers, &header::CONNECTION)
        .filter_map(|name| HeaderName::try_from(name).ok())
        // A client must not be able to remove the headers with its address.
        .filter(|name| *name != FORWARDED_FOR && *name != header::HOST)
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Whether a request came through a proxy that hides the address of its client.
pub fn hides_client(headers: &HeaderMap) -> bool {
    const MARKS: [&str; 3] = ["forwarded", "via", "x-real-ip"];
    !headers.contains_key(FORWARDED_FOR) && MARKS.iter().any(|mark| headers.contains_key(*mark))
}

/// Adds the client's address to those the request came from. If that is a proxy which hides its own client, that one is
/// unknown: otherwise the proxy's address would pass for the client's.
pub fn add_forwarded_for(headers: &mut HeaderMap, client: IpAddr, hidden: bool) {
    let mut hops: Vec<u8> = Vec::new();
    if hidden {
        hops.extend_from_slice(b"unknown, ");
    }
    for value in headers.get_all(&FORWARDED_FOR) {
        hops.extend_from_slice(value.as_bytes());
        hops.extend_from_slice(b", ");
    }
    hops.extend_from_slice(client.to_canonical().to_string().as_bytes());
    if let Ok(value) = HeaderValue::from_bytes(&hops) {
        headers.insert(FORWARDED_FOR, value);
    }
}

/// Removes headers that only the host of the backend may set: Spin adds its values to those of a client.
pub fn remove_claims(headers: &mut HeaderMap) {
    remove(headers, |name| name.starts_with("spin-"));
}

/// The headers of a socket's event requests: its client's, without those that only the gateway may set and those of the
/// handshake.
pub fn for_events(client: &HeaderMap) -> HeaderMap {
    let mut headers = client.clone();
    remove_hop_by_hop(&mut headers);
    remove_claims(&mut headers);
    remove(&mut headers, |name| {
        name.starts_with(META)
            || name.starts_with(SET_META)
            || name.starts_with("content-")
            || (name.starts_with("sec-websocket-") && name != "sec-websocket-protocol")
    });
    for name in [
        header::ACCEPT,
        header::ACCEPT_ENCODING,
        header::EXPECT,
        CONNECTION_ID,
        GRIP_SIG,
    ] {
        headers.remove(name);
    }
    headers
}

/// The headers of the backend's answer to a handshake, as far as they are for the client.
pub fn for_client(mut headers: HeaderMap) -> HeaderMap {
    remove_hop_by_hop(&mut headers);
    remove(&mut headers, |name| name.starts_with(SET_META));
    for name in [
        header::CONTENT_LENGTH,
        header::DATE,
        EXTENSIONS,
        KEEP_ALIVE_INTERVAL,
        BYTES_ACCEPTED,
    ] {
        headers.remove(name);
    }
    headers
}

fn remove(headers: &mut HeaderMap, unwanted: impl Fn(&str) -> bool) {
    let names: Vec<HeaderName> = headers
        .keys()
        .filter(|name| unwanted(name.as_str()))
        .cloned()
        .collect();
    for name in names {
        headers.remove(name);
    }
}

#[cfg(test)]
mod tests {
    use super::{add_forwarded_for, for_events, hides_client, remove_hop_by_hop};
    use http::{HeaderMap, HeaderName, HeaderValue};

    fn map(headers: &[(&'static str, &'static str)]) -> HeaderMap {
        headers
            .iter()
            .map(|(name, value)| {
                let name = HeaderName::from_static(name);
                (name, HeaderValue::from_static(value))
            })
            .collect()
    }

    #[test]
    fn headers_of_one_connection_stay_there() {
        let mut headers = map(&[
            ("connection", "close, X-Mine"),
            ("x-mine", "1"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("accept", "*/*"),
        ]);
        remove_hop_by_hop(&mut headers);
        assert_eq!(headers, map(&[("accept", "*/*")]));
        let mut sly = map(&[("connection", "x-forwarded-for, host"), ("host", "a")]);
        remove_hop_by_hop(&mut sly);
        assert_eq!(sly, map(&[("host", "a")]));
    }

    #[test]
    fn a_hop_is_added_to_those_before() {
        let mut headers = map(&[("x-forwarded-for", "192.0.2.1")]);
        add_forwarded_for(&mut headers, [127, 0, 0, 1].into(), false);
        assert_eq!(headers, map(&[("x-forwarded-for", "192.0.2.1, 127.0.0.1")]));

        assert!(!hides_client(&headers));
        let mut hidden = map(&[("x-real-ip", "192.0.2.1")]);
        assert!(hides_client(&hidden));
        add_forwarded_for(&mut hidden, [127, 0, 0, 1].into(), true);
        assert_eq!(hidden["x-forwarded-for"], "unknown, 127.0.0.1");
    }

    #[test]
    fn a_client_can_not_speak_as_the_gateway() {
        let headers = map(&[
            ("origin", "http://localhost"),
            ("cookie", "a=b"),
            ("sec-websocket-protocol", "kafka.v2"),
            ("sec-websocket-key", "x"),
            ("sec-websocket-extensions", "grip"),
            ("meta-session", "forged"),
            ("set-meta-session", "forged"),
            ("connection-id", "forged"),
            ("grip-sig", "forged"),
            ("spin-client-addr", "forged"),
            ("content-type", "text/plain"),
        ]);
        let kept = map(&[
            ("origin", "http://localhost"),
            ("cookie", "a=b"),
            ("sec-websocket-protocol", "kafka.v2"),
        ]);
        assert_eq!(for_events(&headers), kept);
    }
}
