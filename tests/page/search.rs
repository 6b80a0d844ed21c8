//! Finding things: names at once, messages and files a moment later, in the side bar and in the palette.

use super::{Visit, send, settled};
use crate::support::{Browser, Page};

/// Makes another chat with a prompt.
async fn talk(page: &Page, prompt: &str) {
    page.press("New chat").await;
    page.until("location.pathname === '/' && !document.querySelector('.message')")
        .await;
    page.eval("document.querySelector('.prompt').focus()").await;
    send(page, prompt).await;
    settled(page).await;
}

#[tokio::test]
async fn the_side_bar_finds_names_at_once_and_then_messages() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    talk(page, "The burrow of an animal").await;
    talk(page, "In the penal colony").await;
    page.shows(".chat-row.current a", "In the penal colony")
        .await;
    // Another branch hides the first prompt.
    page.press("Edit the prompt").await;
    page.until("document.activeElement?.matches('.edit-box textarea')")
        .await;
    page.eval("document.activeElement.select()").await;
    page.types("A country doctor").await;
    page.key("Enter", 0).await;
    page.shows(".user .bubble", "A country doctor").await;
    settled(page).await;
    page.eval("document.querySelector('input.search').focus()")
        .await;
    page.types("burr").await;
    // Before the server was asked.
    let rows = page
        .eval("[...document.querySelectorAll('.chat-row a:not(.hit)')].map((a) => a.innerText)")
        .await;
    assert_eq!(rows, serde_json::json!(["The burrow of an animal"]));
    page.shows(".hit mark", "burr").await;
    page.eval("document.activeElement.select()").await;
    page.types("penal col").await;
    page.shows(".hit .hit-text", "In the penal colony").await;
    page.until("document.querySelectorAll('.hit mark').length >= 2")
        .await;
    page.screenshot("search").await;
    // The arrow keys lead into the list; the message is on a branch that is not visible.
    page.key("ArrowDown", 0).await;
    page.until("document.activeElement?.matches('.chat-row a')")
        .await;
    page.click("a.hit").await;
    page.shows(".user .bubble", "In the penal colony").await;
    page.until("document.activeElement?.matches('.message.found')")
        .await;
    page.screenshot("found").await;
    page.eval("document.querySelector('input.search').focus()")
        .await;
    page.key("Escape", 0).await;
    page.until("document.querySelectorAll('.chat-row a:not(.hit)').length === 2 && !document.querySelector('.hit')")
        .await;
    page.types("nothing of that kind").await;
    page.shows(".chats", "Nothing was found.").await;
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn the_palette_finds_what_one_has() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    talk(page, "say: a singing dog, or a mouse").await;
    let chat = page.eval("location.pathname").await;
    let form = visit
        .user
        .upload_to(
            chat.as_str().expect("a path").trim_start_matches("/c/"),
            "true",
        )
        .file("files", "josephine.txt", "The mouse folk hear a whistle.");
    visit.server.upload(form).await.has_status(200);
    talk(page, "another").await;
    page.key("k", 2).await;
    page.until("document.activeElement?.matches('.palette-field')")
        .await;
    page.types("whistle").await;
    page.shows(".result mark", "whistle").await;
    page.screenshot("palette-search").await;
    page.key("Enter", 0).await;
    page.until("!document.querySelector('dialog[open]')").await;
    page.until(&format!("location.pathname === {chat}")).await;
    page.until(
        "document.querySelector('.file-editor')?.value === 'The mouse folk hear a whistle.'",
    )
    .await;
    page.key("k", 2).await;
    page.until("document.activeElement?.matches('.palette-field')")
        .await;
    page.types("singing do").await;
    page.until(
        "[...document.querySelectorAll('.result mark')].some((e) => e.innerText === 'singing')",
    )
    .await;
    page.key("ArrowDown", 0).await;
    page.key("ArrowUp", 0).await;
    page.key("Enter", 0).await;
    page.until("!document.querySelector('dialog[open]')").await;
    page.is_clean(visit.server.address());
}
