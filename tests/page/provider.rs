//! Logging in with an identity provider.

use super::at;
use crate::support::provider::{FakeProvider, Key};
use crate::support::{Browser, FakeMail, Setup};

#[tokio::test]
async fn an_identity_provider_logs_one_in() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (key, other) = (Key::ec("e"), Key::ec("other"));
    let provider = FakeProvider::start(&[&key]).await;
    let mail = FakeMail::start();
    let mut setup = Setup::app().token_mode(&mail);
    for (name, value) in provider.variables() {
        setup = setup.variable(name, &value);
    }
    let server = setup.start().await;
    let page = browser.open(&at(server.address(), "/c/somewhere")).await;
    page.until("document.activeElement?.id === 'email'").await;
    page.screenshot("provider").await;
    // The person says no.
    page.press("Log in with 127.0.0.1").await;
    page.shows(".notes", "has not logged you in").await;
    page.until("location.hash === '' && document.querySelector('.welcome')")
        .await;
    // The provider is not who it says it is.
    provider.knows("josef@example.com", other);
    page.press("Log in with 127.0.0.1").await;
    page.shows(".notes", "The ID token is not valid").await;
    page.screenshot("provider-refused").await;
    provider.knows("josef@example.com", key);
    page.press("Log in with 127.0.0.1").await;
    page.until("document.querySelector('.composer')").await;
    page.shows(".account", "josef@example.com").await;
    // Back where it began, and the token is nowhere.
    page.until("location.pathname === '/c/somewhere' && location.hash === ''")
        .await;
    assert_eq!(page.eval("sessionStorage.length").await, 0);
    assert_eq!(page.errors(), [""; 0]);
}

/// A link with another person's token logs nobody in.
#[tokio::test]
async fn a_token_that_was_not_asked_for_is_refused() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let key = Key::ec("e");
    let provider = FakeProvider::start(&[&key]).await;
    let mut setup = Setup::app().variable("auth_mode", "token");
    for (name, value) in provider.variables() {
        setup = setup.variable(name, &value);
    }
    let server = setup.start().await;
    let token = key.sign(&provider.claims("attacker@example.com"));
    let page = browser
        .open(&at(
            server.address(),
            &format!("/#id_token={token}&state=x"),
        ))
        .await;
    page.shows(".notes", "was not begun here").await;
    // Without a mail provider there is only the one way in.
    page.until("document.activeElement?.innerText === 'Log in with 127.0.0.1' && !document.querySelector('#email')")
        .await;
    page.screenshot("provider-only").await;
}
