//! What can be done with messages: stop, another reply, edit, branches, copies, errors.

use serde_json::json;

use super::{Visit, choose_first_model, send, settled};
use crate::support::Browser;

#[tokio::test]
async fn branches_have_arrows() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    send(page, "first").await;
    settled(page).await;
    page.press("Another reply").await;
    page.shows(".assistant .place", "2/2").await;
    settled(page).await;
    page.press("Edit the prompt").await;
    page.until("document.activeElement?.matches('.edit-box textarea')")
        .await;
    page.eval("document.activeElement.select()").await;
    page.types("second").await;
    page.key("Enter", 0).await;
    page.shows(".user .place", "2/2").await;
    page.shows(".user .bubble", "second").await;
    settled(page).await;
    page.shows(".assistant .body", "second").await;
    page.screenshot("branches").await;
    page.press("The one before").await;
    page.shows(".user .bubble", "first").await;
    page.shows(".user .place", "1/2").await;
    page.shows(".assistant .place", "2/2").await;
    // A new window knows the same branches.
    let url = page.eval("location.href").await;
    page.go_to(url.as_str().expect("an address")).await;
    page.shows(".user .place", "1/2").await;
    page.shows(".assistant .place", "2/2").await;
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn arrows_wait_for_the_end_of_a_reply() {
    let Some(browser) = Browser::start() else {
        return;
    };
    // The first goes on until it is stopped.
    let models = ["fake-words-5000-rate-20", "fake-words-3-rate-0"];
    let visit = Visit::start(&browser, &models).await;
    let page = &visit.page;
    send(page, "count").await;
    settled(page).await;
    page.press("Another reply").await;
    page.shows(".assistant .place", "2/2").await;
    settled(page).await;
    choose_first_model(page).await;
    page.eval("document.querySelector('.prompt').focus()").await;
    send(page, "again").await;
    let arrow = "document.querySelector('.assistant [aria-label=\"The one before\"]')";
    let is_running = "document.querySelector('.assistant.is-running')";
    page.until(&format!("{is_running} && {arrow}.disabled"))
        .await;
    // A window that is opened meanwhile.
    let url = page.eval("location.href").await;
    page.go_to(url.as_str().expect("an address")).await;
    page.until(&format!("{is_running} && {arrow}?.disabled"))
        .await;
    page.press("Stop the reply").await;
    settled(page).await;
    page.until(&format!("!{arrow}.disabled")).await;
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn a_reply_can_be_stopped() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-5000-rate-20"]).await;
    let page = &visit.page;
    send(page, "go on").await;
    page.shows(".assistant .body", "w3").await;
    page.press("Stop the reply").await;
    settled(page).await;
    page.shows(".assistant", "You stopped this reply.").await;
    page.until("!document.querySelector('.send:not(.stop)').hidden")
        .await;
}

#[tokio::test]
async fn errors_are_said_in_words_and_tried_again() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0", "fake-error-2"]).await;
    let page = &visit.page;
    send(page, "fail").await;
    settled(page).await;
    page.shows(".assistant .problem-box", "Try again").await;
    page.screenshot("error").await;
    // Another model may do better.
    choose_first_model(page).await;
    page.press("Try again").await;
    page.shows(".assistant .body", "w1 w2 w3").await;
    settled(page).await;
    page.until("!document.querySelector('.problem-box')").await;
}

#[tokio::test]
async fn thoughts_are_folded() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-reasoning"]).await;
    let page = &visit.page;
    send(page, "think").await;
    settled(page).await;
    page.until("document.querySelector('.thoughts:not([open]) summary').innerText === 'Thoughts'")
        .await;
    page.press("Thoughts").await;
    page.shows(".thoughts-text", "First a draft.").await;
    page.screenshot("thoughts").await;
}

#[tokio::test]
async fn tables_are_aligned() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    let table = "| left | middle | right | any |\n|:--|:-:|--:|---|\n| a | b | c | d |\n";
    send(page, &format!("say:\n{table}")).await;
    settled(page).await;
    let aligned = page
        .eval("[...document.querySelectorAll('.assistant td')].map((cell) => getComputedStyle(cell).textAlign)")
        .await;
    assert_eq!(aligned, json!(["left", "center", "right", "start"]));
    page.screenshot("table").await;
    page.is_clean(visit.server.address());
}

/// Only the last block is drawn again while a reply grows, and the reader who scrolled up stays there.
#[tokio::test]
async fn streaming_does_not_jump() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-60"]).await;
    let page = &visit.page;
    let paragraphs: Vec<_> = (0..60)
        .map(|n| format!("Paragraph {n} of a long reply that goes on."))
        .collect();
    let prompt = format!("say:\n{}", paragraphs.join("\n\n"));
    send(page, &prompt).await;
    page.until("document.querySelectorAll('.assistant .body > p').length > 14")
        .await;
    page.eval("window.first = document.querySelector('.assistant .body > p'); 0")
        .await;
    let at_end = "(() => { const s = document.querySelector('.scroller'); return s.scrollHeight - s.scrollTop - s.clientHeight < 5 })()";
    page.until(at_end).await;
    page.eval("document.querySelector('.scroller').scrollTop -= 500")
        .await;
    page.until("document.querySelector('.to-end.visible')")
        .await;
    let top = page
        .eval("Math.round(document.querySelector('.scroller').scrollTop)")
        .await;
    page.until("document.querySelectorAll('.assistant .body > p').length > 25")
        .await;
    assert_eq!(
        page.eval("Math.round(document.querySelector('.scroller').scrollTop)")
            .await,
        top
    );
    assert_eq!(page.eval("window.first.isConnected").await, true);
    page.press("To the end").await;
    page.until(at_end).await;
    settled(page).await;
    page.until("document.querySelectorAll('.assistant .body > p').length === 60")
        .await;
    page.until(at_end).await;
}

#[tokio::test]
async fn chats_are_renamed_pinned_archived_and_deleted_in_place() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    send(page, "one chat").await;
    settled(page).await;
    page.press("More about one chat").await;
    page.until("document.querySelector('.menu')").await;
    page.screenshot("menu").await;
    page.press("Rename").await;
    page.until("document.activeElement?.matches('.rename')")
        .await;
    page.types("The castle").await;
    page.key("Enter", 0).await;
    page.shows(".title", "The castle").await;
    page.shows(".chat-row a", "The castle").await;
    page.press("More about The castle").await;
    page.press("Pin").await;
    page.shows(".chats .day", "Pinned").await;
    page.press("More about The castle").await;
    page.press("Archive").await;
    page.until("!document.querySelector('.chat-row')").await;
    page.press("Archived chats").await;
    page.shows(".chat-row a", "The castle").await;
    page.press("More about The castle").await;
    page.press("Delete…").await;
    page.shows("dialog[open]", "Delete this chat?").await;
    page.screenshot("question").await;
    page.press("Delete").await;
    page.until("!document.querySelector('.chat-row') && location.pathname === '/'")
        .await;
    page.is_clean(visit.server.address());
}
