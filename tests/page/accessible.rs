//! What axe finds on each screen, in the light and in the dark: nothing.

use std::fs;

use super::{at, log_in, send, settled};
use crate::support::provider::{FakeProvider, Key};
use crate::support::{Browser, FakeMail, Look, Server, Setup};

#[tokio::test]
async fn axe_finds_nothing_on_any_screen() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let axe = browser.axe().await;
    let server = Server::start().await;
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("trial.md");
    fs::write(&file, "Someone must have slandered Josef K.\n").expect("a file");
    for dark in [false, true] {
        let look = Look {
            dark,
            ..Look::default()
        };
        let page = browser.open_as(&at(server.address(), "/"), look).await;
        let looks = async |what: &str| {
            page.is_accessible(&axe, &format!("{what}, dark: {dark}"))
                .await
        };
        page.until("document.activeElement?.id === 'email'").await;
        looks("the first visit").await;
        log_in(&page, &format!("dark-{dark}@example.com")).await;
        looks("no model").await;
        page.press("Use the demo model").await;
        page.until("document.querySelector('select.model').selectedOptions[0]?.text === 'demo'")
            .await;
        send(&page, "hello").await;
        page.until("document.querySelector('.assistant.is-running .markdown blockquote')")
            .await;
        looks("a reply that grows").await;
        settled(&page).await;
        looks("a conversation").await;
        page.press("Edit the prompt").await;
        page.until("document.activeElement?.matches('.edit-box textarea')")
            .await;
        looks("an edited prompt").await;
        page.key("Escape", 0).await;
        page.press("Files").await;
        looks("no files").await;
        page.press("More about hello").await;
        page.until("document.querySelector('.menu')").await;
        looks("a menu").await;
        page.key("Escape", 0).await;
        for dialog in ["Models", "Settings"] {
            page.press(dialog).await;
            page.until("document.querySelector('dialog[open]')").await;
            looks(dialog).await;
            page.key("Escape", 0).await;
            page.until("!document.querySelector('dialog[open]')").await;
        }
        for dialog in ["How replies are made", "Usage"] {
            page.press("Settings").await;
            page.until("document.querySelector('dialog[open]')").await;
            page.eval(&format!(
                "[...document.querySelectorAll('dialog button')].find((e) => e.innerText === '{dialog}').click()"
            ))
            .await;
            page.until("document.querySelector('#set-extra, table.usage')")
                .await;
            looks(dialog).await;
            page.key("Escape", 0).await;
            page.until("!document.querySelector('dialog[open]')").await;
        }
        page.press("Good reply").await;
        page.until("document.querySelector('.chosen')").await;
        page.press("More about this reply").await;
        page.press("Add a note").await;
        page.until("document.activeElement?.matches('dialog textarea')")
            .await;
        looks("a note").await;
        page.types("a note").await;
        page.press("Save").await;
        page.shows(".note-of", "a note").await;
        looks("a rated reply").await;
        page.eval("document.querySelector('input.search').focus()")
            .await;
        page.types("hello").await;
        page.until("document.querySelector('.hit mark')").await;
        looks("what was found").await;
        page.key("Escape", 0).await;
        page.key("k", 2).await;
        page.until("document.activeElement?.matches('.palette-field')")
            .await;
        looks("the palette").await;
        page.types("hello").await;
        page.until("document.querySelector('.result mark')").await;
        looks("the palette's hits").await;
        page.key("Escape", 0).await;
        page.until("!document.querySelector('dialog[open]')").await;
        page.choose_files(".composer input[type=file]", std::slice::from_ref(&file))
            .await;
        page.shows(".transfer.stored", "trial.md").await;
        looks("an added file").await;
        page.click(".transfer.stored .name").await;
        page.until("document.querySelector('.file-editor')").await;
        page.eval("document.querySelector('.file-editor').focus()")
            .await;
        page.types("One morning: ").await;
        looks("a text that is not saved").await;
        page.press("Save a version").await;
        page.shows(".versions", "Version 2").await;
        page.click(".versions li button").await;
        page.until("document.querySelector('.diff .added')").await;
        looks("changes").await;
        page.press_choice("Side by side").await;
        page.until("document.querySelector('table.beside')").await;
        looks("changes side by side").await;
        page.screenshot(&format!("beside-dark-{dark}")).await;
        page.press_choice("Inline").await;
        page.press("Log out").await;
        page.until("document.querySelector('.welcome')").await;
        page.is_clean(server.address());
    }
}

#[tokio::test]
async fn axe_finds_nothing_where_one_logs_in() {
    let Some(browser) = Browser::start() else {
        return;
    };
    let axe = browser.axe().await;
    let provider = FakeProvider::start(&[&Key::ec("e")]).await;
    let mail = FakeMail::start();
    let mut setup = Setup::app().token_mode(&mail);
    for (name, value) in provider.variables() {
        setup = setup.variable(name, &value);
    }
    let server = setup.start().await;
    for dark in [false, true] {
        let look = Look {
            dark,
            ..Look::default()
        };
        let page = browser.open_as(&at(server.address(), "/"), look).await;
        let looks = async |what: &str| {
            page.is_accessible(&axe, &format!("{what}, dark: {dark}"))
                .await
        };
        page.until("document.activeElement?.id === 'email'").await;
        looks("a login with a provider").await;
        page.types(&format!("dark-{dark}@example.com")).await;
        page.key("Enter", 0).await;
        page.until("document.activeElement?.id === 'code'").await;
        looks("a code from the mail").await;
        page.press("Log in with 127.0.0.1").await;
        page.shows(".notes", "has not logged you in").await;
        looks("a login that was refused").await;
        page.screenshot(&format!("login-dark-{dark}")).await;
    }
}
