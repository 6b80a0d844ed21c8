//! Where a request came from. Open mode asks: is the client this machine, or in a network the operator listed (variable
//! `open_clients`)? Token mode counts requests by it.

use std::net::IpAddr;

use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::http::uri::Authority;
use kafka_net::{IpNet, address, without_brackets};

use crate::error::{Error, Result};

/// Set by the platform. Some overwrite what a client sends under this name, Spin adds to it.
const CLIENT_ADDR: &str = "spin-client-addr";
const FORWARDED_FOR: &str = "x-forwarded-for";

/// Marks of a proxy. One that leaves such a mark but no `X-Forwarded-For` hides who its client is: what looks like
/// loopback may be the whole internet.
const PROXY_MARKS: [&str; 4] = ["grip-sig", "forwarded", "via", "x-real-ip"];

/// Refuses (403) a request that didn't come from where open mode may be used from.
pub(crate) fn check(request: &Parts, open_clients: &[IpNet]) -> Result<()> {
    let client = client_address(&request.headers)
        .ok_or_else(|| refuse("could not tell which address the request came from"))?;
    check_address(client, open_clients)?;
    for value in request.headers.get_all(FORWARDED_FOR) {
        let hops = value.to_str().map_err(|_| unreadable_hop())?;
        for hop in hops.split(',') {
            let hop = address(without_brackets(hop.trim()));
            check_address(hop.ok_or_else(unreadable_hop)?, open_clients)?;
        }
    }
    check_proxies(&request.headers)
}

/// Refuses (403) a request whose client says itself where it came from: the limits of its address would be others'.
pub(crate) fn check_unclaimed(headers: &HeaderMap) -> Result<()> {
    match headers.get_all(CLIENT_ADDR).iter().count() {
        0 | 1 => Ok(()),
        _ => Err(Error::forbidden(format!(
            "Only the server itself may say where a request came from ({CLIENT_ADDR})."
        ))),
    }
}

/// Where the request came from: the nearest address that is none of the proxies whose word counts (variable
/// `trusted_proxies`). What a client puts into `X-Forwarded-For` itself is further away than its own address, and so
/// does not count.
pub(crate) fn address_behind(headers: &HeaderMap, trusted_proxies: &[IpNet]) -> Option<IpAddr> {
    let is_trusted = |address: &IpAddr| is_in(address, trusted_proxies);
    let lines = headers.get_all(FORWARDED_FOR).into_iter().rev();
    let lines = lines.map(|line| line.to_str().unwrap_or_default());
    Some(kafka_net::client_behind(
        client_address(headers)?,
        lines,
        is_trusted,
    ))
}

/// Whether a proxy whose word counts sent the request.
pub(crate) fn is_from_proxy(headers: &HeaderMap, trusted_proxies: &[IpNet]) -> bool {
    client_address(headers).is_some_and(|address| is_in(&address, trusted_proxies))
}

fn is_in(address: &IpAddr, networks: &[IpNet]) -> bool {
    networks.iter().any(|network| network.contains(address))
}

/// The client's address, if there is exactly one: of two, one is a lie.
fn client_address(headers: &HeaderMap) -> Option<IpAddr> {
    let mut values = headers.get_all(CLIENT_ADDR).iter();
    let (value, None) = (values.next()?, values.next()) else {
        return None;
    };
    address(value.to_str().ok()?)
}

fn check_address(address: IpAddr, open_clients: &[IpNet]) -> Result<()> {
    if address.is_loopback()
        || open_clients
            .iter()
            .any(|network| network.contains(&address))
    {
        return Ok(());
    }
    Err(refuse(&format!("does not answer {address}")))
}

fn check_proxies(headers: &HeaderMap) -> Result<()> {
    if headers.contains_key(FORWARDED_FOR) {
        return Ok(());
    }
    match PROXY_MARKS.iter().find(|mark| headers.contains_key(**mark)) {
        Some(mark) => Err(Error::forbidden(format!(
            "This server runs in open mode, and the request came through a proxy ({mark}) that hides its client. Set \
             the proxy to send X-Forwarded-For.",
        ))),
        None => Ok(()),
    }
}

fn unreadable_hop() -> Error {
    refuse("could not read the addresses in X-Forwarded-For")
}

/// 403 that says why, and what to set.
fn refuse(why: &str) -> Error {
    Error::forbidden(format!(
        "This server runs in open mode, for clients on its own machine, and {why}. To let other clients in, list \
         their networks in the variable open_clients.",
    ))
}

/// `localhost` or a loopback address, with or without port.
pub(crate) fn is_loopback_name(authority: &Authority) -> bool {
    let host = authority.host();
    host.eq_ignore_ascii_case("localhost")
        || without_brackets(host)
            .parse::<IpAddr>()
            .is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests;
