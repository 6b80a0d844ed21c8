//! Files: uploads with progress and cancel, previews, versions and their differences.

use std::fs;

use serde_json::json;

use super::{Visit, add_notes, send, settled};
use crate::support::Browser;

#[tokio::test]
async fn an_upload_shows_its_progress_and_can_be_cancelled() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    let folder = tempfile::tempdir().expect("a folder");
    let (large, small) = (
        folder.path().join("large.bin"),
        folder.path().join("notes.md"),
    );
    fs::write(&large, vec![7; 8_000_000]).expect("a file");
    fs::write(&small, "# Notes\n\nSomeone must have slandered Josef K.\n").expect("a file");
    let slow = json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 400_000 });
    page.ask("Network.emulateNetworkConditions", slow).await;
    page.choose_files(".composer input[type=file]", &[large])
        .await;
    page.until("document.querySelector('.transfer progress')?.value > 0.05")
        .await;
    page.screenshot("upload").await;
    page.press("Cancel the upload of large.bin").await;
    page.until("!document.querySelector('.transfer')").await;
    let fast =
        json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1 });
    page.ask("Network.emulateNetworkConditions", fast).await;
    page.choose_files(".composer input[type=file]", &[small])
        .await;
    page.shows(".transfer.stored", "goes with your message")
        .await;
    // The cancelled one left nothing.
    page.until("document.querySelector('.header .count').innerText === '1'")
        .await;
    page.press("notes.md").await;
    page.until("document.querySelector('.file-editor')?.value.startsWith('# Notes')")
        .await;
    page.screenshot("file").await;
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn an_upload_belongs_to_the_chat_that_it_began_in() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    let folder = tempfile::tempdir().expect("a folder");
    let large = folder.path().join("large.bin");
    fs::write(&large, vec![7; 2_000_000]).expect("a file");
    let upload = async |bytes: i64| {
        let network = json!({ "offline": false, "latency": 0, "downloadThroughput": -1, "uploadThroughput": bytes });
        page.ask("Network.emulateNetworkConditions", network).await;
    };
    upload(400_000).await;
    page.choose_files(".composer input[type=file]", std::slice::from_ref(&large))
        .await;
    page.until("document.querySelector('.transfer progress')?.value > 0.05")
        .await;
    // A prompt waits for its files.
    page.eval("document.querySelector('.prompt').focus()").await;
    page.types("What is it?").await;
    page.key("Enter", 0).await;
    page.until("document.querySelector('.send:not(.stop)').disabled && document.querySelector('.prompt').value === 'What is it?'")
        .await;
    page.screenshot("upload-and-prompt").await;
    let chat = page.eval("location.pathname").await;
    page.press("New chat").await;
    page.until("location.pathname === '/' && !document.querySelector('.transfer')")
        .await;
    send(page, "something else").await;
    settled(page).await;
    let listed = format!(
        "/chat/{}/files?user_id={}",
        &chat.as_str().expect("a path")[3..],
        visit.user.id
    );
    let count = format!(
        "fetch('{listed}').then((answer) => answer.json()).then(({{ files }}) => files.length)"
    );
    while page.eval(&count).await != 1 {
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    upload(-1).await;
    send(page, "and more").await;
    page.until("document.querySelectorAll('.message').length === 4")
        .await;
    settled(page).await;
    page.until("!document.querySelector('.files-of') && !document.querySelector('.transfer')")
        .await;
    // There it is a file of the chat, and the prompt can be sent.
    page.click(&format!(".chat-row a[href={chat}]")).await;
    page.until(&format!(
        "location.pathname === {chat} && document.querySelector('.header .count').innerText === '1'"
    ))
    .await;
    page.until("document.querySelector('.prompt').value === 'What is it?' && !document.querySelector('.send:not(.stop)').disabled")
        .await;
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn versions_are_compared_and_restored() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-compose-rate-0"]).await;
    let page = &visit.page;
    page.click("#compose").await;
    send(page, "write plan.md").await;
    settled(page).await;
    page.until("document.querySelector('.header .count').innerText === '1'")
        .await;
    page.press("Files").await;
    page.click(".files .file").await;
    page.until("document.querySelector('.file-editor')?.value.includes('line two')")
        .await;
    page.eval(
        "{ const e = document.querySelector('.file-editor'); e.value = e.value.replace('line two', 'another line'); \
         e.dispatchEvent(new Event('input')) }",
    )
    .await;
    page.press("Save a version").await;
    page.shows(".versions", "Version 2").await;
    // The text is that of the newest version, and whole, though a shorter one was read before.
    page.until(
        "document.querySelector('.file-editor')?.value.endsWith('another line\\nline three\\n')",
    )
    .await;
    page.click(".versions li button").await;
    page.shows(".diff .added", "another line").await;
    page.shows(".diff .removed", "line two").await;
    page.screenshot("diff").await;
    page.press_choice("Side by side").await;
    page.until(
        "[...document.querySelectorAll('table.beside tr')].some((row) => row.querySelector('.removed')?.innerText === \
         'line two' && row.querySelector('.added')?.innerText === 'another line')",
    )
    .await;
    page.until("document.querySelector('.with-wide-panel')")
        .await;
    page.screenshot("diff-beside").await;
    page.press_choice("Inline").await;
    page.until(
        "!document.querySelector('.with-wide-panel') && !document.querySelector('table.beside')",
    )
    .await;
    page.press("Restore").await;
    page.shows(".versions", "Version 3").await;
    page.until("document.querySelector('.file-editor')?.value.includes('line two')")
        .await;
    // A file can be given to the model to change.
    page.press("Let the model change it").await;
    page.until("document.querySelector('.target').value === 'plan.md'")
        .await;
    // In this chat only.
    page.press("New chat").await;
    page.until("location.pathname === '/' && document.querySelector('.target').value === ''")
        .await;
    page.is_clean(visit.server.address());
}

/// A text in another encoding is shown as it was read, and can't be saved with letters that are lost.
#[tokio::test]
async fn a_text_that_is_not_utf_8_is_shown_and_not_edited() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("letter.txt");
    let text: &[u8] = b"Dear Mr. M\xfcller,\n\nthe caf\xe9 is closed.\n";
    fs::write(&file, text).expect("a file");
    page.choose_files(".composer input[type=file]", &[file])
        .await;
    page.click(".transfer.stored .name").await;
    page.shows(".read-text", "Müller").await;
    page.shows(".read-text", "café").await;
    page.screenshot("windows-1252").await;
    page.until("!document.querySelector('.file-editor')").await;
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn what_is_written_in_a_file_waits_to_be_saved() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    add_notes(page).await;
    page.click(".transfer.stored .name").await;
    page.until("document.querySelector('.file-editor')").await;
    page.eval("document.querySelector('.file-editor').focus()")
        .await;
    page.types("Draft. ").await;
    // Escape leaves the panel as it is, and another look at the list leaves the text.
    page.key("Escape", 0).await;
    page.press("All files").await;
    page.shows(".files .file", "notes.md").await;
    page.click(".files .file").await;
    page.until("document.querySelector('.file-editor')?.value.includes('Draft. ')")
        .await;
    page.screenshot("file-draft").await;
    page.press("Discard changes").await;
    page.until(
        "document.querySelector('.file-editor').value === 'Someone must have slandered Josef K.'",
    )
    .await;
    page.eval("document.querySelector('.file-editor').focus()")
        .await;
    page.types("Saved. ").await;
    page.press("Save a version").await;
    page.shows(".versions", "Version 2").await;
    page.until("document.querySelector('.file-editor')?.value.includes('Saved. ') && \
                [...document.querySelectorAll('.file-view button')].every((e) => e.innerText !== 'Discard changes' || !e.checkVisibility())")
        .await;
    page.is_clean(visit.server.address());
}

/// The list says that a text is being read until it is, without a reload.
#[tokio::test]
async fn the_list_follows_what_is_being_read() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    let file = crate::support::repository().join("tests/cases/files/letter.docx");
    page.choose_files(".composer input[type=file]", &[file])
        .await;
    page.shows(".transfer.stored", "letter.docx").await;
    page.press("Files").await;
    let is_read = "document.querySelector('.files .file') && !document.querySelector('.panel-body').innerText.includes('being read…')";
    page.until(is_read).await;
    // As if another server were still at it, however fast this one was.
    let server = &visit.server;
    server
        .change("UPDATE file_text SET state = 'pending', alive_at = unixepoch() * 1000")
        .await;
    let url = page.eval("location.href").await;
    page.go_to(url.as_str().expect("an address")).await;
    page.press("Files").await;
    page.shows(".files .file", "being read…").await;
    // That one is gone, and somebody asks.
    server.change("UPDATE file_text SET alive_at = 0").await;
    let chat = url.as_str().and_then(|url| url.rsplit('/').next());
    let path = format!("/chat/{}/files", chat.expect("a chat"));
    server.get(&path).send().await.has_status(200);
    page.until(is_read).await;
    page.is_clean(visit.server.address());
}

#[tokio::test]
async fn what_models_read_of_documents_is_shown() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-3-rate-0"]).await;
    let page = &visit.page;
    let cases = crate::support::repository().join("tests/cases");
    let documents = [
        ("files/letter.docx", "letter.docx"),
        ("pdf/crazyones-pdfa.pdf", "crazyones-pdfa.pdf"),
    ];
    for (path, name) in documents {
        page.choose_files(".composer input[type=file]", &[cases.join(path)])
            .await;
        page.until(&format!(
            "[...document.querySelectorAll('.transfer.stored .name')].at(-1)?.innerText === '{name}'"
        ))
        .await;
        page.click(".transfer.stored:last-child .name").await;
        page.shows(".panel-head", name).await;
        page.until("document.querySelector('.read-text')?.innerText.length > 10")
            .await;
        page.screenshot(&format!("read-{}", name.replace('.', "-")))
            .await;
    }
    page.shows(".read-text", "crazy ones").await;
    page.is_clean(visit.server.address());
}
