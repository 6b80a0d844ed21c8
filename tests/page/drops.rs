//! Files that are dropped onto the page or pasted into it.

use std::fs;

use serde_json::json;

use super::{Visit, send, settled};
use crate::support::Browser;

#[tokio::test]
async fn files_are_dropped_anywhere_into_the_conversation() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    let folder = tempfile::tempdir().expect("a folder");
    let files = ["trial.md", "castle.txt"].map(|name| folder.path().join(name));
    for file in &files {
        fs::write(file, "Someone must have slandered Josef K.").expect("a file");
    }
    let drag = async |kind: &str, x: u32| {
        let data = json!({ "items": [], "files": files, "dragOperationsMask": 1 });
        let event = json!({ "type": kind, "x": x, "y": 300, "data": data });
        page.ask("Input.dispatchDragEvent", event).await;
    };
    drag("dragEnter", 700).await;
    drag("dragOver", 700).await;
    page.until("document.querySelector('.drop.visible')").await;
    page.screenshot("drag").await;
    // The side bar takes none.
    drag("dragOver", 100).await;
    page.until("!document.querySelector('.drop.visible')").await;
    drag("dragOver", 700).await;
    page.until("document.querySelector('.drop.visible')").await;
    drag("drop", 700).await;
    page.until("document.querySelectorAll('.transfer.stored').length === 2")
        .await;
    page.until("!document.querySelector('.drop.visible')").await;
    page.shows(".header .count", "2").await;
    page.screenshot("dropped").await;
    // A text that is dragged is no file.
    let text = json!([{ "mimeType": "text/plain", "data": "words" }]);
    for kind in ["dragEnter", "dragOver"] {
        let data = json!({ "items": text, "files": [], "dragOperationsMask": 1 });
        let event = json!({ "type": kind, "x": 700, "y": 300, "data": data });
        page.ask("Input.dispatchDragEvent", event).await;
    }
    assert_eq!(
        page.eval("document.querySelector('.drop.visible')").await,
        json!(null)
    );
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn files_are_pasted_and_text_stays_text() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-no-images-words-3-rate-0"]).await;
    let page = &visit.page;
    page.until("document.activeElement?.matches('.prompt')")
        .await;
    // What the clipboard has after a screenshot: one pixel.
    let png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
    let paste = format!(
        "(() => {{ const bytes = Uint8Array.from(atob('{png}'), (c) => c.charCodeAt(0)); \
         const data = new DataTransfer(); data.items.add(new File([bytes], 'pixel.png', {{ type: 'image/png' }})); \
         const event = new ClipboardEvent('paste', {{ clipboardData: data, bubbles: true, cancelable: true }}); \
         document.activeElement.dispatchEvent(event); return event.defaultPrevented }})()"
    );
    assert_eq!(page.eval(&paste).await, true);
    page.shows(".transfer.stored", "pixel.png").await;
    page.click(".transfer.stored .name").await;
    page.until("document.querySelector('img.preview')?.naturalWidth === 1")
        .await;
    page.screenshot("pasted").await;
    // It belongs to the prompt that follows; this model sees no picture and says so.
    page.eval("document.querySelector('.composer .prompt').focus()")
        .await;
    send(page, "What is this?").await;
    settled(page).await;
    page.shows(".message.user .files-of", "pixel.png").await;
    page.shows(".message.assistant .not-seen", "pixel.png")
        .await;
    page.until("document.querySelector('.files-of img')?.naturalWidth === 1")
        .await;
    page.until("!document.querySelector('.transfer')").await;
    page.screenshot("sent-with-picture").await;
    let text = "(() => { const data = new DataTransfer(); data.setData('text/plain', 'words'); \
                const event = new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }); \
                document.querySelector('.prompt').dispatchEvent(event); return event.defaultPrevented })()";
    assert_eq!(page.eval(text).await, false);
    page.is_clean(visit.server.address());
}
