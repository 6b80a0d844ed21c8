//! Nonces, and tokens that are used again.

use serde_json::json;

use super::super::Person;
use super::{EMAIL, login, server, with};
use crate::support::provider::{FakeProvider, Key};
use crate::support::{Server, Setup};

/// `POST /auth/oidc/start`.
async fn nonce(server: &Server) -> String {
    let started = server.post("/auth/oidc/start").send().await;
    started.has_status(200);
    assert_eq!(started.json()["expires_in"], 600);
    started.string("/nonce")
}

#[tokio::test]
async fn a_nonce_is_ours_and_good_for_one_login_and_ten_minutes() {
    let key = Key::ec("e");
    let provider = FakeProvider::start(&[&key]).await;
    let server = server(&provider).await;
    let token = |nonce: &str| key.sign(&with(provider.claims(EMAIL), "nonce", json!(nonce)));
    let (first, second) = (nonce(&server).await, nonce(&server).await);
    assert_ne!(first, second);
    let dump = server.database().await.dump().await;
    assert!(!dump.contains(&first), "a nonce is stored as it is");

    for wrong in [json!("made-up"), json!(""), json!(5), json!([first])] {
        let token = key.sign(&with(provider.claims(EMAIL), "nonce", wrong.clone()));
        let answer = login(&server, &token).await;
        assert_eq!(answer.status, 401, "{wrong}: {}", answer.text());
    }
    login(&server, &token(&first)).await.has_status(200);
    // Another token that has it: the provider's, but not of this login.
    let another = with(provider.claims(EMAIL), "nonce", json!(first));
    let another = key.sign(&with(another, "sub", json!("2")));
    login(&server, &another).await.has_status(401);

    server
        .change("UPDATE login_nonce SET expires_at = expires_at - 600000")
        .await;
    login(&server, &token(&second)).await.has_status(401);
    // A login may begin without.
    let without = key.sign(&provider.claims(EMAIL));
    login(&server, &without).await.has_status(200);
}

#[tokio::test]
async fn without_a_provider_no_login_begins() {
    let server = Setup::app().variable("auth_mode", "token").start().await;
    let started = server.post("/auth/oidc/start").send().await;
    started.is_error(404, "This server knows no identity provider.");
}

/// As if so many seconds had passed since tokens were used.
async fn later(server: &Server, seconds: u32) {
    let sql = format!("UPDATE used_id_token SET used_at = used_at - {seconds}000");
    server.change(&sql).await;
}

#[tokio::test]
async fn a_token_is_good_for_one_login_and_a_retry_gets_the_same_session() {
    let key = Key::ec("e");
    let provider = FakeProvider::start(&[&key]).await;
    let server = server(&provider).await;
    let claims = with(provider.claims(EMAIL), "nonce", json!(nonce(&server).await));
    let token = key.sign(&claims);
    // A frontend that is impatient.
    let logins = futures::future::join_all((0..8).map(|_| login(&server, &token))).await;
    let people: Vec<_> = logins.iter().map(Person::of).collect();
    // The signed text is the same, the signature is another.
    let signed_again = key.sign(&claims);
    assert_ne!(signed_again, token);
    later(&server, 8).await;
    let again = login(&server, &signed_again).await;
    assert!(again.header("set-cookie").contains(&people[0].token));
    let again = Person::of(&again);
    for person in people.iter().chain([&again]) {
        assert_eq!(
            (&person.token, &person.id),
            (&people[0].token, &people[0].id)
        );
    }
    assert_eq!(server.database().await.count("session").await, 1);
    let sessions = server.get("/auth/sessions").by(&again).send().await;
    sessions.has_status(200);
    let stored = server.database().await.dump().await;
    assert!(
        !stored.contains(&again.token),
        "a session's token is stored as it is"
    );

    later(&server, 3).await;
    for used in [&token, &signed_again] {
        login(&server, used).await.has_status(401);
    }
    // The next login forgets how the session's token was made.
    let other = key.sign(&with(provider.claims(EMAIL), "sub", json!("2")));
    login(&server, &other).await.has_status(200);
    let salts = "SELECT count(*) FROM used_id_token WHERE salt IS NOT NULL";
    assert_eq!(server.database().await.number(salts).await, 1);
    // Expired tokens are forgotten, too.
    server
        .change("UPDATE used_id_token SET expires_at = 1 WHERE salt IS NULL")
        .await;
    let third = key.sign(&with(provider.claims(EMAIL), "sub", json!("3")));
    login(&server, &third).await.has_status(200);
    assert_eq!(server.database().await.count("used_id_token").await, 2);
}

#[tokio::test]
async fn a_retry_does_not_bring_back_a_session_that_has_ended() {
    let key = Key::ec("e");
    let provider = FakeProvider::start(&[&key]).await;
    let server = server(&provider).await;
    let token = key.sign(&provider.claims(EMAIL));
    let josef = Person::of(&login(&server, &token).await);
    server
        .post("/auth/logout")
        .by(&josef)
        .send()
        .await
        .has_status(200);
    login(&server, &token).await.has_status(401);
    let other = key.sign(&with(provider.claims(EMAIL), "sub", json!("2")));
    let josef = Person::of(&login(&server, &other).await);
    let leaves = server.delete(&format!("/user/{}", josef.id)).by(&josef);
    leaves.send().await.has_status(200);
    login(&server, &other).await.has_status(401);
    assert_eq!(server.database().await.count("user").await, 0);
}

#[tokio::test]
async fn tokens_of_one_name_are_one() {
    let key = Key::ec("e");
    let provider = FakeProvider::start(&[&key]).await;
    let server = server(&provider).await;
    let named = |name: &str, sub: &str| {
        let claims = with(provider.claims(EMAIL), "jti", json!(name));
        key.sign(&with(claims, "sub", json!(sub)))
    };
    login(&server, &named("a", "1")).await.has_status(200);
    login(&server, &named("a", "2")).await.has_status(401);
    login(&server, &named("b", "1")).await.has_status(200);
}
