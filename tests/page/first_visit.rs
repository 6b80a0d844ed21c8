//! From nothing to a reply.

use std::net::Ipv4Addr;

use super::{at, log_in, send, settled};
use crate::support::{Browser, Request, Server, Setup};

#[tokio::test]
async fn a_newcomer_without_an_account_sees_a_reply_stream_in() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let server = Server::start().await;
    let page = browser.open(&at(server.address(), "/")).await;
    page.until("document.activeElement?.id === 'email'").await;
    page.screenshot("first-visit").await;
    log_in(&page, "newcomer@example.com").await;
    page.until("document.activeElement?.matches('.prompt')")
        .await;
    page.screenshot("no-model-yet").await;
    page.press("Use the demo model").await;
    page.until("document.querySelector('select.model').selectedOptions[0]?.text === 'demo'")
        .await;
    send(&page, "Who accuses me?").await;
    // It comes in pieces.
    page.until("document.querySelector('.assistant.is-running .body')?.innerText.length > 5")
        .await;
    let begun = page
        .eval("document.querySelector('.assistant .body').innerText.length")
        .await;
    page.until("document.querySelector('.assistant.is-running .markdown blockquote')")
        .await;
    page.screenshot("streaming").await;
    settled(&page).await;
    let whole = page
        .eval("document.querySelector('.assistant .body').innerText.length")
        .await;
    assert!(whole.as_u64() > begun.as_u64(), "{begun} and then {whole}");
    page.shows(".assistant .body", "demo model").await;
    page.until("document.querySelector('.assistant .code code .k')?.textContent === 'fn'")
        .await;
    page.shows(".assistant .about", "demo").await;
    page.until(
        "location.pathname.startsWith('/c/') && document.title === 'Who accuses me · Kafka'",
    )
    .await;
    page.shows(".chat-row.current a", "Who accuses me").await;
    page.screenshot("reply").await;
    // Its address is enough to come back to it.
    let url = page.eval("location.href").await;
    page.go_to(url.as_str().expect("an address")).await;
    page.shows(".assistant .body", "demo model").await;
    page.until("document.querySelectorAll('.message').length === 2")
        .await;
    page.is_clean(server.address());
}

/// The demo model may listen at another port after a restart.
#[tokio::test]
async fn the_demo_model_still_answers_at_another_port() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let server = Server::start().await;
    let page = browser.open(&at(server.address(), "/")).await;
    log_in(&page, "newcomer@example.com").await;
    page.press("Use the demo model").await;
    page.until("document.querySelector('select.model').selectedOptions[0]?.text === 'demo'")
        .await;
    send(&page, "Once").await;
    settled(&page).await;
    let server = server.killed_and_started_again().await;
    let page = browser.open(&at(server.address(), "/")).await;
    log_in(&page, "newcomer@example.com").await;
    send(&page, "Again").await;
    settled(&page).await;
    page.shows(".assistant .body", "demo model").await;
}

#[tokio::test]
async fn the_demo_model_is_offered_in_open_mode_on_loopback_only() {
    let offered = async |setup: Setup| {
        // Also one that listens on all addresses is called by its name.
        let server = setup.start().await.at(Ipv4Addr::LOCALHOST.into());
        let about = server.get("/about").send().await;
        about.has_status(200);
        let demo = about.json()["demo_model"].clone();
        let is_offered = !demo.is_null();
        if is_offered {
            let models = format!("{}/models", demo["base_url"].as_str().expect("an address"));
            let models = Request::elsewhere("GET", &models);
            let models = models.header("authorization", "Bearer demo").send().await;
            models.has_status(200);
        }
        is_offered
    };
    assert!(offered(Setup::app()).await);
    assert!(offered(Setup::app().argument("--demo-model")).await);
    assert!(!offered(Setup::app().argument("--demo-model=false")).await);
    assert!(!offered(Setup::app().on_all_addresses()).await);
    assert!(!offered(Setup::app().variable("auth_mode", "token")).await);
    assert!(!offered(Setup::app().variable("allow_private_models", "false")).await);
}
