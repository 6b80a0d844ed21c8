//! The hosts that Spin's `allowed_outbound_hosts` grants and refuses, in tables.

use super::OutboundHosts;

fn list(entries: &[&str]) -> anyhow::Result<OutboundHosts> {
    OutboundHosts::parse(
        &entries
            .iter()
            .map(|entry| (*entry).to_owned())
            .collect::<Vec<_>>(),
    )
}

#[test]
fn allows_listed_hosts() {
    for (entry, scheme, host, port) in [
        ("http://example.com", "http", "example.com", 80),
        ("https://example.com/", "https", "example.com", 443),
        ("http://example.com:8080", "http", "Example.COM", 8080),
        ("http://example.com:8080/", "http", "example.com", 8080),
        ("*://example.com:*", "ftp", "example.com", 1),
        ("*://*:*", "https", "anything", 65535),
        ("https://*", "https", "anything", 443),
        ("https://*.example.com", "https", "a.b.example.com", 443),
        ("http://localhost:3000..3002", "http", "localhost", 3001),
        ("http://127.0.0.1:5561", "http", "127.0.0.1", 5561),
        ("http://[::1]:5561", "http", "[::1]", 5561),
        ("*://10.1.2.3/8:*", "http", "10.255.0.1", 8),
        ("http://192.168.0.0/16", "http", "192.168.7.7", 80),
        ("*://0.0.0.0/0:*", "http", "8.8.8.8", 1),
        (" http://example.com ", "http", "example.com", 80),
    ] {
        assert!(
            list(&[entry]).expect(entry).allows(scheme, host, port),
            "{entry} {scheme} {host} {port}"
        );
    }
}

#[test]
fn refuses_all_else() {
    for (entry, scheme, host, port) in [
        ("http://example.com", "https", "example.com", 443),
        ("http://example.com", "http", "example.com", 8080),
        ("http://example.com", "http", "example.com.evil.org", 80),
        ("http://example.com", "http", "a.example.com", 80),
        ("https://*.example.com", "https", "example.com", 443),
        ("https://*.example.com", "https", "evilexample.com", 443),
        ("http://localhost:3000..3002", "http", "localhost", 3002),
        ("http://127.0.0.1:5561", "http", "localhost", 5561),
        ("http://127.0.0.1:5561", "http", "2130706433", 5561),
        ("http://127.0.0.1:5561", "http", "127.1", 5561),
        ("*://10.0.0.0/8:*", "http", "11.0.0.1", 80),
        ("*://10.0.0.0/8:*", "http", "10.evil.org", 80),
        ("*://10.0.0.0/8:*", "http", "[::ffff:10.0.0.1]", 80),
    ] {
        assert!(
            !list(&[entry]).expect(entry).allows(scheme, host, port),
            "{entry} {scheme} {host} {port}"
        );
    }
    assert!(!OutboundHosts::default().allows("http", "example.com", 80));
}

#[test]
fn any_entry_may_match() {
    let hosts = list(&["http://a.example", "http://b.example"]).expect("valid");
    assert!(hosts.allows("http", "a.example", 80) && hosts.allows("http", "b.example", 80));
}

#[test]
fn errors_name_the_entry() {
    for entry in [
        "",
        "*",
        "example.com",
        "insecure:allow-all",
        "http://example.com/path",
        "http://example.com:80/path",
        "http://example.com:port",
        "http://example.com:65536",
        "http://example.com:1..x",
        "http://*.*.com",
        "http://a*.com",
        "http://",
        "ht+tp://example.com:80",
        "ftp://example.com",
        "http://self",
        "http://10.0.0.0/33",
    ] {
        let error = list(&[entry]).expect_err(entry).to_string();
        assert!(error.contains(&format!("{entry:?}")), "{error}");
    }
}
