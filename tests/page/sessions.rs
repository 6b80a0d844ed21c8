//! Sessions that end while the page is open, and who logs in after that.

use serde_json::json;

use super::{at, log_in_by_mail, settled};
use crate::support::{Browser, FakeMail, FakeModel, Page, Setup};

/// A request of this page that nothing of the page knows of; its status.
async fn asks(page: &Page, path: &str, body: &str) -> u64 {
    let ask = format!(
        "fetch('{path}', {{ method: 'POST', body: {body} }}).then(({{ status }}) => status)"
    );
    page.eval(&ask).await.as_u64().expect("a status")
}

const JSON: &str = "new Blob(['{}'], { type: 'application/json' })";

/// Adds a model to the account.
async fn add_model(page: &Page, model: &FakeModel, name: &str) {
    let ask = format!(
        "fetch('/auth/hydrate', {{ method: 'POST', body: {JSON} }}).then((answer) => answer.json()).then(({{ user_id }}) => user_id)"
    );
    let user = page.eval(&ask).await;
    let fields =
        json!({ "user_id": user, "name": name, "ak": "any", "base_url": model.base_url() });
    let form = format!("new URLSearchParams({fields})");
    assert_eq!(asks(page, "/models/new", &form).await, 200);
    page.until(
        "document.querySelector('select.model').selectedOptions[0]?.text.startsWith('fake-')",
    )
    .await;
}

#[tokio::test]
async fn drafts_and_prompts_wait_for_the_next_login() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let (mail, model) = (FakeMail::start(), FakeModel::start());
    let setup = Setup::app().token_mode(&mail);
    let server = setup.variable("allow_private_models", "true").start().await;
    let page = browser.open(&at(server.address(), "/")).await;
    log_in_by_mail(&page, &mail, "josef@example.com").await;
    add_model(&page, &model, "fake-say-rate-0").await;
    super::send(&page, "first").await;
    settled(&page).await;
    let chat = page.eval("location.pathname").await;
    page.press("New chat").await;
    page.until("location.pathname === '/' && document.activeElement?.matches('.prompt')")
        .await;
    page.types("half a thought").await;
    page.click(".chat-row a").await;
    page.shows(".assistant .body", "first").await;
    page.until("document.activeElement?.matches('.prompt')")
        .await;
    page.types("second").await;
    assert_eq!(asks(&page, "/auth/logout", JSON).await, 200);
    page.shows(".notes", "Your session has ended").await;
    page.until("document.querySelector('.welcome')").await;
    page.screenshot("session-ended").await;
    assert_eq!(page.eval("location.pathname").await, chat);
    // It goes on where it was.
    log_in_by_mail(&page, &mail, "josef@example.com").await;
    page.until("document.querySelector('.prompt').value === 'second'")
        .await;
    super::send(&page, " thought").await;
    page.shows(".message.user:nth-last-child(2) .bubble", "second thought")
        .await;
    settled(&page).await;
    assert_eq!(page.eval("location.pathname").await, chat);
    page.press("New chat").await;
    page.until("document.querySelector('.prompt').value === 'half a thought'")
        .await;
    // Another person finds nothing of it.
    assert_eq!(asks(&page, "/auth/logout", JSON).await, 200);
    page.until("document.querySelector('.welcome')").await;
    log_in_by_mail(&page, &mail, "leni@example.com").await;
    page.until("location.pathname === '/' && document.querySelector('.prompt').value === ''")
        .await;
    let left = "Object.keys(localStorage).filter((key) => /draft|waiting/.test(key))";
    assert_eq!(page.eval(left).await, json!([]));
    assert_eq!(page.errors(), [""; 0]);
}

/// A session that ends elsewhere is noticed where nothing is done, too.
#[tokio::test]
async fn the_feed_says_that_the_session_has_ended() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let mail = FakeMail::start();
    let server = Setup::app().token_mode(&mail).start().await;
    let wire = super::wire::Wire::to(server.address()).await;
    let page = browser.open(&at(wire.address(), "/")).await;
    log_in_by_mail(&page, &mail, "josef@example.com").await;
    page.until("document.activeElement?.matches('.prompt')")
        .await;
    page.types("half a thought").await;
    assert_eq!(asks(&page, "/auth/logout", JSON).await, 200);
    // It connects again, and is turned away.
    wire.cut();
    page.shows(".notes", "Your session has ended").await;
    log_in_by_mail(&page, &mail, "josef@example.com").await;
    page.until("document.querySelector('.prompt').value === 'half a thought'")
        .await;
    assert_eq!(page.errors(), [""; 0]);
}

/// Nothing of the shell that was there before a logout goes on behind the next one.
#[tokio::test]
async fn a_login_after_a_logout_begins_anew() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = super::Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    super::send(page, "hello").await;
    settled(page).await;
    page.eval("document.querySelector('input.search').focus()")
        .await;
    page.types("nothing of that").await;
    page.until("!document.querySelector('.chat-row')").await;
    page.press("Log out").await;
    super::log_in(page, &visit.user.email).await;
    // Not what was searched for before.
    page.shows(".chat-row a", "hello").await;
    page.press("Settings").await;
    page.shows("dialog[open]", "Theme").await;
    page.key("Escape", 0).await;
    page.until("!document.querySelector('dialog[open]')").await;
    // In the middle of something.
    page.press("More about hello").await;
    page.press("Rename").await;
    page.until("document.activeElement?.matches('.rename')")
        .await;
    page.press("Log out").await;
    super::log_in(page, &visit.user.email).await;
    page.shows(".chat-row a", "hello").await;
    page.press("Models").await;
    page.shows("dialog[open]", "fake-say-rate-0").await;
    page.is_clean(visit.server.address());
}
