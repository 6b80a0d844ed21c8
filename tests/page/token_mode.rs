//! Logging in with a code from a mail.

use super::{at, log_in_by_mail};
use crate::support::{Browser, FakeMail, Setup};

#[tokio::test]
async fn a_code_from_the_mail_opens_the_page() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let mail = FakeMail::start();
    let server = Setup::app().token_mode(&mail).start().await;
    let page = browser.open(&at(server.address(), "/")).await;
    page.until("document.activeElement?.id === 'email'").await;
    page.types("josef@example.com").await;
    page.key("Enter", 0).await;
    page.until("document.activeElement?.id === 'code'").await;
    page.screenshot("code").await;
    page.types("0000000000").await;
    page.key("Enter", 0).await;
    page.until("document.querySelector('.problem').innerText !== ''")
        .await;
    page.eval(
        "document.querySelector('#code').value = ''; document.querySelector('#code').focus()",
    )
    .await;
    page.types(&mail.code("josef@example.com").await).await;
    page.key("Enter", 0).await;
    page.until("document.querySelector('.composer')").await;
    // No demo model here, and the models' dialog says what to do.
    page.press("Add a model of your own").await;
    page.shows("dialog[open]", "OpenRouter").await;
    page.screenshot("models").await;
    page.key("Escape", 0).await;
    page.press("Settings").await;
    page.shows("dialog[open]", "this one").await;
    page.screenshot("sessions").await;
    page.key("Escape", 0).await;
    // The session lasts, and a logout ends it.
    page.go_to(&at(server.address(), "/")).await;
    page.until("document.querySelector('.composer')").await;
    page.press("Log out").await;
    page.until("document.querySelector('.welcome')").await;
    page.go_to(&at(server.address(), "/")).await;
    page.until("document.querySelector('.welcome')").await;
    assert_eq!(page.errors(), [""; 0]);
}

/// A login form would say that the session has ended, which it has not.
#[tokio::test]
async fn a_logout_that_fails_is_none() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let mail = FakeMail::start();
    let server = Setup::app().token_mode(&mail).start().await;
    let page = browser.open(&at(server.address(), "/")).await;
    log_in_by_mail(&page, &mail, "josef@example.com").await;
    let _state = server.kill();
    page.press("Log out").await;
    page.shows(".notes", "The server can't be reached").await;
    page.until("document.querySelector('.composer') && !document.querySelector('.welcome')")
        .await;
    assert_eq!(page.errors(), [""; 0]);
}

#[tokio::test]
async fn an_account_is_deleted_with_everything() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = super::Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    page.press("Settings").await;
    page.press("Delete the account…").await;
    page.shows("dialog.question", "can't be undone").await;
    page.press("Delete everything").await;
    page.until("document.querySelector('.welcome')").await;
    let login = visit.server.login(&visit.user.email).await;
    assert_ne!(login.string("/user_id"), visit.user.id);
}
