//! Who may call in open mode (docs/decisions.md#open-mode-and-token-mode).

use std::net::{IpAddr, UdpSocket};

use crate::support::{Response, Server, Setup, login};

#[track_caller]
fn assert_refused(response: &Response, what_to_set: &str) {
    assert_eq!(
        response.status,
        403,
        "{} {}",
        response.what,
        response.text()
    );
    let detail = response.string("/detail");
    assert!(detail.contains(what_to_set), "{detail:?} names the setting");
}

#[tokio::test]
async fn only_loopback_names_are_answered() {
    let server = Server::start().await;
    let port = server.address().rsplit(':').next().expect("a port");
    for host in ["localhost", "127.0.0.1", "[::1]", "LocalHost", "127.0.0.2"] {
        for host in [host.to_owned(), format!("{host}:{port}")] {
            let response = server.get("/").header("host", &host).send().await;
            assert_eq!(response.status, 200, "{host}: {}", response.text());
        }
    }
    for host in [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "evil.example:8000",
        "192.168.1.5",
        "0.0.0.0.evil.example",
        "[2001:db8::1]",
    ] {
        assert_refused(
            &server.get("/").header("host", host).send().await,
            "open_clients",
        );
        let body = r#"{"email":"victim@example.com"}"#;
        assert_refused(
            &server
                .post("/auth/login")
                .header("host", host)
                .json(body)
                .send()
                .await,
            "open_clients",
        );
    }
}

#[tokio::test]
async fn every_hop_must_be_loopback() {
    let server = Server::start().await;
    for hops in [
        "127.0.0.1",
        "::1",
        "127.0.0.1, 127.0.0.1",
        "127.0.0.5,::1",
        "[::1]:1234",
        "127.0.0.1:1234",
    ] {
        let response = server.get("/").header("x-forwarded-for", hops).send().await;
        assert_eq!(response.status, 200, "{hops}: {}", response.text());
    }
    for hops in [
        "203.0.113.9",
        "127.0.0.1, 203.0.113.9",
        "203.0.113.9, 127.0.0.1",
        "10.0.0.1",
        "::ffff:203.0.113.9",
        "2001:db8::1",
        "unknown",
        "_hidden",
        "localhost.evil.example",
        "127.0.0.1, ",
        "127.0.0.1 203.0.113.9",
    ] {
        assert_refused(
            &server.get("/").header("x-forwarded-for", hops).send().await,
            "open_clients",
        );
    }
    let twice = server
        .get("/")
        .header("x-forwarded-for", "127.0.0.1")
        .header("x-forwarded-for", "203.0.113.9");
    assert_refused(&twice.send().await, "open_clients");
}

#[tokio::test]
async fn a_proxy_that_hides_its_client_is_refused() {
    let server = Server::start().await;
    for (name, value) in [
        ("grip-sig", "x"),
        ("forwarded", "for=127.0.0.1"),
        ("via", "1.1 proxy"),
        ("x-real-ip", "127.0.0.1"),
    ] {
        let hidden = server.get("/").header(name, value).send().await;
        assert_eq!(hidden.status, 403, "{name}: {}", hidden.text());
        assert!(hidden.json()["detail"].is_string());
        let response = server
            .get("/")
            .header(name, value)
            .header("x-forwarded-for", "127.0.0.1")
            .send()
            .await;
        assert_eq!(response.status, 200, "{name}: {}", response.text());
    }
}

#[tokio::test]
async fn a_client_cannot_choose_its_own_address() {
    let server = Setup::app().start().await;
    let response = server
        .get("/")
        .header("spin-client-addr", "203.0.113.9:1")
        .send()
        .await;
    response.has_status(200);
}

/// An address of this machine that is not loopback, if it is on a network. Asking for the way to a
/// documentation address sends nothing.
fn outer_address() -> Option<IpAddr> {
    let socket = UdpSocket::bind("0.0.0.0:0").expect("a free port");
    socket.connect("192.0.2.1:9").ok()?;
    Some(socket.local_addr().expect("a bound address").ip())
}

#[tokio::test]
async fn a_client_that_is_not_on_loopback_is_refused_whatever_it_sends() {
    let Some(outer) = outer_address() else {
        println!("this machine has no address but loopback: no other machine can call it");
        return;
    };
    let server = Setup::app().on_all_addresses().start().await.at(outer);
    let lies = server
        .get("/")
        .header("host", "localhost")
        .header("x-forwarded-for", "127.0.0.1")
        .header("spin-client-addr", "127.0.0.1:1");
    assert_refused(&lies.send().await, "open_clients");
    server.get("/healthz").send().await.has_status(200);

    let networks = "0.0.0.0/0";
    let server = Setup::app()
        .on_all_addresses()
        .variable("open_clients", networks)
        .variable("allowed_hosts", &outer.to_string())
        .start()
        .await;
    server.at(outer).get("/").send().await.has_status(200);
}

#[tokio::test]
async fn other_clients_can_be_let_in() {
    let server = Setup::app()
        .variable("open_clients", "10.0.0.0/8, 2001:db8::/32")
        .variable("allowed_hosts", "kafka.example.com")
        .start()
        .await;
    let from = |hops: &str| server.get("/").header("x-forwarded-for", hops).send();
    for hops in [
        "10.1.2.3",
        "127.0.0.1",
        "10.1.2.3, 10.255.0.1",
        "2001:db8::7",
    ] {
        let response = from(hops).await;
        assert_eq!(response.status, 200, "{hops}: {}", response.text());
    }
    for hops in ["11.0.0.1", "10.1.2.3, 11.0.0.1", "2001:db9::1"] {
        assert_refused(&from(hops).await, "open_clients");
    }
    server
        .get("/")
        .header("host", "kafka.example.com")
        .send()
        .await
        .has_status(200);
}

/// A page that rebinds its own name to the server's address, opened by a client that may call (variable
/// `open_clients`).
#[tokio::test]
async fn a_page_that_rebinds_its_name_is_refused_where_others_may_call() {
    let server = Setup::app()
        .variable("open_clients", "10.0.0.0/8")
        .variable("allowed_hosts", "kafka.lan:8000, 192.168.1.5")
        .start()
        .await;
    let body = r#"{"email":"victim@example.com"}"#;
    let called = |host: &str| {
        let login = server.post("/auth/login").json(body).header("host", host);
        // To the browser it is the page's own server.
        let origin = format!("http://{host}");
        let login = login.header("x-forwarded-for", "10.1.2.3");
        login.header("origin", &origin).send()
    };
    for host in [
        "kafka.lan:8000",
        "KAFKA.lan:8000",
        "192.168.1.5:8000",
        "localhost:8000",
    ] {
        let answer = called(host).await;
        assert_eq!(answer.status, 200, "{host}: {}", answer.text());
    }
    let chat = {
        let user = login(&server, "victim@example.com").await;
        server.chat(&user, "The Trial").await
    };
    for host in [
        "evil.example",
        "evil.example:8000",
        "kafka.lan",
        "kafka.lan:8001",
        "kafka.lan.evil.example:8000",
        "192.168.1.50",
    ] {
        assert_refused(&called(host).await, "allowed_hosts");
        let origin = format!("http://{host}");
        let headers = [("host", host), ("origin", origin.as_str())];
        let socket = server.try_socket(&format!("/ws/{chat}"), &headers).await;
        assert_eq!(
            socket.err().map(|refused| refused.status),
            Some(403),
            "{host}"
        );
    }
    server
        .get("/healthz")
        .header("host", "evil.example")
        .send()
        .await
        .has_status(200);
}

#[tokio::test]
async fn other_hosts_are_refused_until_their_names_are_configured() {
    let server = Setup::app()
        .variable("open_clients", "10.0.0.0/8")
        .start()
        .await;
    for (host, client) in [
        ("kafka.lan:8000", "10.1.2.3"),
        ("evil.example", "10.1.2.3"),
        ("localhost:8000", "127.0.0.1"),
    ] {
        let request = server.get("/").header("host", host);
        let answer = request.header("x-forwarded-for", client).send().await;
        assert_refused(&answer, "allowed_hosts");
    }
    server.get("/healthz").send().await.has_status(200);
}

#[tokio::test]
async fn token_mode_asks_for_the_names_only_where_there_are_some() {
    let server = Setup::app()
        .variable("auth_mode", "token")
        .variable("allowed_hosts", "kafka.example")
        .start()
        .await;
    for (host, status) in [
        ("kafka.example", 200),
        ("localhost", 200),
        ("evil.example", 403),
    ] {
        let answer = server.get("/").header("host", host).send().await;
        assert_eq!(answer.status, status, "{host}: {}", answer.text());
    }
}

#[tokio::test]
async fn the_door_is_the_same_for_every_path() {
    let server = Server::start().await;
    for (method, path) in [
        ("POST", "/auth/login"),
        ("POST", "/workspace/new"),
        ("POST", "/file/upload"),
        ("GET", "/file/x/content"),
        ("POST", "/chat/new"),
        ("DELETE", "/chat/x"),
        ("PATCH", "/chat/rename"),
        ("GET", "/"),
        ("GET", "/nothing"),
        ("POST", "/auth/login/"),
        ("GET", "/auth/login"),
    ] {
        let response = server
            .request(method, path)
            .header("host", "evil.example")
            .send()
            .await;
        assert_refused(&response, "open_clients");
        let response = server
            .request(method, path)
            .header("x-forwarded-for", "203.0.113.9")
            .send()
            .await;
        assert_refused(&response, "open_clients");
        let response = server
            .request(method, path)
            .header("origin", "https://evil.example")
            .send()
            .await;
        assert_refused(&response, "allowed_origins");
    }
}
