//! The connection is lost in each way there is, and no word is lost or doubled.

use super::wire::Wire;
use super::{at, choose_first_model, log_in, send, settled, user_with};
use crate::support::{Browser, FakeModel, Page, Server};

/// All the words of `fake-words-N`.
fn words(count: usize) -> String {
    let words: Vec<_> = (1..=count).map(|number| format!("w{number}")).collect();
    words.join(" ")
}

/// Waits until a page that lost its connection has it again.
async fn connected(page: &Page) {
    page.until("document.querySelector('.connection').innerText === ''")
        .await;
}

#[tokio::test]
async fn a_stalled_and_a_cut_connection_lose_and_double_no_word() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let model = FakeModel::start();
    let server = Server::start().await;
    let user = user_with(&server, &model, &["fake-words-400-rate-20"]).await;
    let wire = Wire::to(server.address()).await;
    let page = browser.open(&at(wire.address(), "/")).await;
    log_in(&page, &user.email).await;
    send(&page, "count").await;
    page.shows(".assistant .body", "w5").await;
    wire.cut();
    page.shows(".assistant .body", "w60").await;
    // No socket closes; the page notices by itself.
    wire.stall();
    page.shows(".connection", "Reconnecting…").await;
    page.screenshot("reconnecting").await;
    wire.cut();
    wire.goes_on();
    connected(&page).await;
    settled(&page).await;
    let text = page
        .eval("document.querySelector('.assistant .body').textContent.trim()")
        .await;
    assert_eq!(text, words(400));
    assert_eq!(page.errors(), [""; 0]);
}

#[tokio::test]
async fn a_killed_server_comes_back_and_prompts_have_waited() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let model = FakeModel::start();
    let server = Server::start().await;
    let user = user_with(
        &server,
        &model,
        &["fake-words-20-rate-0", "fake-words-4000-rate-20"],
    )
    .await;
    let wire = Wire::to(server.address()).await;
    let page = browser.open(&at(wire.address(), "/")).await;
    log_in(&page, &user.email).await;
    send(&page, "count").await;
    page.shows(".assistant .body", "w5").await;
    let state = server.kill();
    page.shows(".connection", "Reconnecting…").await;
    page.eval("document.querySelector('.messages .assistant:last-child')")
        .await;
    let server = crate::support::Setup::app().state(state).start().await;
    wire.leads_to(server.address());
    // What had come is still there, and why it ended.
    page.shows(".assistant .problem-box", "Try again").await;
    page.shows(".assistant .body", "w1 w2 w3").await;
    page.screenshot("interrupted").await;
    choose_first_model(&page).await;
    let state = server.kill();
    page.shows(".connection", "Reconnecting…").await;
    page.eval("document.querySelector('.prompt').focus()").await;
    send(&page, "and then?").await;
    page.shows(".waiting", "Waits for the connection").await;
    page.screenshot("waiting").await;
    let server = crate::support::Setup::app().state(state).start().await;
    wire.leads_to(server.address());
    settled(&page).await;
    page.until("document.querySelectorAll('.message.user').length === 2")
        .await;
    page.until(&format!(
        "[...document.querySelectorAll('.assistant .body')].at(-1).textContent.trim() === '{}'",
        words(20)
    ))
    .await;
    assert_eq!(page.errors(), [""; 0]);
}

/// What was asked and not answered is not waited for when the connection is lost.
#[tokio::test]
async fn what_has_no_answer_says_so() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let model = FakeModel::start();
    let server = Server::start().await;
    let user = user_with(&server, &model, &["fake-words-2000-rate-20"]).await;
    let wire = Wire::to(server.address()).await;
    let page = browser.open(&at(wire.address(), "/")).await;
    log_in(&page, &user.email).await;
    send(&page, "count").await;
    page.shows(".assistant .body", "w5").await;
    wire.stall();
    page.press("Stop the reply").await;
    wire.cut();
    page.shows(".notes", "lost before the server answered")
        .await;
    page.screenshot("no-answer").await;
    wire.goes_on();
    connected(&page).await;
    page.press("Stop the reply").await;
    settled(&page).await;
    page.shows(".assistant", "You stopped this reply.").await;
    assert_eq!(page.errors(), [""; 0]);
}

/// Replies that were made while a window was away have their arrows there.
#[tokio::test]
async fn replies_of_other_windows_have_arrows_after_a_reconnect() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let model = FakeModel::start();
    let server = Server::start().await;
    let user = user_with(&server, &model, &["fake-say-rate-0"]).await;
    let wire = Wire::to(server.address()).await;
    let page = browser.open(&at(wire.address(), "/")).await;
    log_in(&page, &user.email).await;
    send(&page, "hello").await;
    settled(&page).await;
    let path = page.eval("location.pathname").await;
    let path = path.as_str().expect("a path");
    let other = browser.open(&at(server.address(), "/")).await;
    log_in(&other, &user.email).await;
    other.go_to(&at(server.address(), path)).await;
    other.shows(".assistant .body", "hello").await;
    wire.stall();
    other.press("Another reply").await;
    other.shows(".assistant .place", "2/2").await;
    settled(&other).await;
    // The branch is the same as before.
    other.press("The one before").await;
    other.shows(".assistant .place", "1/2").await;
    wire.cut();
    // What the wire held back may still come, and what is asked then has no answer.
    page.shows(".connection", "Reconnecting…").await;
    wire.goes_on();
    connected(&page).await;
    page.shows(".assistant .place", "1/2").await;
    page.screenshot("arrows-after-a-reconnect").await;
    page.press("The next one").await;
    page.shows(".assistant .place", "2/2").await;
    assert_eq!(page.errors(), [""; 0]);
}
