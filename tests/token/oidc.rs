//! Logging in with an identity provider's ID token.

mod once;

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::Person;
use crate::support::provider::{FakeProvider, Key, now, unsigned};
use crate::support::{PATIENCE, Response, Server, Setup};

const EMAIL: &str = "josef@example.com";

async fn server(provider: &FakeProvider) -> Server {
    let mut setup = Setup::app().variable("auth_mode", "token");
    for (name, value) in provider.variables() {
        setup = setup.variable(name, &value);
    }
    setup.start().await
}

async fn login(server: &Server, token: &str) -> Response {
    let body = json!({ "id_token": token }).to_string();
    server.post("/auth/login").json(body).send().await
}

/// Claims with one of them changed; `null` takes it away.
fn with(mut claims: Value, name: &str, value: Value) -> Value {
    match value {
        Value::Null => drop(claims.as_object_mut().expect("an object").remove(name)),
        value => claims[name] = value,
    }
    claims
}

#[tokio::test]
async fn tokens_of_both_algorithms_log_in_and_keys_are_fetched_once() {
    let (rsa, ec) = (Key::rsa("r"), Key::ec("e"));
    let provider = FakeProvider::start(&[&rsa, &ec]).await;
    let server = server(&provider).await;
    let claims = provider.claims("Josef@EXAMPLE.com");
    let first = Person::of(&login(&server, &rsa.sign(&claims)).await);
    assert_eq!(first.email, "Josef@example.com");
    let second = Person::of(&login(&server, &ec.sign(&claims)).await);
    assert_eq!(
        (&second.id, &second.workspace),
        (&first.id, &first.workspace)
    );
    // `email_verified` may be a text, and the audience one of several.
    let claims = with(claims, "email_verified", json!("true"));
    let claims = with(claims, "aud", json!(["another", "kafka-tests"]));
    login(&server, &ec.sign(&claims)).await.has_status(200);
    assert_eq!(provider.asked(), 1);
}

#[tokio::test]
async fn a_token_that_is_not_for_us_now_is_refused() {
    let key = Key::rsa("r");
    let provider = FakeProvider::start(&[&key]).await;
    let server = server(&provider).await;
    let good = provider.claims(EMAIL);
    let wrong = [
        ("iss", json!("http://127.0.0.1:1")),
        ("iss", Value::Null),
        ("aud", json!("another")),
        ("aud", Value::Null),
        ("azp", json!("another")),
        ("exp", json!(now() - 61)),
        ("exp", Value::Null),
        ("nbf", json!(now() + 120)),
        ("email", json!("no address")),
        ("email", Value::Null),
    ];
    for (name, value) in wrong {
        let token = key.sign(&with(good.clone(), name, value.clone()));
        let response = login(&server, &token).await;
        assert_eq!(response.status, 401, "{name} {value}: {}", response.text());
        assert_eq!(response.header("www-authenticate"), "Bearer");
    }
    for value in [json!(false), json!("false"), json!(1), Value::Null] {
        let token = key.sign(&with(good.clone(), "email_verified", value));
        let response = login(&server, &token).await;
        response.is_error(
            401,
            "The identity provider has not verified this e-mail address.",
        );
    }
    assert_eq!(server.database().await.count("user").await, 0);
    login(&server, &key.sign(&good)).await.has_status(200);
}

#[tokio::test]
async fn a_token_that_the_provider_did_not_sign_is_refused() {
    let (key, stranger, ec) = (Key::rsa("r"), Key::rsa("r"), Key::ec("r"));
    let provider = FakeProvider::start(&[&key]).await;
    let server = server(&provider).await;
    let claims = provider.claims(EMAIL);
    let good = key.sign(&claims);
    let (signed, signature) = good.rsplit_once('.').expect("three parts");
    let (header, _) = signed.split_once('.').expect("two parts");
    let other = unsigned(&json!({}), &provider.claims("other@example.com"));
    let altered = format!(
        "{header}.{}.{signature}",
        other.split_once('.').expect("two parts").1
    );
    let none = |algorithm: &str| {
        let unsigned = unsigned(&json!({ "alg": algorithm, "kid": "r" }), &claims);
        format!("{unsigned}.")
    };
    let hs256 = {
        let unsigned = unsigned(&json!({ "alg": "HS256", "kid": "r" }), &claims);
        let secret = ring::hmac::Key::new(ring::hmac::HMAC_SHA256, &key.public_bytes());
        let tag = ring::hmac::sign(&secret, unsigned.as_bytes());
        use base64::Engine;
        format!(
            "{unsigned}.{}",
            base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(tag)
        )
    };
    let header_of = |algorithm: &str| json!({ "alg": algorithm, "kid": "r" });
    for token in [
        stranger.sign(&claims),
        ec.sign(&claims),
        altered,
        none("none"),
        none("RS256"),
        hs256,
        key.sign_with_header(&header_of("RS512"), &claims),
        key.sign_with_header(&header_of("PS256"), &claims),
        key.sign_with_header(&header_of("ES256"), &claims),
        key.sign_with_header(&json!({ "alg": "RS256", "kid": "unknown" }), &claims),
        key.sign_with_header(
            &json!({ "alg": "RS256", "kid": "r", "crit": ["b64"], "b64": false }),
            &claims,
        ),
        signed.to_owned(),
        "x".to_owned(),
        String::new(),
        "a.b.c".to_owned(),
        format!("{good}x").repeat(20),
    ] {
        let response = login(&server, &token).await;
        assert_eq!(response.status, 401, "{token}: {}", response.text());
    }
    login(&server, &good).await.has_status(200);
    assert!(
        !server.log_so_far().await.contains(signature),
        "a token is in the log"
    );
}

/// As Google has it: its keys are at another origin than its discovery document.
#[tokio::test]
async fn keys_may_be_at_another_origin_which_is_named() {
    let key = Key::rsa("r");
    let (provider, keys) = (
        FakeProvider::start(&[]).await,
        FakeProvider::start(&[&key]).await,
    );
    provider.has_keys_at(&keys);
    let setup = |keys_origin: String| {
        let variables = provider.variables().into_iter();
        let variables = variables.map(|(name, value)| match name {
            "oidc_keys_origin" => (name, keys_origin.clone()),
            _ => (name, value),
        });
        variables.fold(
            Setup::app().variable("auth_mode", "token"),
            |setup, (name, value)| setup.variable(name, &value),
        )
    };
    let token = key.sign(&provider.claims(EMAIL));
    let server = setup(provider.issuer()).start().await;
    login(&server, &token).await.has_status(503);
    assert_eq!(keys.requests(), 0);
    let server = setup(keys.issuer()).start().await;
    login(&server, &token).await.has_status(200);
    assert_eq!(keys.asked(), 1);
}

#[tokio::test]
async fn logins_are_limited_by_address() {
    let key = Key::ec("e");
    let provider = FakeProvider::start(&[&key]).await;
    let mut setup = Setup::app()
        .variable("auth_mode", "token")
        .variable("rate_limits", "login=1/600");
    for (name, value) in provider.variables() {
        setup = setup.variable(name, &value);
    }
    let server = setup.start().await;
    let token = key.sign(&provider.claims(EMAIL));
    for _ in 0..4 {
        login(&server, &token).await.has_status(200);
    }
    let refused = login(&server, &token).await;
    refused.is_error(429, "Too many requests. Please try again later.");
}

#[tokio::test]
async fn a_new_key_is_fetched_but_not_for_every_token_that_names_one() {
    let (old, new) = (Key::ec("old"), Key::ec("new"));
    let provider = FakeProvider::start(&[&old]).await;
    let server = server(&provider).await;
    let claims = provider.claims(EMAIL);
    login(&server, &old.sign(&claims)).await.has_status(200);
    provider.publish(&[&new]);
    // Within a minute of the last request no token makes the server ask again.
    for _ in 0..3 {
        login(&server, &new.sign(&claims)).await.has_status(401);
    }
    assert_eq!(provider.asked(), 1);
    server
        .change("UPDATE identity_provider SET fetched_at = fetched_at - 60000")
        .await;
    login(&server, &new.sign(&claims)).await.has_status(200);
    assert_eq!(provider.asked(), 2);
    login(&server, &old.sign(&claims)).await.has_status(401);
}

#[tokio::test]
async fn a_provider_that_is_away_locks_no_user_out_for_a_day() {
    let key = Key::ec("e");
    let provider = FakeProvider::start(&[&key]).await;
    let server = server(&provider).await;
    let token = key.sign(&provider.claims(EMAIL));
    provider.is_down(true);
    let answer = login(&server, &token).await;
    answer.is_error(
        503,
        "The identity provider can't be asked now. Please try again later.",
    );
    server.logs("it answers 502").await;
    provider.is_down(false);
    until_it_is_asked_again(&server, &token).await;
    provider.is_down(true);
    let hours = |hours: i64| {
        format!("UPDATE identity_provider SET fetched_at = fetched_at - {hours} * 3600000")
    };
    server.change(&hours(2)).await;
    login(&server, &token).await.has_status(200);
    server.change(&hours(23)).await;
    login(&server, &token).await.has_status(503);
}

/// Logs in, as soon as a provider that was away is asked again.
async fn until_it_is_asked_again(server: &Server, token: &str) {
    let deadline = Instant::now() + PATIENCE;
    while login(server, token).await.status == 503 {
        assert!(Instant::now() < deadline, "the provider is asked no more");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    login(server, token).await.has_status(200);
}

#[tokio::test]
async fn a_provider_that_is_away_is_not_asked_for_every_token() {
    let key = Key::ec("e");
    let provider = FakeProvider::start(&[&key]).await;
    let server = server(&provider).await;
    let token = key.sign(&provider.claims(EMAIL));
    provider.is_down(true);
    let begun = Instant::now();
    for _ in 0..15 {
        login(&server, &token).await.has_status(503);
    }
    let most = 1 + begun.elapsed().as_secs() / 5;
    assert!(
        provider.requests() as u64 <= most,
        "{}",
        provider.requests()
    );
    provider.is_down(false);
    until_it_is_asked_again(&server, &token).await;
}

#[tokio::test]
async fn a_document_of_another_provider_is_not_believed() {
    let key = Key::ec("e");
    let provider = FakeProvider::start(&[&key]).await;
    let server = server(&provider).await;
    provider.calls_itself("http://127.0.0.1:1");
    let answer = login(&server, &key.sign(&provider.claims(EMAIL))).await;
    answer.has_status(503);
    assert_eq!(provider.asked(), 0);
}

#[tokio::test]
async fn without_a_provider_no_token_is_good() {
    let server = Setup::app().variable("auth_mode", "token").start().await;
    let answer = login(&server, "x.y.z").await;
    answer.is_error(404, "This server knows no identity provider.");
}

#[tokio::test]
async fn an_address_in_a_token_is_a_bare_one() {
    let key = Key::ec("e");
    let provider = FakeProvider::start(&[&key]).await;
    let server = server(&provider).await;
    for email in [
        "Josef <josef@example.com>",
        "<josef@example.com>",
        "\"leni@example.com\" <josef@example.com>",
        " josef@example.com",
        "josef@example.com\n",
        "josef@example.com, leni@example.com",
        "josef@example.com>",
    ] {
        let answer = login(&server, &key.sign(&provider.claims(email))).await;
        assert_eq!(answer.status, 401, "{email:?}: {}", answer.text());
    }
    assert_eq!(server.database().await.count("user").await, 0);
}
