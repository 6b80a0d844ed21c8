//! Two windows of one person.

use std::process::Command;
use std::time::Duration;

use super::wire::Wire;
use super::{Visit, at, log_in, send, settled};
use crate::support::{Browser, Server, Setup, fresh_state, login};

#[tokio::test]
async fn two_windows_stay_the_same() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-words-60-rate-30"]).await;
    let one = &visit.page;
    send(one, "count").await;
    one.shows(".assistant .body", "w2").await;
    let path = one.eval("location.pathname").await;
    let path = path.as_str().expect("a path");
    let two = browser.open(&at(visit.server.address(), path)).await;
    // In the middle of the reply.
    two.until("document.querySelector('.assistant.is-running')")
        .await;
    settled(one).await;
    settled(&two).await;
    let text = "[...document.querySelectorAll('.message')].map((m) => m.innerText).join()";
    assert_eq!(one.eval(text).await, two.eval(text).await);
    let words: Vec<_> = (1..=60).map(|n| format!("w{n}")).collect();
    two.shows(".assistant .body", &words.join(" ")).await;
    // What one does, the other shows: a prompt, and a name.
    send(&two, "again").await;
    one.until("document.querySelectorAll('.message').length === 4")
        .await;
    settled(one).await;
    one.press("More about count").await;
    one.press("Rename").await;
    one.until("document.activeElement?.matches('.rename')")
        .await;
    one.types("Numbers").await;
    one.key("Enter", 0).await;
    two.shows(".title", "Numbers").await;
    two.shows(".chat-row a", "Numbers").await;
    two.screenshot("second-window").await;
    // Deleted here, it is closed there.
    one.press("More about Numbers").await;
    one.press("Delete…").await;
    one.press("Delete").await;
    two.shows(".notes", "This chat was deleted.").await;
    two.until("location.pathname === '/'").await;
    one.is_clean(visit.server.address());
    two.is_clean(visit.server.address());
}

/// After a backup was restored, numbers are lower than a window knows; it follows all the same.
#[tokio::test]
async fn a_window_follows_a_server_whose_backup_was_restored() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let server = Server::start().await;
    let user = login(&server, "josef@example.com").await;
    let state = server.kill();
    let backup = fresh_state();
    let copied = Command::new("cp")
        .arg("-a")
        .arg(state.path().join("."))
        .arg(backup.path())
        .status();
    assert!(copied.expect("cp runs").success());
    let server = Setup::app().state(state).start().await;
    let wire = Wire::to(server.address()).await;
    let page = browser.open(&at(wire.address(), "/")).await;
    log_in(&page, &user.email).await;
    for name in ["one", "two", "three"] {
        server.chat(&user, name).await;
    }
    page.until("document.querySelectorAll('.chat-row').length === 3")
        .await;
    server.kill();
    let server = Setup::app().state(backup).start().await;
    wire.leads_to(server.address());
    page.until("document.querySelectorAll('.chat-row').length === 0")
        .await;
    server.chat(&user, "four").await;
    let shown = page.shows(".chat-row a", "four");
    // Sooner than the list is read without a reason.
    let shown = tokio::time::timeout(Duration::from_secs(20), shown).await;
    assert!(shown.is_ok(), "the feed is ignored");
    assert_eq!(page.errors(), [""; 0]);
}

#[tokio::test]
async fn the_deletion_of_another_workspace_leaves_the_chat_open() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let visit = Visit::start(&browser, &["fake-say-rate-0"]).await;
    let page = &visit.page;
    send(page, "hello").await;
    settled(page).await;
    visit.server.workspace(&visit.user, "Castle").await;
    let path = page.eval("location.pathname").await;
    page.until("document.querySelector('select.workspace').textContent.includes('Castle')")
        .await;
    page.eval(
        "{ const s = document.querySelector('select.workspace'); s.value = '+'; s.dispatchEvent(new Event('change')) }",
    )
    .await;
    page.press("Delete Castle").await;
    page.shows("dialog.question", "deleted with all of its chats")
        .await;
    page.press("Delete").await;
    page.until("!document.querySelector('select.workspace').textContent.includes('Castle')")
        .await;
    page.key("Escape", 0).await;
    page.until("!document.querySelector('dialog[open]')").await;
    assert_eq!(page.eval("location.pathname").await, path);
    page.shows(".assistant .body", "hello").await;
    page.is_clean(visit.server.address());
}
