//! Everything without a pointer.

use super::{Visit, at, log_in, settled, user_with};
use crate::support::{Browser, FakeModel, Server};

#[tokio::test]
async fn everything_works_with_the_keyboard_alone() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let model = FakeModel::start();
    let server = Server::start().await;
    let user = user_with(&server, &model, &["fake-words-5000-rate-20"]).await;
    let page = browser.open(&at(server.address(), "/")).await;
    log_in(&page, &user.email).await;
    page.types("go on").await;
    page.key("Enter", 8).await;
    page.types("and on").await;
    page.key("Enter", 0).await;
    page.shows(".assistant .body", "w3").await;
    page.shows(".user .bubble", "go on\nand on").await;
    // The palette stops it, and the focus comes back.
    page.key("k", 2).await;
    page.until("document.activeElement?.matches('.palette-field')")
        .await;
    page.screenshot("palette").await;
    page.types("stop").await;
    page.key("Enter", 0).await;
    settled(&page).await;
    page.until("document.activeElement?.matches('.prompt')")
        .await;
    // Tab reaches what is there, with a visible focus.
    let mut reached = Vec::new();
    for _ in 0..40 {
        page.key("Tab", 0).await;
        let label = page
            .eval("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText")
            .await;
        let outline = page
            .eval("getComputedStyle(document.activeElement).outlineStyle")
            .await;
        let name = label.as_str().unwrap_or_default().to_owned();
        let is_switch = page
            .eval("document.activeElement.type === 'checkbox'")
            .await
            == true;
        if page.eval("document.activeElement === document.body").await == true {
            continue;
        }
        assert!(
            is_switch || outline != "none" || name == "Message",
            "{name:?} has no visible focus"
        );
        reached.push(name);
    }
    for wanted in [
        "Another reply",
        "Copy the reply",
        "Edit the prompt",
        "New chat",
        "Models",
        "Settings",
        "Files",
        "Add files",
    ] {
        assert!(
            reached.iter().any(|name| name.contains(wanted)),
            "{wanted} is not among {reached:?}"
        );
    }
    // A dialog holds the focus, and Escape closes it.
    page.key("k", 2).await;
    page.until("document.activeElement?.matches('.palette-field')")
        .await;
    page.types("settings").await;
    page.key("Enter", 0).await;
    page.shows("dialog[open]", "Theme").await;
    page.screenshot("settings").await;
    page.key("Escape", 0).await;
    page.until("!document.querySelector('dialog[open]')").await;
    page.is_clean(server.address());
}

/// What is pressed has the focus still when it is drawn again.
#[tokio::test]
async fn a_rating_keeps_the_focus() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    super::send(page, "rate me").await;
    settled(page).await;
    page.eval("document.querySelector('[aria-label=\"Good reply\"]').focus()")
        .await;
    for pressed in ["true", "false"] {
        page.key("Enter", 0).await;
        page.until(&format!(
            "document.querySelector('[aria-label=\"Good reply\"]').ariaPressed === '{pressed}' && \
             document.activeElement?.ariaLabel === 'Good reply'"
        ))
        .await;
    }
}

#[tokio::test]
async fn everything_that_acts_has_a_name() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    super::send(page, "names").await;
    settled(page).await;
    page.press("Files").await;
    let nameless = "[...document.querySelectorAll('button, a, input, select, textarea, [role]')].filter((e) => \
                    e.checkVisibility() && !e.closest('[aria-hidden=true]') && !(e.innerText ?? '').trim() && \
                    !e.getAttribute('aria-label') && !e.labels?.length && !['status', 'listbox'].includes(e.role)).map((e) => e.outerHTML)";
    assert_eq!(page.eval(nameless).await, serde_json::json!([]));
    for dialog in ["Models", "Settings"] {
        page.press(dialog).await;
        page.until("document.querySelector('dialog[open]')").await;
        assert_eq!(page.eval(nameless).await, serde_json::json!([]), "{dialog}");
        page.key("Escape", 0).await;
        page.until("!document.querySelector('dialog[open]')").await;
    }
}
