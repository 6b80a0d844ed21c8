//! What is done with single messages: ratings, notes, deletion, a copy of a branch; and the names of chats.

use super::{Visit, at, send, settled};
use crate::support::Browser;

#[tokio::test]
async fn a_reply_is_rated_with_a_note_in_all_windows() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    send(page, "Rate me").await;
    settled(page).await;
    let path = page.eval("location.pathname").await;
    let path = path.as_str().expect("a path").to_owned();
    let other = browser.open(&at(visit.server.address(), &path)).await;
    other.shows(".assistant .body", "Rate me").await;
    page.press("Good reply").await;
    for window in [page, &other] {
        window
            .until("document.querySelector('[aria-label=\"Good reply\"]').ariaPressed === 'true'")
            .await;
    }
    page.press("More about this reply").await;
    page.press("Add a note").await;
    page.until("document.activeElement?.matches('dialog textarea')")
        .await;
    page.types("It names the accuser.").await;
    page.screenshot("note").await;
    page.press("Save").await;
    for window in [page, &other] {
        window.shows(".note-of", "It names the accuser.").await;
    }
    page.screenshot("rated").await;
    page.press("Good reply").await;
    page.until("document.querySelector('[aria-label=\"Good reply\"]').ariaPressed === 'false'")
        .await;
    page.shows(".note-of", "It names the accuser.").await;
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn messages_are_deleted_with_what_follows_them_and_branches_copied() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    for prompt in ["one", "two", "three"] {
        page.eval("document.querySelector('.prompt').focus()").await;
        send(page, prompt).await;
        page.shows(".messages > .user:nth-last-child(2)", prompt)
            .await;
        settled(page).await;
    }
    let first = page.eval("location.pathname").await;
    // The second reply, and what is before it.
    page.eval("document.querySelectorAll('[aria-label=\"More about this reply\"]')[1].click()")
        .await;
    page.until("document.querySelector('.menu')").await;
    page.screenshot("message-menu").await;
    page.press("Copy up to here into a new chat").await;
    page.until(&format!(
        "location.pathname !== {first} && document.querySelectorAll('.message').length === 4"
    ))
    .await;
    page.shows(".messages > :last-child .body", "two").await;
    page.shows(".notes", "new chat").await;
    page.screenshot("copied").await;
    page.eval("history.back()").await;
    page.until(&format!(
        "location.pathname === {first} && document.querySelectorAll('.message').length === 6"
    ))
    .await;
    page.eval("document.querySelectorAll('[aria-label=\"More about this prompt\"]')[1].click()")
        .await;
    page.press("Delete from here on…").await;
    page.shows("dialog.question", "all that follow it").await;
    page.press("Delete").await;
    page.until("document.querySelectorAll('.message').length === 2")
        .await;
    // It goes on from there.
    page.eval("document.querySelector('.prompt').focus()").await;
    send(page, "four").await;
    page.until("document.querySelectorAll('.message').length === 4")
        .await;
    settled(page).await;
    page.until("!document.querySelector('.arrows')").await;
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn a_new_chat_is_named_by_its_model() {
    let Some(browser) = Browser::start() else {
        return;
    };
    // Slow enough for its first name to be seen.
    let visit = Visit::start(&browser, &["fake-say-rate-10"]).await;
    let page = &visit.page;
    let prompt = "How does one get an answer from the castle without a summons?";
    send(page, prompt).await;
    page.shows(".title", "How does one get an answer from the castle")
        .await;
    settled(page).await;
    // Six words, as the fake model names a chat.
    page.until("document.querySelector('.title').innerText === 'How does one get an answer'")
        .await;
    page.until("document.querySelector('.chat-row a')?.innerText === 'How does one get an answer'")
        .await;
}
