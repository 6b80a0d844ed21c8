//! The pages of the documentation: examples to try out, contents, anchors, and the client that is printed there.

use serde_json::json;

use super::{Visit, at, send, settled};
use crate::support::{Browser, Look, Server};

const PHONE: Look = Look {
    width: 390,
    height: 844,
    dark: false,
};

/// Elements that reach beyond the screen, unless something around them scrolls by itself.
const TOO_WIDE: &str = "[...document.querySelectorAll('body *')].filter((e) => { \
    if (!e.checkVisibility() || e.getBoundingClientRect().right <= innerWidth + 1) return false; \
    for (let up = e.parentElement; up; up = up.parentElement) \
      if (up.matches('pre, table, textarea, .microlight, .highlight-code') || ['auto', 'scroll', 'hidden'].includes(getComputedStyle(up).overflowX) && up.getBoundingClientRect().right <= innerWidth + 1 && up.matches('pre, table, .highlight-code, .responses-table')) return false; \
    return true; }).slice(0, 5).map((e) => `${e.tagName}.${e.className} ${Math.round(e.getBoundingClientRect().right)}`)";

#[tokio::test]
async fn try_it_out_begins_with_examples() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let server = Server::start().await;
    for (look, name) in [(Look::default(), "docs"), (PHONE, "phone-docs-operation")] {
        let page = browser.open_as(&at(server.address(), "/docs"), look).await;
        let operation = "document.querySelector('#operations-chat-chat_new')";
        page.until(operation).await;
        if name == "docs" {
            page.screenshot("docs").await;
        }
        page.eval(&format!("{operation}.querySelector('button').click()"))
            .await;
        page.until(&format!("{operation}.querySelector('.try-out__btn')"))
            .await;
        page.eval(&format!(
            "{operation}.querySelector('.try-out__btn').click()"
        ))
        .await;
        page.until(&format!(
            "[...{operation}.querySelectorAll('input, textarea')].some((e) => e.value.includes('The trial'))"
        ))
        .await;
        let values = page
            .eval(&format!(
                "[...{operation}.querySelectorAll('input[type=text], textarea')].map((e) => e.value)"
            ))
            .await;
        for value in values.as_array().expect("a list") {
            let value = value.as_str().expect("a text");
            assert!(
                !value.is_empty() && !value.contains("\"string\"") && value != "string",
                "{values}"
            );
        }
        page.eval(&format!("{operation}.scrollIntoView()")).await;
        page.screenshot(&format!("{name}-try")).await;
        if look.width == PHONE.width {
            assert_eq!(page.eval(TOO_WIDE).await, json!([]), "/docs");
            page.is_not_too_wide("/docs").await;
        }
    }
}

#[tokio::test]
async fn the_api_is_dark_in_the_dark() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let axe = browser.axe().await;
    let server = Server::start().await;
    for dark in [false, true] {
        let look = Look {
            dark,
            ..Look::default()
        };
        let page = browser.open_as(&at(server.address(), "/docs"), look).await;
        page.until("document.querySelector('#operations-chat-chat_new')")
            .await;
        for place in ["body", ".swagger-ui"] {
            let brightness = page
                .eval(&format!(
                    "(() => {{ const c = document.createElement('canvas').getContext('2d'); c.fillStyle = '#fff'; \
                     c.fillRect(0, 0, 1, 1); c.fillStyle = getComputedStyle(document.querySelector('{place}')).backgroundColor; \
                     c.fillRect(0, 0, 1, 1); return Math.max(...c.getImageData(0, 0, 1, 1).data.slice(0, 3)) }})()"
                ))
                .await;
            assert_eq!(brightness.as_u64() < Some(60), dark, "{place}");
        }
        page.screenshot(if dark { "dark-docs" } else { "light-docs" })
            .await;
        // What is ours; the rest is as Swagger UI has it.
        page.eval(&format!("{axe};0")).await;
        let found = page
            .eval(
                "axe.run({ include: [['nav'], ['footer']] }, { resultTypes: ['violations'] })\
                 .then(({ violations }) => violations.map(({ id, nodes }) => `${id} ${nodes[0].html}`))",
            )
            .await;
        assert_eq!(found, json!([]), "dark: {dark}");
    }
}

#[tokio::test]
async fn the_protocol_has_contents_and_anchors() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let server = Server::start().await;
    let page = browser
        .open_as(&at(server.address(), "/docs/websocket"), PHONE)
        .await;
    let without = "[...document.querySelectorAll('main :is(h2, h3)')].filter((e) => e.id !== 'contents' && \
         (!document.querySelector(`.contents a[href='#${e.id}']`) || !e.querySelector(`a.anchor[href='#${e.id}']`)))\
         .map((e) => e.innerText)";
    assert_eq!(page.eval(without).await, json!([]));
    assert_eq!(page.eval(TOO_WIDE).await, json!([]), "/docs/websocket");
    page.screenshot("phone-websocket").await;
    page.click(".contents a[href='#keeping-up']").await;
    page.until("location.hash === '#keeping-up' && Math.abs(document.querySelector('#keeping-up').getBoundingClientRect().top) < 100")
        .await;
    page.screenshot("phone-websocket-chapter").await;
    let page = browser.open(&at(server.address(), "/docs/websocket")).await;
    page.screenshot("websocket").await;
}

/// What is printed there is a client that works.
#[tokio::test]
async fn the_printed_client_follows_a_chat() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-60-rate-20", "fake-say-rate-0"]).await;
    let docs = browser
        .open(&at(visit.server.address(), "/docs/websocket"))
        .await;
    let code = docs
        .eval("[...document.querySelectorAll('pre')].map((e) => e.innerText).find((text) => text.startsWith('function follow'))")
        .await;
    let code = code.as_str().expect("the client is printed");
    assert!(code.trim_end().lines().count() <= 60);
    let page = &visit.page;
    send(page, "hello").await;
    settled(page).await;
    let follow = format!(
        "{code}; window.say = follow(location.pathname.slice(3), (branch) => window.branch = branch); 0"
    );
    page.eval(&follow).await;
    page.until("window.branch?.length === 2 && window.branch[1].content.includes('hello')")
        .await;
    page.eval("window.say('count', 'fake-words-60-rate-20')")
        .await;
    let words: Vec<_> = (1..=60).map(|number| format!("w{number}")).collect();
    page.until(&format!(
        "window.branch.length === 4 && window.branch[3].status === 'complete' && window.branch[3].content.trim() === '{}'",
        words.join(" ")
    ))
    .await;
    let path = page
        .eval("`/chat/${location.pathname.slice(3)}/messages/${window.branch[2].id}`")
        .await;
    let deleted = visit.server.delete(path.as_str().expect("a path")).send();
    deleted.await.has_status(200);
    page.until("window.branch.length === 2").await;
}
