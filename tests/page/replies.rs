//! How replies are made, at three levels, and what they took.

use serde_json::json;

use super::{Visit, send, settled};
use crate::support::{Browser, Page};

/// Puts a value into a field of the dialog.
async fn fill(page: &Page, name: &str, value: &str) {
    page.until(&format!("document.querySelector('#set-{name}')"))
        .await;
    page.eval(&format!(
        "(() => {{ const f = document.querySelector('#set-{name}'); f.value = {}; f.dispatchEvent(new Event('input')) }})()",
        json!(value)
    ))
    .await;
}

#[tokio::test]
async fn settings_of_three_levels_say_what_holds_and_from_where() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0", "fake-words-3-rate-0"]).await;
    let page = &visit.page;
    send(page, "one").await;
    settled(page).await;
    page.shows(".assistant .about", "fake-words-3").await;
    page.press("How replies are made").await;
    page.until("document.querySelector('dialog input[value=chat]:checked')")
        .await;
    page.shows("#about-temperature", "Nothing is set").await;
    page.click("dialog input[value=user]").await;
    fill(page, "instructions", "Answer in German.").await;
    fill(page, "temperature", "0.2").await;
    fill(page, "extra", "{\"seed\": ").await;
    page.press("Save").await;
    page.until("!document.querySelector('#set-extra').validity.valid")
        .await;
    fill(page, "extra", "{\"seed\": 7}").await;
    page.press("Save").await;
    page.shows("#about-temperature", "0.2, from all chats")
        .await;
    page.click("dialog input[value=workspace]").await;
    fill(page, "temperature", "1.5").await;
    page.press("Save").await;
    page.shows(
        "#about-temperature",
        "1.5, from the workspace Default Workspace",
    )
    .await;
    page.click("dialog input[value=chat]").await;
    page.eval("document.querySelector('#set-model_id').selectedIndex = 1")
        .await;
    page.eval("document.querySelector('#set-reasoning_effort').value = 'low'")
        .await;
    page.press("Save").await;
    page.shows("#about-reasoning_effort", "low, from this chat")
        .await;
    page.shows("#about-temperature", "1.5, from the workspace")
        .await;
    page.shows("#about-extra", "{\"seed\":7}, from all chats")
        .await;
    page.shows("#about-instructions", "Models read those of all chats")
        .await;
    page.shows("#about-model_id", "fake-say-rate-0, from this chat")
        .await;
    page.screenshot("replies").await;
    page.key("Escape", 0).await;
    page.until("!document.querySelector('dialog[open]')").await;
    // The composer takes the chat's model.
    page.until(
        "document.querySelector('select.model').selectedOptions[0].text === 'fake-say-rate-0'",
    )
    .await;
    page.eval("document.querySelector('.prompt').focus()").await;
    send(page, "two").await;
    settled(page).await;
    page.shows(".message:last-child .about", "fake-say-rate-0")
        .await;
    let chat = page.eval("location.pathname").await;
    let chat = chat.as_str().expect("a path").replace("/c/", "/chat/");
    let details = visit.server.get(&chat).send().await.json();
    assert_eq!(
        details["in_force"]["temperature"],
        json!({ "level": "workspace", "value": 1.5 })
    );
    assert_eq!(details["settings"]["reasoning_effort"], "low");
    assert_eq!(details["settings"]["temperature"], json!(null));
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn usage_is_summed_by_day_model_and_chat() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    page.press("Settings").await;
    page.press("Usage").await;
    page.shows(".usage-table", "No reply took tokens").await;
    page.key("Escape", 0).await;
    page.eval("document.querySelector('.prompt').focus()").await;
    send(page, "Count me").await;
    settled(page).await;
    page.key("k", 2).await;
    page.until("document.activeElement?.matches('.palette-field')")
        .await;
    page.types("usage").await;
    page.key("Enter", 0).await;
    page.shows("table.usage thead", "Day").await;
    page.shows("dialog[open]", "tokens this month").await;
    page.click("dialog input[value=model]").await;
    page.shows("table.usage tbody", "fake-say-rate-0").await;
    page.screenshot("usage").await;
    page.click("dialog input[value=chat]").await;
    page.shows("table.usage tbody", "Count me").await;
    page.is_clean(visit.server.address());
}
