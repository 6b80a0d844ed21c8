//! The page of a server in the house, by a name and without TLS, where browsers leave out a part of what pages may use.

use super::{add_notes, at, log_in, send, settled, user_with};
use crate::support::{Browser, FakeModel, Setup};

#[tokio::test]
async fn everything_works_without_tls() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let model = FakeModel::start();
    let setup = Setup::app().variable("allowed_hosts", "kafka.lan");
    let server = setup.start().await;
    let user = user_with(&server, &model, &["fake-say-rate-0"]).await;
    let (_, port) = server.address().split_once(':').expect("a port");
    let address = format!("kafka.lan:{port}");
    let page = browser.open(&at(&address, "/")).await;
    assert_eq!(page.eval("isSecureContext").await, false);
    log_in(&page, &user.email).await;
    add_notes(&page).await;
    page.eval("document.querySelector('.prompt').focus()").await;
    send(&page, "first").await;
    settled(&page).await;
    page.shows(".message.user .files-of", "notes.md").await;
    page.press("Another reply").await;
    page.shows(".assistant .place", "2/2").await;
    settled(&page).await;
    page.press("Edit the prompt").await;
    page.until("document.activeElement?.matches('.edit-box textarea')")
        .await;
    page.eval("document.activeElement.select()").await;
    page.types("second").await;
    page.key("Enter", 0).await;
    page.shows(".assistant .body", "second").await;
    settled(&page).await;
    page.screenshot("house").await;
    page.is_clean(&address);
}
