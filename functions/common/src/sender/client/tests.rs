use axum::http::Request;
use axum::http::request::Parts;
use kafka_net::IpNet;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::sender::{client, hosts};

/// A request from loopback to loopback, plus `headers`; a header given here replaces the usual one.
fn request(headers: &[(&str, &str)]) -> Parts {
    let usual = [
        ("spin-client-addr", "127.0.0.1:50000"),
        ("host", "127.0.0.1:8000"),
    ];
    let usual = usual
        .iter()
        .filter(|(name, _)| headers.iter().all(|(given, _)| given != name));
    let mut builder = Request::builder().uri("/");
    for (name, value) in usual.chain(headers).filter(|(_, value)| *value != "(none)") {
        builder = builder.header(*name, *value);
    }
    builder.body(()).unwrap().into_parts().0
}

fn passes(headers: &[(&str, &str)]) -> bool {
    passes_with(headers, &[])
}

fn passes_with(headers: &[(&str, &str)], networks: &[&str]) -> bool {
    let names = if networks.is_empty() { "" } else { "kafka.lan" };
    let config = config(networks, names);
    match check(&request(headers), &config) {
        Ok(()) => true,
        Err(Error::Forbidden(_)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

fn config(networks: &[&str], names: &str) -> Config {
    let networks = networks.iter().map(|network| network.parse().unwrap());
    Config {
        open_clients: networks.collect::<Vec<IpNet>>(),
        allowed_hosts: hosts::AllowedHosts::parse(names.split_whitespace()).unwrap(),
        ..Config::default()
    }
}

fn check(request: &Parts, config: &Config) -> Result<()> {
    client::check(request, &config.open_clients)?;
    let lets_others_in = !config.open_clients.is_empty();
    hosts::check(
        request,
        &config.allowed_hosts,
        config.auth_mode,
        lets_others_in,
    )
}

#[test]
fn loopback_only() {
    for client in [
        "127.0.0.1:1",
        "127.8.9.1:1",
        "[::1]:1",
        "[::ffff:127.0.0.1]:1",
        "127.0.0.1",
        "::1",
    ] {
        assert!(passes(&[("spin-client-addr", client)]), "{client}");
    }
    for client in [
        "10.0.0.1:1",
        "[::ffff:10.0.0.1]:1",
        "[2001:db8::1]:1",
        "0.0.0.0:1",
        "nobody",
        "",
        "(none)",
    ] {
        assert!(!passes(&[("spin-client-addr", client)]), "{client}");
    }
    assert!(!passes(&[
        ("spin-client-addr", "127.0.0.1:1"),
        ("spin-client-addr", "127.0.0.1:2")
    ]));
}

#[test]
fn every_hop_counts() {
    for hops in [
        "127.0.0.1",
        "127.0.0.1, ::1",
        "[::1]",
        "[::1]:80,127.0.0.1:9",
    ] {
        assert!(passes(&[("x-forwarded-for", hops)]), "{hops}");
    }
    for hops in [
        "10.0.0.1",
        "127.0.0.1, 10.0.0.1",
        "10.0.0.1, 127.0.0.1",
        "unknown",
        "",
        "127.0.0.1,",
    ] {
        assert!(!passes(&[("x-forwarded-for", hops)]), "{hops}");
    }
    assert!(!passes(&[
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-for", "10.0.0.1")
    ]));
}

#[test]
fn proxies_that_hide_their_client() {
    for mark in ["grip-sig", "forwarded", "via", "x-real-ip"] {
        assert!(!passes(&[(mark, "127.0.0.1")]), "{mark}");
        assert!(
            passes(&[(mark, "127.0.0.1"), ("x-forwarded-for", "127.0.0.1")]),
            "{mark}"
        );
        assert!(
            !passes_with(&[(mark, "127.0.0.1")], &["0.0.0.0/0"]),
            "{mark}"
        );
    }
}

#[test]
fn host_must_be_loopback() {
    for host in [
        "localhost",
        "LOCALHOST:8000",
        "127.0.0.1",
        "[::1]:8000",
        "127.1.2.3:1",
    ] {
        assert!(passes(&[("host", host)]), "{host}");
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "10.0.0.1",
        "127.0.0.1.evil.example",
        "(none)",
        "a b",
    ] {
        assert!(!passes(&[("host", host)]), "{host}");
    }
    // The URI's authority counts as much as the header.
    let mut split = request(&[]);
    split.uri = "http://evil.example/".parse().unwrap();
    assert!(check(&split, &Config::default()).is_err());
    let mut authority_only = request(&[("host", "(none)")]);
    authority_only.uri = "http://localhost:8000/".parse().unwrap();
    assert!(check(&authority_only, &Config::default()).is_ok());
}

#[test]
fn open_clients_let_networks_in_under_the_names_that_are_listed() {
    let from = |client| [("spin-client-addr", client), ("host", "kafka.lan")];
    assert!(passes_with(&from("172.17.0.1:1"), &["172.17.0.0/16"]));
    assert!(passes_with(
        &from("[::ffff:172.17.0.1]:1"),
        &["172.17.0.0/16"]
    ));
    assert!(passes_with(&from("127.0.0.1:1"), &["172.17.0.0/16"]));
    assert!(!passes_with(&from("172.18.0.1:1"), &["172.17.0.0/16"]));
    let called = |host| [("spin-client-addr", "172.17.0.1:1"), ("host", host)];
    assert!(passes_with(&called("localhost:8000"), &["172.17.0.0/16"]));
    assert!(!passes_with(&called("evil.example"), &["172.17.0.0/16"]));
    // Of two names one is a lie.
    let both = [
        ("spin-client-addr", "172.17.0.1:1"),
        ("host", "kafka.lan"),
        ("host", "evil.example"),
    ];
    assert!(!passes_with(&both, &["172.17.0.0/16"]));
    // Nobody has said which they are.
    let silent = config(&["172.17.0.0/16"], "");
    for host in ["kafka.lan", "localhost:8000"] {
        assert!(check(&request(&called(host)), &silent).is_err(), "{host}");
    }
    let forwarded = [
        ("spin-client-addr", "172.17.0.1:1"),
        ("x-forwarded-for", "8.8.8.8"),
    ];
    assert!(!passes_with(&forwarded, &["172.17.0.0/16"]));
}
