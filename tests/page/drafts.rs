//! What was written and not sent yet.

use super::{Visit, add_notes, send, settled};
use crate::support::Browser;

#[tokio::test]
async fn a_file_that_makes_the_chat_takes_the_draft_along() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    page.until("document.activeElement?.matches('.prompt')")
        .await;
    page.types("What do these notes ").await;
    add_notes(page).await;
    page.until("document.querySelector('.prompt').value === 'What do these notes '")
        .await;
    page.screenshot("draft").await;
    send(page, "say?").await;
    page.shows(".message.user .bubble", "What do these notes say?")
        .await;
    page.shows(".message.user .files-of", "notes.md").await;
    settled(page).await;
    // It is gone now, from the next new chat as well.
    page.press("New chat").await;
    page.until("location.pathname === '/' && document.querySelector('.prompt').value === ''")
        .await;
    page.is_clean(visit.server.address());
}

/// A prompt that the server refused goes back to the composer with its files.
#[tokio::test]
async fn a_prompt_is_taken_back_with_its_files() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    add_notes(page).await;
    // As it is remembered after a refusal.
    page.eval(
        "(async () => { const chat = location.pathname.slice(3); \
         const { files } = await fetch(`/chat/${chat}/files?user_id=${JSON.parse(localStorage['kafka.user']).id}`).then((it) => it.json()); \
         const frame = { action: 'new_message', prompt: 'Read this', file_ids: [files[0].id] }; \
         const waiting = [{ clientId: 'c', prompt: 'Read this', after: null, frame, error: 'Try again later.' }]; \
         localStorage[`kafka.waiting.${chat}`] = JSON.stringify(waiting) })()",
    )
    .await;
    let url = page.eval("location.href").await;
    page.go_to(url.as_str().expect("an address")).await;
    page.shows(".waiting .problem-box", "Try again later.")
        .await;
    page.shows(".header .count", "1").await;
    page.press("Back to the composer").await;
    page.shows(".transfer.stored", "notes.md").await;
    page.until("document.querySelector('.prompt').value === 'Read this'")
        .await;
    send(page, " now").await;
    page.shows(".message.user .files-of", "notes.md").await;
    settled(page).await;
    page.is_clean(visit.server.address());
}
