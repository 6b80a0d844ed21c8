//! The page in a real browser. Each test leaves screenshots in `target/page/`, to be looked at.

mod accessible;
mod conversation;
mod docs;
mod drafts;
mod drops;
mod figures;
mod files;
mod first_visit;
mod hostile;
mod house;
mod keyboard;
mod long;
mod looks;
mod messages;
mod network;
mod provider;
mod replies;
mod search;
mod sessions;
mod token_mode;
mod windows;
mod wire;

use std::fs;

use crate::support::{Browser, FakeMail, FakeModel, Page, Server, User, login};

/// A person who has logged in on a page, with the models of a fake endpoint.
pub struct Visit {
    pub server: Server,
    pub page: Page,
    pub user: User,
    // Dropped last.
    _model: FakeModel,
}

/// The address of a path of the page.
pub fn at(address: &str, path: &str) -> String {
    format!("http://{address}{path}")
}

/// Makes a user with these models, the last of which the page chooses.
pub async fn user_with(server: &Server, model: &FakeModel, names: &[&str]) -> User {
    let user = login(server, "josef@example.com").await;
    for name in names {
        let form = [
            ("user_id", user.id.as_str()),
            ("name", name),
            ("ak", "any"),
            ("base_url", &model.base_url()),
        ];
        let saved = server.post("/models/new").form(&form);
        saved.send().await.has_status(200);
    }
    user
}

/// Logs in on the page.
pub async fn log_in(page: &Page, email: &str) {
    page.until("document.activeElement?.id === 'email'").await;
    page.types(email).await;
    page.key("Enter", 0).await;
    page.until("document.querySelector('.composer')").await;
}

/// Logs in with a code from the mail (token mode).
pub async fn log_in_by_mail(page: &Page, mail: &FakeMail, email: &str) {
    page.until("document.activeElement?.id === 'email'").await;
    page.types(email).await;
    page.key("Enter", 0).await;
    page.until("document.activeElement?.id === 'code'").await;
    page.types(&mail.code(email).await).await;
    page.key("Enter", 0).await;
    page.until("document.querySelector('.composer')").await;
}

/// Adds a file `notes.md` to the prompt, and waits until it is stored.
pub async fn add_notes(page: &Page) {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("notes.md");
    fs::write(&file, "Someone must have slandered Josef K.").expect("a file");
    page.choose_files(".composer input[type=file]", &[file])
        .await;
    page.shows(".transfer.stored", "notes.md").await;
}

/// Sends a prompt from the composer, which has the focus.
pub async fn send(page: &Page, prompt: &str) {
    page.until("document.activeElement?.matches('.composer .prompt')")
        .await;
    page.types(prompt).await;
    page.key("Enter", 0).await;
}

/// Chooses, for what is sent next, the model that was saved first; the page begins with the last.
pub async fn choose_first_model(page: &Page) {
    page.eval(
        "{ const s = document.querySelector('select.model'); s.selectedIndex = 0; s.dispatchEvent(new Event('change')) }",
    )
    .await;
}

/// Waits until the last message is a reply that has ended.
pub async fn settled(page: &Page) {
    page.until(
        "document.querySelector('.messages > :last-child')?.matches('.assistant:not(.is-running)') && \
         !document.querySelector('.waiting')",
    )
    .await;
}

impl Visit {
    /// A server with its own model endpoint, and a page that is logged in.
    pub async fn start(browser: &Browser, names: &[&str]) -> Self {
        let model = FakeModel::start();
        let server = Server::start().await;
        let user = user_with(&server, &model, names).await;
        let page = browser.open(&at(server.address(), "/")).await;
        log_in(&page, &user.email).await;
        Self {
            server,
            page,
            user,
            _model: model,
        }
    }
}
