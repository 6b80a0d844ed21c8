//! Models are at public addresses (docs/promises.md#3-addresses-of-models), unless the operator allows others.

use serde_json::json;

use super::{Person, Town};
use crate::support::{FakeModel, Listener, Request, Setup};

/// A host in the spelling of a URL, for each way to name this machine, its networks, and the addresses inside of them.
const PRIVATE: [&str; 42] = [
    "127.0.0.1",
    "127.8.9.10",
    "127.255.255.254",
    "0.0.0.0",
    "0.1.2.3",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "10.0.0.1",
    "10.255.255.255",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "169.254.169.254",
    "100.64.0.1",
    "100.127.255.255",
    "[fc00::1]",
    "[fd00::1]",
    "[fe80::1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::ffff:10.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::10.0.0.1]",
    // Decimal, hexadecimal and octal, whole and in parts.
    "2130706433",
    "0x7f000001",
    "017700000001",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.0.0.01",
    "0",
    // With a dot at the end.
    "127.0.0.1.",
    "0x7f000001.",
    "localhost.",
    // Names that only ever mean something inside.
    "localhost",
    "LOCALHOST",
    "a.localhost",
    "metadata.google.internal",
];

/// Addresses that no setting allows: parts of this server, users and passwords, and addresses that no model has.
const NOBODYS: [&str; 21] = [
    "http://auth.spin.internal/v1",
    "http://AUTH.Spin.Internal/v1",
    "https://auth.spin.internal./v1",
    "http://auth.spin.internal:80/v1",
    "http://spin.internal/v1",
    "http://nothing.spin.internal/v1",
    "http://reply.spin.internal/v1",
    "http://extract.spin.internal/text",
    "http://self.alt/v1",
    "http://user@models.example/v1",
    "https://user:password@models.example/v1",
    "http://models.example@127.0.0.1/v1",
    "ftp://models.example/v1",
    "file:///etc/passwd",
    "gopher://models.example/",
    "javascript:alert(1)",
    "//models.example/v1",
    "http:models.example/v1",
    "http:///v1",
    "http://models.example/v1?x=1",
    "http://models.example/v1#x",
];

/// Ways to name this machine that a connection could be made with.
const HERE: [&str; 12] = [
    "127.0.0.1",
    "127.8.9.10",
    "127.1",
    "2130706433",
    "0x7f000001",
    "017700000001",
    "0177.0.0.1",
    "0.0.0.0",
    "localhost",
    "localhost.",
    "[::1]",
    "[::ffff:127.0.0.1]",
];

const NAME: &str = "fake-words-2-rate-0";

/// Gives a model another address, and a key for it.
fn change(town: &Town, person: &Person, model: &str, base_url: &str) -> Request {
    let form = [("base_url", base_url), ("ak", "sk-2")];
    let request = town.server.patch(&format!("/models/{model}"));
    request.by(person).form(&form)
}

/// Fails unless no user gets a model at these addresses, neither a new one nor an existing one.
async fn are_refused(town: &Town, urls: &[String]) {
    let josef = town.person("josef@example.com").await;
    let model = josef.model(town, NAME, "https://models.example/v1").await;
    let before = town.server.database().await.dump().await;
    for url in urls {
        let (new, changed) = (
            josef.save_model(town, url, url).await,
            change(town, &josef, &model, url).send().await,
        );
        for refused in [new, changed] {
            assert_eq!(refused.status, 422, "{url}: {refused:?}");
            assert_eq!(refused.string("/detail/0/loc/1"), "base_url", "{url}");
        }
    }
    assert_eq!(town.server.database().await.dump().await, before);
    // So it was the address.
    let elsewhere = "https://models.example/v2";
    change(town, &josef, &model, elsewhere)
        .send()
        .await
        .has_status(200);
}

#[tokio::test]
async fn models_have_public_addresses_unless_the_operator_allows_others() {
    let listener = Listener::start();
    let town = Town::with(Setup::app().variable("rate_limits", "")).await;
    let port = listener.port();
    let mut urls = NOBODYS.map(str::to_owned).to_vec();
    for scheme in ["http", "https"] {
        urls.extend(PRIVATE.map(|host| format!("{scheme}://{host}:{port}/v1")));
        urls.extend(PRIVATE.map(|host| format!("{scheme}://{host}/v1")));
        urls.push(format!("{scheme}://user@127.0.0.1:{port}/v1"));
        urls.push(format!("{scheme}://{}/v1", town.server.address()));
    }
    are_refused(&town, &urls).await;
    listener.has_no_connection("a model was saved");
}

#[tokio::test]
async fn a_model_is_never_the_server_itself() {
    // The gateway's control port, which models may not be at either.
    let listener = Listener::start();
    let control = format!("http://127.0.0.1:{}", listener.port());
    let setup = Setup::app()
        .variable("allow_private_models", "true")
        .variable("grip_url", &format!("{control}/?iss=kafka&key=c2VjcmV0"))
        .variable("grip_origin", &control)
        .variable("rate_limits", "");
    let town = Town::with(setup).await;
    let own = town.server.address().rsplit(':').next().expect("a port");
    let mut urls = NOBODYS.map(str::to_owned).to_vec();
    for host in HERE {
        urls.push(format!("http://{host}:{}/v1", listener.port()));
        urls.push(format!("http://{host}:{own}/v1"));
    }
    are_refused(&town, &urls).await;
    listener.has_no_connection("a model was saved");
    // Whatever it is called by.
    let josef = town.person("josef@example.com").await;
    let form = [
        ("user_id", josef.id.as_str()),
        ("name", NAME),
        ("ak", "sk-1"),
    ];
    for url in ["http://kafka.example/v1", "https://KAFKA.example./v1"] {
        let form = [&form[..], &[("base_url", url)]].concat();
        let request = town.server.post("/models/new").by(&josef).form(&form);
        let refused = request.header("host", "kafka.example").send().await;
        assert_eq!(refused.status, 422, "{url}: {refused:?}");
    }
}

#[tokio::test]
async fn an_address_that_was_allowed_once_is_refused_when_it_is_used() {
    let listener = Listener::start();
    let town = Town::with(Setup::app().variable("allow_private_models", "true")).await;
    let josef = town.person("josef@example.com").await;
    let mut models = Vec::new();
    for scheme in ["http", "https"] {
        for host in HERE {
            let url = format!("{scheme}://{host}:{}/v1", listener.port());
            let model = josef.model(&town, &url, &url).await;
            models.push((url, model));
        }
    }
    let chat = josef.chat(&town, "c").await;
    let Town { server, mail } = town;
    let setup = Setup::app().variable("rate_limits", "").token_mode(&mail);
    let server = setup.state(server.kill()).start().await;
    let town = Town { server, mail };
    let mut socket = josef.socket(&town, &chat).await;
    for (url, model) in &models {
        let test = town.server.post(&format!("/models/{model}/test"));
        let tested = test.by(&josef).send().await;
        tested.has_status(200);
        assert_eq!(tested.json()["ok"], false, "{url}: {}", tested.text());
        let error = tested.string("/error");
        assert!(error.contains("allow_private_models"), "{url}: {error}");

        let body = json!({ "prompt": "x", "model_id": model });
        let ask = town.server.post(&format!("/chat/{chat}/messages"));
        let ask = ask.header("accept", "application/json").by(&josef);
        ask.json(body.to_string()).send().await.has_status(202);
        let over_http = socket.action("generation_ended").await;
        let message = json!({ "action": "new_message", "prompt": "x", "model_id": model });
        socket.send(&message).await;
        let over_the_socket = socket.action("generation_ended").await;
        for ended in [over_http, over_the_socket] {
            assert_eq!(ended["status"], "error", "{url}: {ended}");
            assert_eq!(ended["error"], error.as_str(), "{url}");
        }
        listener.has_no_connection(url);
    }
}

#[tokio::test]
async fn where_the_operator_allows_it_a_model_is_on_this_machine() {
    let model = FakeModel::start();
    let town = Town::with(Setup::app().variable("allow_private_models", "true")).await;
    let josef = town.person("josef@example.com").await;
    let id = josef.model(&town, NAME, &model.base_url()).await;
    let path = format!("/models/{id}/test");
    let tested = town.server.post(&path).by(&josef).send().await;
    tested.is(200, r#"{"ok":true,"error":null}"#);
}
