//! The part of docs/promises.md#3-addresses-of-models that only the host can keep: resolved names. What a URL itself
//! says is in `token::models` and `realtime::ssrf`.

use crate::support::Setup;

/// Addresses of IANA's special registries that fewer lists contain than private networks.
#[tokio::test]
async fn special_addresses_are_not_called() {
    let setup = Setup::trouble().variable("allow_private_models", "false");
    let server = setup.start().await;
    for address in [
        "192.88.99.1",
        "192.0.0.9",
        "192.31.196.1",
        "[100:0:0:1::1]",
        "[2001:2::1]",
        "[2001:20::1]",
        "[3fff::1]",
        "[5f00::1]",
        "[64:ff9b:1::1]",
    ] {
        let path = format!("/relay/outbound?url=http://{address}:9/ok");
        let answer = server.get(&path).send().await;
        assert_eq!(answer.status, 500, "{address}: {}", answer.text());
        let address = address.trim_start_matches('[').trim_end_matches(']');
        server.logs(&format!("{address} is private")).await;
    }
}

#[tokio::test]
async fn names_of_private_addresses_are_called_only_where_that_is_allowed() {
    for (allowed, mode, is_called) in [
        ("", "token", false),
        ("", "open", true),
        ("true", "token", true),
        ("false", "open", false),
    ] {
        let what = format!("allow_private_models={allowed:?} in {mode} mode");
        let setup = Setup::trouble().variable("allow_private_models", allowed);
        let server = setup.variable("auth_mode", mode).start().await;
        let here = server.address().replace("127.0.0.1", "localhost");
        let path = format!("/relay/outbound?url=http://{here}/ok");
        let answer = server.get(&path).send().await;
        let log = server.log_so_far().await;
        let calls = log.matches("path=\"/ok\"").count();
        if is_called {
            assert_eq!((answer.text(), calls), ("status 200", 1), "{what}");
        } else {
            assert_eq!((answer.status, calls), (500, 0), "{what}");
            assert!(answer.text().starts_with("failed: "), "{what}: {answer:?}");
            assert!(log.contains("is private"), "{what}:\n{log}");
        }
    }
}
