//! The request headers that Spin adds and components rely on.

use crate::{gateway::headers::remove_claims, manifest::Match};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use std::net::SocketAddr;

/// Where the request id travels to the component. A client's own value is replaced.
pub const TO_COMPONENT: HeaderName = HeaderName::from_static("kafka-request-id");
/// Where it travels to the client.
pub const TO_CLIENT: HeaderName = HeaderName::from_static("x-request-id");

/// Has the value `full` when the disk is full, which components can't see. A client's own is removed.
const DISK: HeaderName = HeaderName::from_static("kafka-disk");

const CLIENT_ADDR: HeaderName = HeaderName::from_static("spin-client-addr");
const FULL_URL: HeaderName = HeaderName::from_static("spin-full-url");
const BASE_PATH: HeaderName = HeaderName::from_static("spin-base-path");
const PATH_INFO: HeaderName = HeaderName::from_static("spin-path-info");
const MATCHED_ROUTE: HeaderName = HeaderName::from_static("spin-matched-route");
const COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-component-route");
const RAW_COMPONENT_ROUTE: HeaderName = HeaderName::from_static("spin-raw-component-route");

/// Replaces every `spin-*` header a client sent, which a component would believe, by the true ones.
pub fn add_spin_headers(headers: &mut HeaderMap, found: &Match<'_>, uri: &Uri, peer: SocketAddr) {
    remove_claims(headers);
    let mut set = |name: HeaderName, value: &str| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(name, value);
        }
    };
    set(CLIENT_ADDR, &peer.to_string());
    set(FULL_URL, &uri.to_string());
    set(BASE_PATH, "/");
    set(PATH_INFO, &found.path_info);
    set(MATCHED_ROUTE, &found.matched_route);
    set(COMPONENT_ROUTE, found.component_route);
    set(RAW_COMPONENT_ROUTE, found.raw_route);
    for (name, value) in &found.params {
        let name = name.to_ascii_lowercase().replace('_', "-");
        if let Ok(name) = HeaderName::try_from(format!("spin-path-match-{name}")) {
            set(name, value);
        }
    }
}

/// Informs the component that the disk is full.
pub fn add_disk(headers: &mut HeaderMap, is_full: bool) {
    headers.remove(DISK);
    if is_full {
        headers.insert(DISK, HeaderValue::from_static("full"));
    }
}
