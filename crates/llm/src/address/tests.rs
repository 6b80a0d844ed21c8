//! Which base URLs may be called, decided from the URL alone (docs/promises.md#3-addresses-of-models).

use std::net::Ipv4Addr;

use kafka_net::is_special;
use proptest::prelude::*;

use super::{Policy, check_base_url};
use crate::random::{cases, text};

const GATEWAY: &str = "http://127.0.0.1:5561";

fn open() -> Policy {
    Policy {
        own: vec![GATEWAY.to_owned(), "https://kafka.example".to_owned()],
        allow_private: true,
    }
}

fn closed() -> Policy {
    Policy {
        allow_private: false,
        ..open()
    }
}

#[test]
fn ordinary_addresses() {
    for (given, called) in [
        ("https://api.openai.com/v1", "https://api.openai.com/v1"),
        (" https://api.openai.com/v1/ ", "https://api.openai.com/v1"),
        ("https://api.openai.com/v1//", "https://api.openai.com/v1"),
        ("https://api.openai.com", "https://api.openai.com"),
        ("HTTPS://API.OpenAI.com:443/v1", "https://api.openai.com/v1"),
        ("http://example.com:8080/a/b", "http://example.com:8080/a/b"),
        (
            "https://api.openai.com/v1/chat/completions",
            "https://api.openai.com/v1",
        ),
        (
            "https://xn--bcher-kva.example/v1",
            "https://xn--bcher-kva.example/v1",
        ),
        ("http://16843009/v1", "http://1.1.1.1/v1"),
        (
            "https://[2606:4700::1111]/v1",
            "https://[2606:4700::1111]/v1",
        ),
        ("https://1.1.1.1/v1", "https://1.1.1.1/v1"),
        ("https://api.example.com./v1", "https://api.example.com./v1"),
    ] {
        let url = check_base_url(given, &closed()).unwrap_or_else(|why| panic!("{given}: {why}"));
        let completions = format!("{called}/chat/completions");
        assert_eq!(url.chat_completions().to_string(), completions);
    }
}

#[test]
fn private_addresses_depend_on_the_policy() {
    for url in [
        "http://127.0.0.1:11434/v1",
        "http://127.1/v1",
        "http://127.0.0.1./v1",
        "http://2130706433/v1",
        "http://0x7f000001/v1",
        "http://0x7f.0.0.1/v1",
        "http://0177.0.0.1/v1",
        "http://017700000001/v1",
        "http://0/v1",
        "http://0.0.0.0:1234/v1",
        "http://10.1.2.3/v1",
        "http://172.16.0.1/v1",
        "http://172.31.255.255/v1",
        "http://192.168.1.1/v1",
        "http://169.254.169.254/latest",
        "http://0xa9fea9fe/latest",
        "http://100.64.0.1/v1",
        "http://100.127.255.255/v1",
        "http://198.18.0.1/v1",
        "http://192.0.0.192/v1",
        "http://192.88.99.1/v1",
        "http://224.0.0.1/v1",
        "http://255.255.255.255/v1",
        "http://[::1]:8080/v1",
        "http://[::]/v1",
        "http://[0:0:0:0:0:0:0:1]/v1",
        "http://[::ffff:127.0.0.1]/v1",
        "http://[::ffff:7f00:1]/v1",
        "http://[::ffff:10.0.0.1]/v1",
        "http://[::127.0.0.1]/v1",
        "http://[fd00::1]/v1",
        "http://[fc00::1]/v1",
        "http://[fe80::1]/v1",
        "http://[fec0::1]/v1",
        "http://[ff02::1]/v1",
        "http://[64:ff9b::7f00:1]/v1",
        "http://[64:ff9b::10.0.0.1]/v1",
        "http://[64:ff9b:1::1]/v1",
        "http://[2002:7f00:1::]/v1",
        "http://[2001::1]/v1",
        "http://[2001:db8::1]/v1",
        "http://[3fff::1]/v1",
        "http://[5f00::1]/v1",
        "http://localhost:11434/v1",
        "http://LOCALHOST/v1",
        "http://localhost./v1",
        "http://a.localhost/v1",
        "http://ollama:11434/v1",
        "http://printer.local/v1",
        "http://metadata.google.internal/v1",
        "http://box.home.arpa/v1",
    ] {
        assert!(check_base_url(url, &closed()).is_err(), "{url}");
        assert!(check_base_url(url, &open()).is_ok(), "{url}");
    }
}

#[test]
fn neighbours_of_private_addresses_are_public() {
    for url in [
        "http://9.255.255.255/",
        "http://11.0.0.0/",
        "http://100.63.255.255/",
        "http://100.128.0.0/",
        "http://126.255.255.255/",
        "http://128.0.0.0/",
        "http://169.253.0.1/",
        "http://172.15.255.255/",
        "http://172.32.0.0/",
        "http://192.167.255.255/",
        "http://192.169.0.0/",
        "http://223.255.255.255/",
        "http://[2001:200::1]/",
        "http://[2003::1]/",
        "http://[::ffff:1.1.1.1]/",
        "http://notlocalhost.com/",
        "http://localhost.example.com/",
        "http://internal.example.com/",
    ] {
        assert!(check_base_url(url, &closed()).is_ok(), "{url}");
    }
}

#[test]
fn refused_whatever_the_policy() {
    for url in [
        "",
        "api.openai.com/v1",
        "//api.openai.com/v1",
        "http:api.openai.com/v1",
        "http:/api.openai.com",
        "http://",
        "http:///v1",
        "ftp://example.com/",
        "file:///etc/passwd",
        "unix:///var/run/docker.sock",
        "gopher://example.com/",
        "javascript:alert(1)",
        "data:text/plain,x",
        "http+unix://socket/",
        "https://user@example.com/v1",
        "https://user:password@example.com/v1",
        "https://:@example.com/v1",
        "https://@example.com/v1",
        "https://example.com/v1?key=1",
        "https://example.com/v1?",
        "https://example.com/v1#a",
        "https://example.com/v1#",
        "https://example.com\\@127.0.0.1/",
        "https://exa mple.com/",
        "https://exa\tmple.com/",
        "https://example.com/\r\nX: y",
        "http://%6cocalhost/v1",
        "http://ⓛⓞⓒⓐⓛhost/v1",
        "http://１２７.0.0.1/v1",
        "https://bücher.example/v1",
        "https://example.com/vé",
        "https://example.com:99999/",
        "https://example.com:0/",
        "http://1.2.3.4.5/",
        "http://256.1.1.1/",
        "http://0x100000000/",
        "http://1.256.1/",
        "http://1.0x1000000/",
        "http://08.0.0.1/",
        "http://a.1/",
        "http://1.-2.3.4/",
        "http://a..b/",
        "http://.a/",
        "http://./",
        "http://a,b/",
        "http://a:+1/",
        "http://a:1:2/",
        "http://[127.0.0.1]/",
        "http://[]/",
        "http://[::1]a/",
        "http://[::1/",
        "http://[fe80::1%25eth0]/",
        "http://a..spin.internal:x/",
        // Our own parts.
        "http://relay.spin.internal/",
        "https://RELAY.Spin.Internal./v1",
        "http://relay.spin.internal:8080",
        "http://spin.internal/",
        "http://a.b.spin.internal",
        "http://relay.spin%2einternal/",
        "http://relay.spin。internal/",
        "http://self.alt/v1",
        "http://SELF.ALT.:80/v1",
        "http://a.self.alt/",
        // The gateway.
        "http://127.0.0.1:5561/",
        "https://127.0.0.1:5561/v1",
        "http://127.0.0.2:5561",
        "http://localhost:5561/v1",
        "http://x.localhost.:5561/v1",
        "http://0.0.0.0:5561",
        "http://2130706433:5561",
        "http://[::1]:5561",
        "http://[::]:5561",
        "http://[::ffff:127.0.0.1]:5561",
        "http://[64:ff9b::127.0.0.1]:5561",
    ] {
        assert!(check_base_url(url, &open()).is_err(), "{url}");
        assert!(check_base_url(url, &closed()).is_err(), "{url}");
    }
    let long = format!("https://example.com/{}", "a".repeat(3000));
    assert!(check_base_url(&long, &open()).is_err());
    let name = format!("http://{}example/", "a.".repeat(200));
    assert!(check_base_url(&name, &open()).is_err());
}

#[test]
fn the_gateway_can_be_elsewhere() {
    let policy = Policy {
        own: vec!["http://Pushpin.example".to_owned()],
        allow_private: true,
    };
    assert!(check_base_url("http://pushpin.example./v1", &policy).is_err());
    assert!(check_base_url("http://pushpin.example:80/v1", &policy).is_err());
    assert!(check_base_url("http://pushpin.example:81/v1", &policy).is_ok());
    assert!(check_base_url("http://127.0.0.1:5561/v1", &policy).is_ok());

    let none = Policy {
        own: vec![String::new()],
        allow_private: true,
    };
    assert!(check_base_url("http://127.0.0.1:5561/v1", &none).is_ok());
}

/// The spellings that browsers know of one address, in parts of all lengths and systems.
fn spellings(address: u32) -> Vec<String> {
    let [a, b, c, d] = address.to_be_bytes();
    let (last_two, last_three) = (address & 0xffff, address & 0xff_ffff);
    let mapped = Ipv4Addr::from(address).to_ipv6_mapped();
    vec![
        format!("{a}.{b}.{c}.{d}"),
        format!("{a}.{b}.{c}.{d}."),
        format!("{address}"),
        format!("{address:#x}"),
        format!("0X{address:X}"),
        format!("0{address:o}"),
        format!("{a:#x}.0{b:o}.{last_two}"),
        format!("0{a:o}.{last_three:#x}"),
        format!("[{mapped}]"),
        format!("[::ffff:{a}.{b}.{c}.{d}]"),
    ]
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn every_spelling_of_an_ipv4_address_is_checked(address: u32) {
        let special = is_special(Ipv4Addr::from(address).into());
        for host in spellings(address) {
            let url = format!("http://{host}:8000/v1");
            prop_assert_eq!(check_base_url(&url, &closed()).is_err(), special, "{}", url);
        }
    }

    #[test]
    fn any_text_is_no_panic_and_every_accepted_address_is_allowed(url in text(
        &[
            "http://", "https://", "HTTP:", "/", ":", "@", "?", "#", "%", "[", "]", "::1", ".", "..", "1", "0x7f", "0",
            "localhost", "example", ".com", "xn--", "%2e", "\\", " ", "\t", "ä", "{", "|", "chat/completions", ":80",
        ],
        8,
    )) {
        for policy in [open(), closed()] {
            if let Ok(base) = check_base_url(&url, &policy) {
                let called = base.chat_completions().to_string();
                prop_assert_eq!(check_base_url(&called, &policy), Ok(base));
            }
        }
    }
}
