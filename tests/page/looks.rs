//! Small screens, and the dark.

use super::{at, log_in, send, settled};
use crate::support::{Browser, Look, Page, Server};

const PHONE: Look = Look {
    width: 390,
    height: 844,
    dark: false,
};

async fn talked(browser: &Browser, server: &Server, look: Look) -> Page {
    let page = browser.open_as(&at(server.address(), "/"), look).await;
    log_in(&page, "newcomer@example.com").await;
    if page
        .eval("document.querySelectorAll('[data-demo]').length")
        .await
        == 1
    {
        page.press("Use the demo model").await;
        page.until("document.querySelector('select.model').selectedOptions[0]?.text === 'demo'")
            .await;
    }
    page.eval("document.querySelector('.prompt').focus()").await;
    send(
        &page,
        "What is a trial without an accusation, and who would sit in judgement over it?",
    )
    .await;
    settled(&page).await;
    page
}

#[tokio::test]
async fn a_phone_is_wide_enough() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let server = Server::start().await;
    let page = browser.open_as(&at(server.address(), "/"), PHONE).await;
    page.until("document.activeElement?.id === 'email'").await;
    page.is_not_too_wide("the first visit").await;
    page.screenshot("phone-first-visit").await;
    let page = talked(&browser, &server, PHONE).await;
    page.is_not_too_wide("a conversation").await;
    page.screenshot("phone-conversation").await;
    page.press("Chats").await;
    page.until("document.querySelector('.with-sidebar')").await;
    // After it has come in.
    page.until("document.querySelector('.sidebar').getBoundingClientRect().left === 0")
        .await;
    page.is_not_too_wide("the side bar").await;
    page.screenshot("phone-chats").await;
    page.press("Models").await;
    page.until("document.querySelector('dialog[open]')").await;
    page.press("Add a model").await;
    page.until("document.querySelector('.model-form')").await;
    page.is_not_too_wide("the models").await;
    page.screenshot("phone-models").await;
    page.key("Escape", 0).await;
    page.until("!document.querySelector('dialog[open]')").await;
    page.press("How replies are made").await;
    page.until("document.querySelector('#set-extra')").await;
    page.is_not_too_wide("how replies are made").await;
    page.screenshot("phone-replies").await;
    page.key("Escape", 0).await;
    page.until("!document.querySelector('dialog[open]')").await;
    for (command, there) in [("usage", "table.usage"), ("judgement", ".result mark")] {
        page.key("k", 2).await;
        page.until("document.activeElement?.matches('.palette-field')")
            .await;
        page.types(command).await;
        if command == "usage" {
            page.key("Enter", 0).await;
        }
        page.until(&format!("document.querySelector('{there}')"))
            .await;
        page.is_not_too_wide(command).await;
        page.screenshot(&format!("phone-{command}")).await;
        page.key("Escape", 0).await;
        page.until("!document.querySelector('dialog[open]')").await;
    }
    page.press("Files").await;
    page.until("document.querySelector('.with-panel')").await;
    page.is_not_too_wide("the files").await;
    page.screenshot("phone-files").await;
    for path in ["/docs/websocket", "/docs"] {
        page.go_to(&at(server.address(), path)).await;
        page.until("document.querySelector('main, .swagger-ui .info')")
            .await;
        page.is_not_too_wide(path).await;
        page.screenshot(&format!("phone{}", path.replace('/', "-")))
            .await;
    }
}

#[tokio::test]
async fn the_dark_is_dark_by_the_system_and_by_choice() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let server = Server::start().await;
    let dark = Look {
        dark: true,
        ..Look::default()
    };
    let page = talked(&browser, &server, dark).await;
    let brightness = "(() => { const c = document.createElement('canvas').getContext('2d'); \
         c.fillStyle = getComputedStyle(document.body).backgroundColor; c.fillRect(0, 0, 1, 1); \
         return Math.max(...c.getImageData(0, 0, 1, 1).data.slice(0, 3)) })()";
    assert!(page.eval(brightness).await.as_u64() < Some(60));
    page.screenshot("dark").await;
    page.press("Settings").await;
    page.until("document.querySelector('dialog[open]')").await;
    page.screenshot("dark-settings").await;
    for (dialog, there) in [
        ("How replies are made", "#set-extra"),
        ("Usage", "table.usage"),
    ] {
        page.eval(&format!(
            "[...document.querySelectorAll('dialog button')].find((e) => e.innerText === '{dialog}').click()"
        ))
        .await;
        page.until(&format!("document.querySelector('{there}')"))
            .await;
        page.screenshot(&format!("dark-{}", dialog.to_lowercase().replace(' ', "-")))
            .await;
        page.key("Escape", 0).await;
        page.until("!document.querySelector('dialog[open]')").await;
        page.press("Settings").await;
        page.until("document.querySelector('dialog[open]')").await;
    }
    page.click("dialog input[value=light]").await;
    assert!(page.eval(brightness).await.as_u64() > Some(200));
    // The choice lasts, from the first paint on.
    page.go_to(&at(server.address(), "/")).await;
    assert!(page.eval(brightness).await.as_u64() > Some(200));
    page.is_clean(server.address());
}
